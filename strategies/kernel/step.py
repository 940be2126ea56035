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
from strategies.kernel.records import EVENTS, Chart, Forming, Prices, Records
from strategies.kernel.structure import break_structure
from strategies.kernel.swings import INTERNAL, SWING, confirm_swing

QUARTER = 15

Numbers = NDArray[np.int64]


class Market(NamedTuple):
    """The kernel's whole state; every array has one record a symbol."""

    minute: Records  # Chart
    quarter: Records  # Chart
    forming: Records  # Forming
    minute_rules: Rules
    quarter_rules: Rules


@compiled
def step(market: Market, first: int, numbers: Numbers, rows: Floats, present: NDArray[np.bool_]) -> bool:
    """Take in minutes of neighbouring symbols, from ``first`` on: ``rows`` [T, 5, n], ``present`` [T, n].

    A live minute is one row of all symbols, a fetched history many rows of one. Return whether every chart
    had room for its events.
    """
    minutes, quarters, forming = market.minute, market.quarter, market.forming
    rules = (market.minute_rules, market.quarter_rules)
    most_events = 0
    for t in range(len(numbers)):
        for column in range(rows.shape[2]):
            if present[t, column]:
                s = first + column
                prices = prices_of(rows, t, column)
                accept_minute(minutes[s], quarters[s], forming[s], rules, numbers[t], prices)
                most_events = max(most_events, minutes[s].events_used)
    return most_events <= EVENTS


@compiled
def warm_up_quarters(chart: Chart, rules: Rules, numbers: Numbers, rows: Floats) -> None:
    """Take in fetched 15m history [T, 5, 1] of one symbol."""
    for t in range(len(numbers)):
        accept(chart, rules, numbers[t], prices_of(rows, t, 0))


@compiled
def whole_from(numbers: Numbers, rows: Floats) -> int:
    """Return where the unbroken end of a history [T, 5, 1] begins: behind the last hole or bad candle."""
    for t in range(len(numbers) - 1, -1, -1):
        if not plausible(prices_of(rows, t, 0)):
            return t + 1
        if t > 0 and numbers[t] != numbers[t - 1] + 1:
            return t
    return 0


@compiled
def prices_of(rows: Floats, t: int, s: int) -> Prices:
    return (rows[t, 0, s], rows[t, 1, s], rows[t, 2, s], rows[t, 3, s], rows[t, 4, s])


@compiled
def accept_minute(
    minute: Chart, quarter: Chart, forming: Forming, rules: tuple[Rules, Rules], number: int, prices: Prices
) -> None:
    """Take in a 1m candle, and the 15m candle that it completes."""
    if not accept(minute, rules[0], number, prices):
        return
    extend(forming, number, prices)
    if number % QUARTER != QUARTER - 1:
        return
    if forming.minutes == QUARTER:
        whole = (forming.open, forming.high, forming.low, forming.close, forming.volume)
        accept(quarter, rules[1], forming.number, whole)
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
