"""How numbers, times and notices read in a terminal line."""

from datetime import UTC, datetime
from decimal import Decimal

from cli.reasons import alert_text, detail_text, refusal_text
from core.notices import Alert, Notice, PositionEnded, PositionOpened, SignalRefused
from core.positions import Position
from core.views import resting_stop

_BLOCKS = " ▏▎▍▌▋▊▉█"


def clock_time(at_ms: int) -> str:
    """Return ``MM-DD HH:MM`` in UTC."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%m-%d %H:%M")


def price(value: Decimal | float) -> str:
    """Print a price without the digits nobody reads: an average of fills to eight, a wish to six."""
    digits = 6 if isinstance(value, float) else 8
    text = f"{Decimal(f'{value:.{digits - 1}e}'):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def money(value: Decimal) -> str:
    return f"{value:,.2f}"


def signed(value: Decimal | float, *, digits: int = 2, unit: str = "") -> str:
    return f"{value:+,.{digits}f}{unit}"


def bar(fraction: float, *, width: int = 10) -> str:
    """Draw 0–1 as a bar of eighths."""
    eighths = round(max(0.0, min(1.0, fraction)) * width * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_BLOCKS[rest] if rest else "")).ljust(width)


def duration(milliseconds: int) -> str:
    minutes = max(milliseconds, 0) // 60_000  # a fill may be younger than the last closed minute
    return f"{minutes // 60}h{minutes % 60:02d}m" if minutes >= 60 else f"{minutes}m"


def notice_line(notice: Notice) -> str:
    """Say in one line what happened."""
    match notice:
        case PositionOpened():
            return _opened(notice.position)
        case PositionEnded():
            return _ended(notice.position)
        case SignalRefused():
            candidate = notice.signal.candidate
            reason = refusal_text(notice.reasons[0])
            return f"refused  {candidate.symbol} {candidate.side.name}: {reason}"
        case Alert():
            detail = f": {detail_text(notice.text)}" if notice.text else ""
            return f"{notice.severity}  {notice.symbol or 'trader'} {alert_text(notice.key)}{detail}"


def _opened(position: Position) -> str:
    return (
        f"opened   {position.plan.source} {position.side.name} {position.symbol} "
        f"{price(position.entered)} @ {price(position.entry_price)} ×{position.plan.leverage} "
        f"{_stop(position)} target {price(position.target_price)} "
        f"confidence {position.plan.candidate.confidence:.0f}"
    )


def _stop(position: Position) -> str:
    stop = resting_stop(position)
    return "NO STOP RESTS" if stop is None else f"stop {price(stop)}"


def _ended(position: Position) -> str:
    held = (position.closed_at or 0) - (position.opened_at or 0)
    reason = position.exit_reason.value if position.exit_reason else "unknown"
    return (
        f"closed   {position.plan.source} {position.side.name} {position.symbol} "
        f"{signed(net_r(position))} R {signed(position.net_pnl)} USDT by {reason.replace('_', ' ')} "
        f"after {duration(held)}"
    )


def net_r(position: Position) -> float:
    return float(position.net_pnl / position.risk) if position.risk else 0.0
