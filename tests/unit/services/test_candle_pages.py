"""History out of pages that may be short, torn, unsorted or wrong."""

import asyncio
import math
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.market import QUARTER_MS, CandleHistory
from exchange.limits.weight import Priority
from services.candle_pages import is_sound, read_history, sound

NOW = 1_764_547_200_000


def true_candle(open_time: int) -> tuple[float, ...]:
    price = 100.0 + open_time // QUARTER_MS % 89
    return price, price + 1, price - 1, price, 5.0


@dataclass
class Pages:
    """Serves true candles, spoiled in the ways and at the requests the test names."""

    spoils: dict[int, list[str]] = field(default_factory=dict)
    listed_since: int = 0
    holes: frozenset[int] = frozenset()
    requests: int = 0

    async def page(
        self,
        symbol: str,
        timeframe_ms: int,
        *,
        limit: int,
        start_ms: int | None = None,
        end_ms: int | None = None,
        priority: Priority = Priority.SCAN,
    ) -> CandleHistory:
        self.requests += 1
        newest = NOW if end_ms is None else end_ms
        first = max(start_ms or newest - (limit - 1) * timeframe_ms, self.listed_since)
        last = min(newest, first + (limit - 1) * timeframe_ms)
        times = [at for at in range(first, last + 1, timeframe_ms) if at not in self.holes]
        rows = [(at, true_candle(at)) for at in times]
        for spoil in self.spoils.get(self.requests, []):
            rows = spoiled(rows, spoil)
        return CandleHistory(
            symbol=symbol,
            timeframe_ms=timeframe_ms,
            open_times=np.array([at for at, _ in rows], np.int64),
            candles=np.array([candle for _, candle in rows]).reshape(-1, 5).T,
        )


Rows = list[tuple[int, tuple[float, ...]]]


def spoiled(rows: Rows, how: str) -> Rows:
    middle = len(rows) // 2
    match how:
        case "newer half":
            return rows[middle:]
        case "older half":
            return rows[:middle]
        case "hole":
            return rows[:middle] + rows[middle + 2 :]
        case "twice":
            return rows + rows[-1:]
        case "unsorted":
            return rows[::-1]
        case _:
            wrong = (math.nan, 1.0, 1.0, 1.0, 1.0)
            return [(at, wrong if number == middle else candle) for number, (at, candle) in enumerate(rows)]


def read(pages: Pages, bars: int) -> CandleHistory:
    return asyncio.run(read_history(pages, "AUSDT", QUARTER_MS, bars=bars, before_ms=NOW + 1))


def check_true(history: CandleHistory, *, first: int, flat: frozenset[int] = frozenset()) -> None:
    times = history.open_times.tolist()
    assert times == list(range(first, NOW, QUARTER_MS))
    for at, candle in zip(times, history.candles.T.tolist(), strict=True):
        if at not in flat:
            assert tuple(candle) == true_candle(at)


@given(
    bars=st.integers(1, 1600),
    spoils=st.lists(
        st.sampled_from(["newer half", "older half", "hole", "twice", "unsorted", "wrong"]), max_size=3
    ),
)
def test_whatever_one_page_suffers_the_history_comes_out_whole_and_true(bars: int, spoils: list[str]) -> None:
    history = read(Pages(spoils={1: spoils}), bars)
    check_true(history, first=NOW - bars * QUARTER_MS)


@given(
    bars=st.integers(20, 1600),
    early=st.integers(1, 5),
    spoil=st.sampled_from(["hole", "newer half", "wrong"]),
)
def test_pages_that_end_too_early_again_and_again_invent_nothing(bars: int, early: int, spoil: str) -> None:
    spoils = {1: [spoil], **{number: ["older half"] for number in range(2, early + 2)}}
    history = read(Pages(spoils=spoils), bars)
    check_true(history, first=int(history.open_times[0]))


@given(bars=st.integers(2, 600), age=st.integers(1, 599))
def test_a_young_symbol_has_what_it_has(bars: int, age: int) -> None:
    history = read(Pages(listed_since=NOW - age * QUARTER_MS), bars)
    check_true(history, first=NOW - min(bars, age) * QUARTER_MS)


def test_a_symbol_without_candles_has_an_empty_history() -> None:
    history = read(Pages(listed_since=NOW + QUARTER_MS), 500)
    assert (history.candles.shape, history.open_times.shape) == ((5, 0), (0,))


def test_whole_pages_are_asked_for_once_each() -> None:
    pages = Pages()
    read(pages, 3 * 499)
    assert pages.requests == 3


def test_where_the_exchange_has_no_candle_the_price_stood_still() -> None:
    hole = NOW - 10 * QUARTER_MS
    history = read(Pages(holes=frozenset({hole})), 20)
    check_true(history, first=NOW - 20 * QUARTER_MS, flat=frozenset({hole}))
    before = true_candle(hole - QUARTER_MS)[3]
    assert history.candles[:, 10].tolist() == [before] * 4 + [0.0]


@pytest.mark.parametrize(
    ("candle", "expected"),
    [
        ((2.0, 3.0, 1.0, 2.5, 0.0), True),
        ((2.0, 2.0, 2.0, 2.0, 7.0), True),
        ((0.0, 0.0, 0.0, 0.0, 0.0), False),
        ((2.0, 3.0, -1.0, 2.5, 1.0), False),
        ((2.0, 1.0, 3.0, 2.5, 1.0), False),
        ((4.0, 3.0, 1.0, 2.5, 1.0), False),
        ((2.0, 3.0, 1.0, 0.5, 1.0), False),
        ((2.0, 3.0, 1.0, 2.5, -1.0), False),
        ((math.nan, 3.0, 1.0, 2.5, 1.0), False),
        ((2.0, math.nan, 1.0, 2.5, 1.0), False),
        ((2.0, 3.0, math.nan, 2.5, 1.0), False),
        ((2.0, 3.0, 1.0, math.nan, 1.0), False),
        ((2.0, 3.0, 1.0, 2.5, math.nan), False),
        ((2.0, math.inf, 1.0, 2.5, 1.0), False),
    ],
)
def test_a_candle_is_sound_when_it_can_be_true(candle: tuple[float, ...], expected: bool) -> None:
    assert is_sound(candle) is expected
    assert sound(np.array(candle).reshape(5, 1)).tolist() == [expected]
