"""Closed candles addressed by time, in whatever order they come."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.market import MINUTE_MS, CandleHistory, SymbolAxis
from services.candle_buffer import CandleBuffer

AXIS = SymbolAxis(("AUSDT", "BUSDT"))
START = 1_764_547_200_000
MINUTES = 10

numbers = st.lists(st.integers(0, 40), max_size=60)


def candle(number: int) -> tuple[float, ...]:
    price = 10.0 + number
    return price, price + 1, price - 1, price, float(number)


def history(of: list[int]) -> CandleHistory:
    return CandleHistory(
        symbol="AUSDT",
        timeframe_ms=MINUTE_MS,
        open_times=np.array([START + number * MINUTE_MS for number in of], np.int64),
        candles=np.array([candle(number) for number in of]).reshape(-1, 5).T,
    )


@given(numbers)
def test_it_remembers_the_latest_minutes_and_never_an_older_one_in_their_place(arrivals: list[int]) -> None:
    buffer = CandleBuffer(AXIS, minutes=MINUTES)
    for number in arrivals:
        buffer.put(0, START + number * MINUTE_MS, candle(number))
    for number in set(arrivals):
        newest_there = max(each for each in arrivals if each % MINUTES == number % MINUTES)
        known = buffer.has(0, START + number * MINUTE_MS)
        assert known == (number == newest_there)
        assert not buffer.has(1, START + number * MINUTE_MS)
        if known:
            assert tuple(buffer.row(START + number * MINUTE_MS)[:, 0]) == candle(number)


@given(numbers, st.integers(0, 40), st.integers(1, 25))
def test_a_history_is_stored_as_its_candles_one_by_one_would_be(
    arrivals: list[int], first: int, count: int
) -> None:
    one_by_one, at_once = (CandleBuffer(AXIS, minutes=MINUTES) for _ in range(2))
    for number in arrivals:
        for buffer in (one_by_one, at_once):
            buffer.put(1, START + number * MINUTE_MS, candle(number))
    fetched = list(range(first, first + count))
    for number in fetched:
        one_by_one.put(0, START + number * MINUTE_MS, candle(number))
    at_once.put_history(0, history(fetched))
    for number in range(70):
        rows = [buffer.row(START + number * MINUTE_MS) for buffer in (one_by_one, at_once)]
        assert np.array_equal(rows[0], rows[1], equal_nan=True)


def test_what_can_not_be_true_is_not_stored() -> None:
    buffer = CandleBuffer(AXIS)
    buffer.put(0, START, (1.0, 0.5, 2.0, 1.0, 1.0))
    wrong = history([1, 2])
    wrong.candles[0, 0] = np.nan
    buffer.put_history(0, wrong)
    assert [buffer.has(0, START + number * MINUTE_MS) for number in range(3)] == [False, False, True]


def test_the_first_missing_minute_is_named() -> None:
    buffer = CandleBuffer(AXIS)
    buffer.put_history(0, history([0, 1, 3]))
    assert buffer.first_missing(0, START, START + 3 * MINUTE_MS) == START + 2 * MINUTE_MS
    assert buffer.first_missing(0, START, START + MINUTE_MS) is None
    assert buffer.history(0, START, START + MINUTE_MS).candles.T.tolist() == [
        list(candle(number)) for number in (0, 1)
    ]
