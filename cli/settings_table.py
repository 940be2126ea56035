"""The settings in force, with secrets masked, and the parameters of the strategies."""

from collections.abc import Iterable

from pydantic import SecretStr
from rich.table import Table

from cli.consoles import result_console
from core.settings import Settings, env_name


def show_settings(settings: Settings) -> None:
    """Print every setting by its name in the environment."""
    rows = (
        (env_name(field), _shown(getattr(settings, field)), info.description or "")
        for field, info in Settings.model_fields.items()
    )
    _show("settings in force", "setting", rows)


def show_strategy(name: str, parameters: Iterable[tuple[str, str, str]]) -> None:
    """Print the parameters of one strategy, or of the kernel, by the names that settings know them by."""
    rows = ((f"{name}.{parameter}", value, meaning) for parameter, value, meaning in parameters)
    _show(f"\n{name}; a grade is a list of measure:grade, linear in between", "parameter", rows)


def _show(title: str, subject: str, rows: Iterable[tuple[str, str, str]]) -> None:
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for heading in (subject, "value", "meaning"):
        table.add_column(heading)
    for row in rows:
        table.add_row(*row)
    result_console().print(table, highlight=False)


def _shown(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, SecretStr):
        return "********"
    if isinstance(value, frozenset | tuple):
        return ",".join(sorted(map(str, value))) or "-"
    return str(value)
