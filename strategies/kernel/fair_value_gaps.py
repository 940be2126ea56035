"""Fair value gaps: what one candle left untraded between its two neighbours."""

import numpy as np

from strategies.kernel.events import Kind, emit
from strategies.kernel.indicators import ATR_LENGTH, candle_of
from strategies.kernel.jit import compiled
from strategies.kernel.parameters import Rules
from strategies.kernel.records import Chart, Gap


@compiled
def update_gaps(chart: Chart, rules: Rules) -> None:
    """Fill the gaps that this candle traded through, and note the one that it completes."""
    if chart.gaps_open > 0 and (chart.low <= chart.gap_below or chart.high >= chart.gap_above):
        for place in range(chart.gaps_open - 1, -1, -1):
            if is_full(chart, chart.gaps[place]):
                drop(chart, place, Kind.GAP_FILLED)
        find_nearest(chart)
    if chart.bars > ATR_LENGTH:
        find_gap(chart, rules)


@compiled
def is_full(chart: Chart, gap: Gap) -> bool:
    """Has this candle traded all the way through?"""
    return chart.low <= gap.bottom if gap.side > 0 else chart.high >= gap.top


@compiled
def find_nearest(chart: Chart) -> None:
    """Note where the next gap on each side will be full, so that most candles need to look no further."""
    above, below = np.inf, -np.inf
    for place in range(chart.gaps_open):
        gap = chart.gaps[place]
        above = min(above, gap.top if gap.side < 0 else np.inf)
        below = max(below, gap.bottom if gap.side > 0 else -np.inf)
    chart.gap_above, chart.gap_below = above, below


@compiled
def find_gap(chart: Chart, rules: Rules) -> None:
    """Look at the last three candles; the gap must lie in the direction of the middle one."""
    first, middle = candle_of(chart, chart.number - 2), candle_of(chart, chart.number - 1)
    width = rules.gap_min_atr * chart.atr
    above, below = chart.low - first.high, first.low - chart.high
    if max(above, below) < width:
        return
    if above > 0.0 and middle.close > middle.open:
        add_gap(chart, 1, (first.high, chart.low))
    elif below > 0.0 and middle.close < middle.open:
        add_gap(chart, -1, (chart.high, first.low))


@compiled
def add_gap(chart: Chart, side: int, edges: tuple[float, float]) -> None:
    make_room(chart)
    gap = chart.gaps[chart.gaps_open]
    chart.gaps_open += 1
    gap.side = side
    gap.label = chart.number - 1
    gap.bottom, gap.top = edges
    report(chart, gap, Kind.GAP)
    find_nearest(chart)


@compiled
def make_room(chart: Chart) -> None:
    """When every slot is taken, let the oldest gap expire."""
    if chart.gaps_open < len(chart.gaps):
        return
    oldest = 0
    for place in range(1, chart.gaps_open):
        if chart.gaps[place].label < chart.gaps[oldest].label:
            oldest = place
    drop(chart, oldest, Kind.GAP_EXPIRED)


@compiled
def drop(chart: Chart, place: int, kind: int) -> None:
    """Say why a gap is no longer open, and let the last one take its place."""
    report(chart, chart.gaps[place], kind)
    chart.gaps_open -= 1
    chart.gaps[place] = chart.gaps[chart.gaps_open]


@compiled
def report(chart: Chart, gap: Gap, kind: int) -> None:
    emit(chart, kind, gap.side, gap.label, (gap.bottom, gap.top, gap.top - gap.bottom))
