"""One closed minute of the whole market, and the history before it: the only way candles enter the kernel."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.market import Floats
from strategies.kernel.fair_value_gaps import update_gaps
from strategies.kernel.indicators import push_candle, update_indicators
from strategies.kernel.jit import compiled
from strategies.kernel.liquidity import add_pool, update_pools
from strategies.kernel.order_blocks import update_blocks
from strategies.kernel.parameters import Rules
from strategies.kernel.records import Chart, Forming, Prices, Records
from strategies.kernel.structure import break_structure
from strategies.kernel.swings import INTERNAL, SWING, confirm_swing

QUARTER = 15


class Market(NamedTuple):
    """The kernel's whole state; every array has one record a symbol."""

    minute: Records  # Chart
    quarter: Records  # Chart
    forming: Records  # Forming
    minute_rules: Rules
    quarter_rules: Rules


@compiled
def step(
    market: Market, first: int, numbers: NDArray[np.int64], rows: Floats, present: NDArray[np.bool_]
) -> None:
    """Take in minutes of neighbouring symbols, from ``first`` on: ``rows`` [T, 5, n], ``present`` [T, n].

    A live minute is one row of all symbols, a fetched history many rows of one.
    """
    for t in range(len(numbers)):
        for s in range(rows.shape[2]):
            if present[t, s]:
                accept_minute(market, first + s, numbers[t], prices_of(rows[t], s))


@compiled
def warm_up_quarters(chart: Chart, rules: Rules, numbers: NDArray[np.int64], candles: Floats) -> None:
    """Take in fetched 15m history [5, n] of one symbol."""
    for place in range(len(numbers)):
        accept(chart, rules, numbers[place], prices_of(candles, place))


@compiled
def whole_from(numbers: NDArray[np.int64], candles: Floats) -> int:
    """Return where the unbroken end of a history begins: after its last hole or impossible candle."""
    for place in range(len(numbers) - 1, -1, -1):
        if not plausible(prices_of(candles, place)):
            return place + 1
        if place > 0 and numbers[place] != numbers[place - 1] + 1:
            return place
    return 0


@compiled
def prices_of(candles: Floats, place: int) -> Prices:
    return (candles[0, place], candles[1, place], candles[2, place], candles[3, place], candles[4, place])


@compiled
def accept_minute(market: Market, s: int, number: int, prices: Prices) -> None:
    """Take in a 1m candle, and the 15m candle that it completes."""
    if not accept(market.minute[s], market.minute_rules, number, prices):
        return
    forming, quarter = market.forming[s], market.quarter[s]
    extend(forming, number, prices)
    if number % QUARTER != QUARTER - 1:
        return
    if forming.minutes == QUARTER:
        whole = (forming.open, forming.high, forming.low, forming.close, forming.volume)
        accept(quarter, market.quarter_rules, forming.number, whole)
    elif 0 < quarter.number < forming.number:
        quarter.missed = 1


@compiled
def extend(forming: Forming, number: int, prices: Prices) -> None:
    """Add a minute to the 15m candle being built; one joined half-way never counts as whole."""
    if forming.number != number // QUARTER:
        forming.number = number // QUARTER
        forming.minutes = 0
        forming.open = prices[0]
        forming.high = prices[1]
        forming.low = prices[2]
        forming.volume = 0.0
    forming.minutes += 1
    forming.high = max(forming.high, prices[1])
    forming.low = min(forming.low, prices[2])
    forming.close = prices[3]
    forming.volume += prices[4]


@compiled
def accept(chart: Chart, rules: Rules, number: int, prices: Prices) -> bool:
    """Take in the next candle of a timeframe; return whether it was new and follows the last one.

    What was seen before is passed over. A hole, or a candle that can not be, leaves the chart as it was,
    marked as missing something: unready until history closes the hole.
    """
    if chart.bars > 0 and number <= chart.number:
        return False
    if (chart.bars > 0 and number != chart.number + 1) or not plausible(prices):
        chart.missed = 1
        return False
    push_candle(chart, number, prices)
    advance(chart, rules)
    return True


@compiled
def plausible(prices: Prices) -> bool:
    """Finite, positive, with open and close between low and high; NaN fails every comparison."""
    open_, high, low, close, volume = prices
    inside = low <= open_ <= high and low <= close <= high
    return inside and low > 0.0 and high < np.inf and 0.0 <= volume < np.inf


@compiled
def advance(chart: Chart, rules: Rules) -> None:
    """Bring everything known on a timeframe up to the candle just taken in.

    A close is judged against what was known before it: pools, blocks, gaps and levels first, the swing
    points that it confirms last.
    """
    update_indicators(chart)
    update_pools(chart)
    update_blocks(chart, rules)
    update_gaps(chart, rules)
    break_structure(chart, rules)
    confirm_swing(chart, INTERNAL, rules.internal_leg)
    side = confirm_swing(chart, SWING, rules.swing_leg)
    if side != 0:
        add_pool(chart, rules, side)
