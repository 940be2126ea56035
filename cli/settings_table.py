"""The settings in force, with secrets masked."""

from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from core.settings import Settings, env_name


def show_settings(settings: Settings) -> None:
    """Print every setting by its name in the environment."""
    table = Table(title="settings in force", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for heading in ("setting", "value", "meaning"):
        table.add_column(heading)
    for field, info in Settings.model_fields.items():
        table.add_row(env_name(field), _shown(getattr(settings, field)), info.description or "")
    Console().print(table, highlight=False)


def _shown(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, SecretStr):
        return "********"
    if isinstance(value, frozenset):
        return ",".join(sorted(map(str, value))) or "-"
    return str(value)
