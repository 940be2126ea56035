"""Numbers and times as people read them: signs written out, steps respected, no negative zero."""

from decimal import Decimal

_MINUS = "−"  # as wide as a plus, and no line breaks after it
NOTHING = "—"


def price(value: Decimal, tick_size: Decimal) -> str:
    """Write a price with the decimals of its tick: ``67,420.50``."""
    return _written(value, decimals_of(tick_size))


def decimals_of(step: Decimal) -> int:
    """Return how many decimals a tick or step size has: 0.010 has two."""
    exponent = step.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def quantity(value: Decimal) -> str:
    return f"{value.normalize():,f}"


def usdt(value: Decimal) -> str:
    return f"{_written(value, 2)} USDT"


def signed_usdt(value: Decimal) -> str:
    return f"{_signed(value, 2)} USDT"


def percent(fraction: float, decimals: int = 1) -> str:
    return f"{_written(fraction * 100, decimals)}%"


def signed_percent(fraction: float, decimals: int = 2) -> str:
    return f"{_signed(fraction * 100, decimals)}%"


def signed_r(value: float) -> str:
    return f"{_signed(value, 2)}R"


def ago(at_ms: int) -> str:
    """Write a moment so that Discord shows it relative to the reader's now, in the reader's language."""
    return f"<t:{at_ms // 1000}:R>"


def duration(milliseconds: int) -> str:
    """Write how long something took: ``47m``, ``1h 12m``, ``2d 3h``."""
    minutes = max(0, milliseconds) // 60_000
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days}d {hours}h"
    return f"{hours}h {minutes}m" if hours else f"{minutes}m"


def _written(value: Decimal | float, decimals: int) -> str:
    written = f"{abs(value):,.{decimals}f}"
    return f"{_MINUS}{written}" if value < 0 and not _is_zero(written) else written


def _signed(value: Decimal | float, decimals: int) -> str:
    written = _written(value, decimals)
    return written if value < 0 or _is_zero(written) else f"+{written}"


def _is_zero(written: str) -> bool:
    return not written.strip("0.,")
