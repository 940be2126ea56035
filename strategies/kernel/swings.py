"""Swing points by the leg rule: right side only and strict, so that they alternate and never move."""

from strategies.kernel.events import Kind, emit
from strategies.kernel.indicators import candle_of
from strategies.kernel.jit import compiled
from strategies.kernel.records import Candle, Chart, Swing

INTERNAL = 0
SWING = 1

UP = 1
DOWN = -1


@compiled
def outermost(candle: Candle, side: int) -> float:
    high, low = candle.high, candle.low  # both are read, so that the choice needs no jump to mispredict
    return high if side > 0 else low


@compiled
def stands_out(chart: Chart, label: int, side: int) -> bool:
    """Is this candle's high above every high since (+1), or its low below every low since (−1)?"""
    number, level = chart.number, outermost(candle_of(chart, label), side)
    while number > label and side * (outermost(candle_of(chart, number), side) - level) < 0.0:
        number -= 1
    return number == label


@compiled
def follow_extreme(swing: Swing, chart: Chart) -> None:
    """Note the newest candle that nothing in this leg has gone beyond.

    Only that one can end the leg: an earlier candle was reached by it, and a later one stands in its shadow
    until it is itself confirmed.
    """
    level = outermost(candle_of(chart, chart.number), swing.leg)
    reached = swing.leg * (level - swing.extreme) >= 0.0
    swing.extreme = level if reached else swing.extreme
    swing.extreme_at = chart.number if reached else swing.extreme_at


@compiled
def begin_leg(swing: Swing, chart: Chart, leg: int, label: int) -> None:
    """Begin a leg, or look on in one, with the candles behind ``label`` yet to be judged."""
    swing.leg = leg
    swing.extreme = outermost(candle_of(chart, label + 1), leg)
    swing.extreme_at = label + 1
    for number in range(label + 2, chart.number + 1):
        level = outermost(candle_of(chart, number), leg)
        if leg * (level - swing.extreme) >= 0.0:
            swing.extreme = level
            swing.extreme_at = number


@compiled
def turned(swing: Swing, chart: Chart, label: int) -> int:
    """Return the leg that begins now that ``label`` can be judged: +1 after a low, −1 after a high, or 0.

    A candle that stands both above and below all that followed it is a high.
    """
    if swing.leg == 0:
        return DOWN if stands_out(chart, label, 1) else UP if stands_out(chart, label, -1) else 0
    follow_extreme(swing, chart)
    if swing.extreme_at != label:
        return 0
    if swing.leg == DOWN and stands_out(chart, label, 1):
        begin_leg(swing, chart, DOWN, label)
        return 0
    return -swing.leg


@compiled
def confirm_swing(chart: Chart, scale: int, length: int) -> int:
    """Record the swing point that this bar confirms, if any: +1 a high, −1 a low, 0 none."""
    if chart.bars <= length:
        return 0
    swing, label = chart.swings[scale], chart.number - length
    leg = turned(swing, chart, label)
    if leg == DOWN:
        swing.high = candle_of(chart, label).high
        swing.high_at = label
        swing.high_open = 1
    elif leg == UP:
        swing.low = candle_of(chart, label).low
        swing.low_at = label
        swing.low_open = 1
    if leg != 0:
        begin_leg(swing, chart, leg, label)
        level = swing.high if leg == DOWN else swing.low
        kind = Kind.INTERNAL_POINT if scale == INTERNAL else Kind.SWING_POINT
        emit(chart, kind, -leg, label, (level, level, 0.0))
    return -leg
