"""Integer candles: aggregation, gaps, and a store that forgets."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.market import MINUTE_MS
from exchange.sim.market.candles import FIELDS, Bars, CandleStore, Integers, Row, merge, regroup


def candle(*, price: int, volume: int = 1) -> list[int]:
    return [price, price + 2, price - 2, price + 1, volume, volume * price]


def run(*candles: list[int]) -> Integers:
    return np.array(candles, np.int64).T


NOTHING = [0] * FIELDS


def test_a_merged_candle_opens_with_the_first_and_closes_with_the_last() -> None:
    merged = merge(run(candle(price=100), candle(price=90, volume=3), candle(price=110)))
    assert merged.tolist() == [100, 112, 88, 111, 5, 100 + 270 + 110]


def test_missing_candles_take_no_part_in_an_aggregate() -> None:
    merged = merge(run(NOTHING, candle(price=100), NOTHING, candle(price=95), NOTHING))
    assert merged.tolist() == merge(run(candle(price=100), candle(price=95))).tolist()


def test_an_aggregate_of_nothing_does_not_exist() -> None:
    assert merge(run(NOTHING, NOTHING)).tolist() == NOTHING


@given(st.lists(st.integers(10, 1000), min_size=1, max_size=40), st.integers(0, 4), st.integers(2, 5))
def test_bars_hold_exactly_the_candles_of_their_span(prices: list[int], offset: int, factor: int) -> None:
    rows = run(*(candle(price=price) for price in prices))
    offset %= factor
    bars = regroup(rows, offset=offset, factor=factor)
    edges = [0, *range(factor - offset, len(prices), factor), len(prices)]
    expected = [merge(rows[:, a:b]).tolist() for a, b in pairwise(edges) if a < b]
    assert bars.T.tolist() == expected


def test_the_store_keeps_the_newest_and_knows_their_times() -> None:
    store = CandleStore(symbols=2, interval_ms=MINUTE_MS, keep=10, first_ms=0)
    for number in range(2000):
        store.append(np.full((FIELDS, 2), number + 1, np.int64))
    assert store.end_ms == 2000 * MINUTE_MS
    bars = store.of(1)
    assert bars.rows.shape[1] >= 10
    assert (bars.rows[Row.OPEN] - 1).tolist() == (bars.open_times // MINUTE_MS).tolist()
    assert store.since(1998 * MINUTE_MS)[Row.CLOSE, 0].tolist() == [1999, 2000]


def test_candles_that_do_not_exist_are_not_shown() -> None:
    times, rows = Bars(MINUTE_MS, 0, run(candle(price=100), NOTHING, candle(price=101))).existing()
    assert times.tolist() == [0, 2 * MINUTE_MS]
    assert rows[Row.OPEN].tolist() == [100, 101]
