"""Liquidity pools at confirmed swing points and at equal ones, and the sweeps that take them."""

import numpy as np

from strategies.kernel.events import Kind, emit
from strategies.kernel.jit import compiled
from strategies.kernel.parameters import Rules
from strategies.kernel.records import Chart
from strategies.kernel.swings import SWING


@compiled
def update_pools(chart: Chart) -> None:
    """Take away the pools that this candle swept or closed beyond."""
    above = chart.pools_above > 0 and chart.high > chart.pool_above
    below = chart.pools_below > 0 and chart.low < chart.pool_below
    if not (above or below):
        return
    for place in range(chart.pools_open - 1, -1, -1):
        take_pool(chart, place)
    find_nearest(chart)


@compiled
def take_pool(chart: Chart, place: int) -> None:
    """A wick through and a close back inside is a sweep; a close beyond breaks the pool."""
    pool = chart.pools[place]
    wick = chart.high if pool.side > 0 else chart.low
    depth = pool.side * (wick - pool.level)
    if depth <= 0.0:
        return
    if pool.side * (chart.close - pool.level) > 0.0:
        drop(chart, place, Kind.POOL_BROKEN, depth)
        return
    remember_sweep(chart, pool.side, depth)
    drop(chart, place, Kind.SWEEP, depth)


@compiled
def drop(chart: Chart, place: int, kind: int, depth: float) -> None:
    """Say what became of a pool, and let the last one take its place."""
    pool = chart.pools[place]
    emit(chart, kind, pool.side, pool.label, (pool.level, pool.level, depth))
    chart.pools_open -= 1
    chart.pools[place] = chart.pools[chart.pools_open]


@compiled
def remember_sweep(chart: Chart, side: int, depth: float) -> None:
    """Keep the time and the depth of the last sweep a side; of several by one candle, the deepest."""
    if side > 0:
        known = chart.swept_above_depth if chart.swept_above_at == chart.number else 0.0
        chart.swept_above_at = chart.number
        chart.swept_above_depth = max(depth, known)
    else:
        known = chart.swept_below_depth if chart.swept_below_at == chart.number else 0.0
        chart.swept_below_at = chart.number
        chart.swept_below_depth = max(depth, known)


@compiled
def find_nearest(chart: Chart) -> None:
    """Note the nearest pool on each side, so that most candles need to look no further."""
    above, below, count = np.inf, -np.inf, 0
    for place in range(chart.pools_open):
        pool = chart.pools[place]
        above = min(above, pool.level if pool.side > 0 else np.inf)
        below = max(below, pool.level if pool.side < 0 else -np.inf)
        count += pool.side > 0
    chart.pool_above, chart.pool_below = above, below
    chart.pools_above, chart.pools_below = count, chart.pools_open - count


@compiled
def add_pool(chart: Chart, rules: Rules, side: int) -> None:
    """Let liquidity gather beyond the swing point just confirmed; equal points share one pool."""
    swing = chart.swings[SWING]
    level = swing.high if side > 0 else swing.low
    place = equal_pool(chart, side, level, rules.equal_level_atr * chart.atr)
    pool = chart.pools[place]
    if place == chart.pools_open:
        chart.pools_open += 1
        pool.side = side
        pool.level = level
        pool.points = 0
    pool.level = side * max(side * level, side * pool.level)
    pool.label = swing.high_at if side > 0 else swing.low_at
    pool.points += 1
    emit(chart, Kind.POOL, side, pool.label, (pool.level, pool.level, float(pool.points)))
    find_nearest(chart)


@compiled
def equal_pool(chart: Chart, side: int, level: float, tolerance: float) -> int:
    """Return the slot of a live pool at an equal level, else an empty one; the oldest may expire for it."""
    oldest = 0
    for place in range(chart.pools_open):
        pool = chart.pools[place]
        if pool.side == side and abs(pool.level - level) <= tolerance:
            return place
        if pool.label < chart.pools[oldest].label:
            oldest = place
    if chart.pools_open == len(chart.pools):
        drop(chart, oldest, Kind.POOL_EXPIRED, 0.0)
    return chart.pools_open
