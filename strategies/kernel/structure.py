"""Breaks of internal swing points: BOS with the bias, CHoCH against it, MSB when they reach far enough."""

from strategies.kernel.events import Kind, emit
from strategies.kernel.indicators import ATR_LENGTH
from strategies.kernel.jit import compiled
from strategies.kernel.order_blocks import form_block
from strategies.kernel.parameters import Rules
from strategies.kernel.records import Chart, Swing
from strategies.kernel.swings import INTERNAL


@compiled
def broken_side(swing: Swing, close: float) -> int:
    """Return +1 when this close is beyond the last unbroken high, −1 beyond the low, else 0."""
    if swing.high_open != 0 and close > swing.high:
        return 1
    if swing.low_open != 0 and close < swing.low:
        return -1
    return 0


@compiled
def break_strength(swing: Swing, chart: Chart, side: int, rules: Rules) -> float:
    """Reach of the breaking candle beyond the level, as a multiple of what the amplitude filter asks.

    0 while the previous leg or ATR is unknown: what can not be judged is weak.
    """
    if swing.high_at == 0 or swing.low_at == 0 or chart.bars <= ATR_LENGTH:
        return 0.0
    reach = chart.high - swing.high if side > 0 else swing.low - chart.low
    leg = swing.high - swing.low
    required = max(rules.msb_min_leg_fraction * leg, rules.msb_min_atr * chart.atr)
    return reach / required if required > 0.0 else 0.0


@compiled
def break_structure(chart: Chart, rules: Rules) -> None:
    """Judge this close against the internal levels known before it."""
    swing = chart.swings[INTERNAL]
    side = broken_side(swing, chart.close)
    if side == 0:
        return
    strength = break_strength(swing, chart, side, rules)
    record_break(chart, side, strength)
    opposite_at = swing.low_at if side > 0 else swing.high_at
    if side > 0:
        swing.high_open = 0
    else:
        swing.low_open = 0
    form_block(chart, rules, side, opposite_at, strength)


@compiled
def record_break(chart: Chart, side: int, strength: float) -> None:
    swing = chart.swings[INTERNAL]
    label = swing.high_at if side > 0 else swing.low_at
    prices = (swing.high, chart.high, strength) if side > 0 else (chart.low, swing.low, strength)
    changed = chart.bias == -side
    emit(chart, Kind.CHOCH if changed else Kind.BOS, side, label, prices)
    chart.bias = side
    if changed:
        chart.choch_side = side
        chart.choch_at = chart.number
    if strength >= 1.0:
        emit(chart, Kind.MSB, side, label, prices)
        chart.msb_side = side
        chart.msb_at = chart.number
        chart.msb_strength = strength
