"""Swing points by the leg rule: right side only and strict, so that they alternate and never move."""

from strategies.kernel.events import Kind, emit
from strategies.kernel.indicators import candle_of
from strategies.kernel.jit import compiled
from strategies.kernel.records import Chart, Swing

INTERNAL = 0
SWING = 1

UP = 1
DOWN = -1


@compiled
def stands_above(chart: Chart, label: int) -> bool:
    """Is this candle's high above every high since?"""
    level, number = candle_of(chart, label).high, chart.number
    while number > label and candle_of(chart, number).high < level:
        number -= 1
    return number == label


@compiled
def stands_below(chart: Chart, label: int) -> bool:
    """Is this candle's low below every low since?"""
    level, number = candle_of(chart, label).low, chart.number
    while number > label and candle_of(chart, number).low > level:
        number -= 1
    return number == label


@compiled
def turned(swing: Swing, chart: Chart, label: int) -> int:
    """Return the leg that begins now that ``label`` can be judged: +1 after a low, −1 after a high, or 0.

    A candle that stands both above and below all that followed it is a high.
    """
    if swing.leg != DOWN and stands_above(chart, label):
        return DOWN
    if swing.leg != UP and stands_below(chart, label) and not stands_above(chart, label):
        return UP
    return 0


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
        swing.leg = leg
        level = swing.high if leg == DOWN else swing.low
        kind = Kind.INTERNAL_POINT if scale == INTERNAL else Kind.SWING_POINT
        emit(chart, kind, -leg, label, (level, level, 0.0))
    return -leg
