"""The strategies of a run, with the user's parameters in them."""

from core.errors import SettingsError
from core.settings import Settings
from strategies.catalogue import LineUp, line_up


def chosen_strategies(settings: Settings) -> LineUp:
    """Raises ``SettingsError`` where a parameter can not be."""
    try:
        return line_up(settings.tunings)
    except ValueError as refusal:
        raise SettingsError(f"PERPSCOUT_STRATEGY_PARAMETERS: {refusal}.") from refusal
