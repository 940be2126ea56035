"""What a closed minute means for an open position: has it outlived its reason, is its stop to be moved?"""

from dataclasses import dataclass
from decimal import Decimal
from math import isfinite, nan

from core.market import as_decimal
from core.parameters import CostParameters, MonitoringParameters
from core.positions import ExitReason, Position, Stage
from core.signals import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """What the kernel knows of one symbol after a closed minute.

    ``trend`` is the side of the last closed 15m bar against EMA200, ``None`` while neutral or not ready;
    ``break_side`` the last market structure break, known at ``break_at`` (ms, close of its minute).
    ``atr_1m`` is in units of price, NaN where unknown.
    """

    trend: Side | None
    break_side: Side | None
    break_at: int
    atr_1m: float = nan


def exit_wanted(
    position: Position, structure: Structure | None, parameters: MonitoringParameters, *, now_ms: int
) -> ExitReason | None:
    """Say why an open position should be closed now; an unknown market is no reason."""
    if position.stage is not Stage.OPEN or position.opened_at is None:
        return None
    if structure is not None and _is_broken(position, structure):
        return ExitReason.THESIS
    if now_ms - position.opened_at >= parameters.time_stop_ms:
        return ExitReason.TIME
    return None


def _is_broken(position: Position, structure: Structure) -> bool:
    """A break against the position since its decision, or the 15m trend on the other side."""
    against = position.side.opposite
    broke = structure.break_side is against and structure.break_at > position.plan.candidate.at
    return broke or structure.trend is against


def stop_wanted(
    position: Position,
    close: Decimal,
    structure: Structure | None,
    *,
    parameters: MonitoringParameters,
    costs: CostParameters,
) -> Decimal | None:
    """Return where the stop should move to after a candle that closed at ``close``, ``None`` to let it be.

    From a close at +1 R on: break-even with costs, then behind the close by ``trail_atr`` ATR or
    ``trail_r`` R, whichever is further; only ever tighter, and no smaller move than ``min_move_r``.
    """
    if position.stage is not Stage.OPEN or not position.entry_settled:
        return None
    one_r, side = position.real_risk, position.side
    has_begun = position.stop_level != position.plan.stop
    gain = (close - position.entry_price) * side
    if not has_begun and gain < one_r * Decimal(str(parameters.break_even_after_r)):
        return None
    behind = max(
        one_r * Decimal(str(parameters.trail_r)), _atr(structure) * Decimal(str(parameters.trail_atr))
    )
    levels = [_break_even(position, costs), close - behind * side]
    wanted = _on_tick(position, max(levels) if side is Side.LONG else min(levels))
    move = (wanted - position.stop_level) * side
    is_behind_price = (close - wanted) * side > 0
    return wanted if is_behind_price and move >= one_r * Decimal(str(parameters.min_move_r)) else None


def _break_even(position: Position, costs: CostParameters) -> Decimal:
    """Return the price at which what an exit brings has paid both fees and its slippage."""
    return position.entry_price * (1 + position.side * (2 * costs.taker_fee + costs.slippage))


def _atr(structure: Structure | None) -> Decimal:
    known = structure is not None and isfinite(structure.atr_1m)
    return as_decimal(structure.atr_1m) if structure is not None and known else Decimal(0)


def _on_tick(position: Position, price: Decimal) -> Decimal:
    """Round toward the price, so that costs stay covered."""
    instrument = position.plan.instrument
    rounded = instrument.price_at_or_above if position.side is Side.LONG else instrument.price_at_or_below
    return rounded(price)
