"""What can become known about the market, and the buffer it is written to."""

from enum import IntEnum

from strategies.kernel.jit import compiled
from strategies.kernel.records import Chart


class Kind(IntEnum):
    """Every kind of event; ``low`` and ``high`` are the prices it is about, ``value`` what is said here.

    ``side`` is +1 for what is above price or speaks for rising prices: a swing high, a break upwards, a
    bullish block, a buy-side pool.
    """

    INTERNAL_POINT = 1
    SWING_POINT = 2
    BOS = 3  # value: reach ÷ required reach; 1 or more is strong
    CHOCH = 4  # as BOS
    MSB = 5  # as BOS
    BLOCK = 6  # value: displacement
    BLOCK_REJECTED = 7  # value: displacement
    BLOCK_TOUCHED = 8
    BLOCK_MITIGATED = 9
    BLOCK_BROKEN = 10
    BLOCK_EXPIRED = 11
    BREAKER = 12
    POOL = 13  # value: swing points that share it
    SWEEP = 14  # value: depth of the wick beyond the level, in price
    POOL_BROKEN = 15
    POOL_EXPIRED = 16
    GAP = 17
    GAP_FILLED = 18
    GAP_EXPIRED = 19
    BLOCK_RETESTED = 20  # value: displacement


@compiled
def emit(chart: Chart, kind: int, side: int, label: int, prices: tuple[float, float, float]) -> None:
    """Append what this chart has just shown; ``prices`` are (low, high, value). A full list only counts."""
    place = chart.events_used
    chart.events_used += 1
    if place >= len(chart.events):
        return
    event = chart.events[place]
    event.kind = kind
    event.side = side
    event.label = label
    event.low, event.high, event.value = prices
