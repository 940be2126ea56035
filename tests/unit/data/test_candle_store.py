"""The latest candles, kept in rings."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.market import (
    MINUTE_MS,
    QUARTER_MS,
    CandleHistory,
    Field,
    MarketContext,
    MinuteClosed,
    SymbolAxis,
)
from data.candle_store import CandleStore
from tests.builders import T0

AXIS = SymbolAxis(("AUSDT", "BUSDT"))


def minute(index: int, *, present: tuple[bool, bool] = (True, True)) -> MinuteClosed:
    """Make the minute ``index`` after T0 whose every price is its index (B: plus a thousand)."""
    row = np.array([[index, index + 1000.0]] * 5, dtype=np.float64)
    row[:, ~np.array(present)] = np.nan
    at = T0 + index * MINUTE_MS
    return MinuteClosed(
        open_time=at,
        axis=AXIS,
        row=row,
        present=np.array(present),
        context=MarketContext.unknown(2),
        seen_at=at,
    )


def history(timeframe_ms: int, first: int, count: int) -> CandleHistory:
    numbers = np.arange(first, first + count)
    return CandleHistory(
        symbol="AUSDT",
        timeframe_ms=timeframe_ms,
        open_times=T0 + numbers * timeframe_ms,
        candles=np.tile(numbers.astype(np.float64), (5, 1)),
    )


@given(lived=st.integers(1, 60), asked=st.integers(1, 40))
def test_it_returns_the_newest_minutes_oldest_first(lived: int, asked: int) -> None:
    store = CandleStore(AXIS, minutes=20)
    for index in range(lived):
        store.append(minute(index))
    expected = list(range(max(lived - min(asked, 20), 0), lived))
    assert store.snapshot_1m("AUSDT", asked)[Field.CLOSE].tolist() == expected


def test_a_missing_minute_is_a_gap_and_not_an_old_candle() -> None:
    store = CandleStore(AXIS, minutes=4)
    for index in range(6):
        store.append(minute(index, present=(index != 4, True)))
    times, candles = store.recent_1m("AUSDT", 4)
    assert ((times - T0) // MINUTE_MS).tolist() == [2, 3, 4, 5]
    assert np.isnan(candles[Field.CLOSE]).tolist() == [False, False, True, False]


def test_history_and_live_minutes_join() -> None:
    store = CandleStore(AXIS, minutes=20)
    store.append(minute(5))
    store.load(history(MINUTE_MS, 0, 5))
    assert store.snapshot_1m("AUSDT", 20)[Field.CLOSE].tolist() == [0, 1, 2, 3, 4, 5]
    assert store.snapshot_1m("BUSDT", 20)[Field.CLOSE].tolist() == [1005]


def test_the_last_minute_of_a_quarter_gives_its_close() -> None:
    store = CandleStore(AXIS, quarters=8)
    store.load(history(QUARTER_MS, -3, 3))
    for index in range(16):
        store.append(minute(index))
    closes = store.closes_15m("AUSDT", 5)
    assert np.isnan(closes[0])
    assert closes[1:].tolist() == [-3, -2, -1, 14]
