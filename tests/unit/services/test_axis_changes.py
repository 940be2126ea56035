"""The market's axis changes while it runs: those who stay notice nothing, those who come are live soon."""

import asyncio
import tracemalloc
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from core.errors import ExchangeRefused
from core.market import (
    MINUTE_MS,
    QUARTER_MS,
    AxisChanged,
    CandleHistory,
    Field,
    Floats,
    MinuteClosed,
    SymbolAxis,
)
from core.signals import Candidate
from data.candle_store import CandleStore
from exchange.limits.weight import Priority
from exchange.sim.config import DEFAULT_START_MS
from services.data_service import DataService
from services.market_intake import MarketIntake
from services.strategy_engine import StrategyEngine
from strategies.ict_smc import IctSmc
from strategies.kernel.market import MarketKernel
from strategies.kernel.parameters import KernelParameters
from tests.fakes.virtual_time import VirtualClock, run_virtually
from tests.unit.strategies.markets import START_MS, random_walk

LISTED = tuple(f"{letter}USDT" for letter in "ABCDEF")
PAST, LIVE = 600, 48
START = START_MS + PAST * MINUTE_MS
YOUNG = KernelParameters(min_bars_1m=60, min_bars_15m=20)
DEADLINE_PASSES = 3.0


@cache
def walk() -> Floats:
    """Return every candle there ever is, [minutes, 5, symbols]; nobody trades between quarters' sums."""
    return random_walk(7, minutes=PAST + LIVE, symbols=len(LISTED), deviation=0.004)


def candles_of(symbol: str, timeframe_ms: int, times: Iterable[int]) -> CandleHistory:
    wanted = np.array(list(times), np.int64)
    rows = walk()[:, :, LISTED.index(symbol)]
    if timeframe_ms == QUARTER_MS:
        rows = _quarters(rows)
    numbers = (wanted - START_MS) // timeframe_ms
    return CandleHistory(
        symbol=symbol,
        timeframe_ms=timeframe_ms,
        open_times=wanted,
        candles=np.ascontiguousarray(rows[numbers].T).reshape(5, -1),
    )


def _quarters(rows: Floats) -> Floats:
    parts = rows[: len(rows) // 15 * 15].reshape(-1, 15, 5)
    ends = parts[:, 0, 0], parts[:, :, 1].max(1), parts[:, :, 2].min(1), parts[:, -1, 3]
    return np.stack([*ends, parts[:, :, 4].sum(1)], axis=1)


@dataclass
class Exchange:
    """Serves the walk's candles in pages, and streams those of whoever is subscribed."""

    clock: VirtualClock
    delay: float = 0.05
    refused: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    symbols: tuple[str, ...] = ()
    streaming: set[str] = field(default_factory=set)
    forming: int = START
    sink: MarketIntake = field(init=False)
    service: DataService = field(init=False)

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
        self.asked.append(symbol)
        newest = self.forming if end_ms is None else min(end_ms, self.forming)
        await self.clock.sleep(self.delay)
        if symbol in self.refused:
            raise ExchangeRefused(-1121, "no such symbol")
        first = max(start_ms or newest - (limit - 1) * timeframe_ms, START_MS)
        last = min(newest, first + (limit - 1) * timeframe_ms, START + (LIVE - 1) * MINUTE_MS)
        return candles_of(symbol, timeframe_ms, range(first, last + 1, timeframe_ms))

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def subscribed(self) -> None:
        self.streaming = set(self.symbols)

    def renew(self, symbols: Sequence[str]) -> None: ...

    def follow(self, symbols: Sequence[str]) -> None:
        self.symbols = tuple(symbols)
        self.streaming &= set(symbols)

    def subscribes(self) -> None:
        """Confirm whoever is new, as a connection does a moment later."""
        fresh = [index for index, symbol in enumerate(self.symbols) if symbol not in self.streaming]
        self.streaming.update(self.symbols)
        self.sink.on_candles_resumed(fresh)

    def minute(self, number: int, *, lost: Iterable[str] = ()) -> None:
        """Stream a minute: marks, books and closed candles, but for those that are ``lost``."""
        open_time = START + number * MINUTE_MS
        self.forming = open_time + MINUTE_MS
        row = walk()[PAST + number]
        at = open_time + MINUTE_MS
        candles = {symbol: tuple(row[:, LISTED.index(symbol)].tolist()) for symbol in self.symbols}
        for index, (_, _, _, close, volume) in enumerate(candles.values()):
            self.sink.on_mark(index, close, 0.0001, at=at)
            self.sink.on_book(index, close * 0.9999, close * 1.0001)
            self.sink.on_volume(index, volume * 1e6)
        for index, (symbol, candle) in enumerate(candles.items()):
            if symbol in self.streaming and symbol not in lost:
                self.sink.on_candle(index, open_time, candle, closed=True, at=at)


@dataclass
class Listener:
    """Does what the trader does with the market's news, and keeps what it decided on."""

    axis: SymbolAxis
    minutes: list[MinuteClosed] = field(default_factory=list)
    told: dict[str, list[int]] = field(default_factory=dict)
    candidates: list[Candidate] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.kernel = MarketKernel(self.axis.names, YOUNG)
        self.engine = StrategyEngine(self.axis, [IctSmc()], self.kernel)
        self.store = CandleStore(self.axis, minutes=PAST)

    def change(self, event: AxisChanged) -> None:
        self.told = {symbol: told for symbol, told in self.told.items() if symbol in event.axis}
        self.axis = event.axis
        self.engine.arrange(event.axis)
        self.store.arrange(event.axis)

    def learn(self, history: CandleHistory) -> None:
        self.engine.warm_up(history)
        self.store.load(history)
        if history.timeframe_ms == MINUTE_MS:
            self.told.setdefault(history.symbol, []).extend(history.open_times.tolist())

    def take(self, minute: MinuteClosed) -> None:
        assert minute.axis == self.axis, "a minute on another axis than the one told of"
        self.minutes.append(minute)
        self.store.append(minute)
        self.candidates.extend(self.engine.on_minute(minute))
        for index in np.flatnonzero(minute.present).tolist():
            self.told.setdefault(minute.symbols[index], []).append(minute.open_time)

    def decisions(self, symbol: str) -> list[Candidate]:
        return [each for each in self.candidates if each.symbol == symbol]

    def columns(self, symbol: str) -> list[list[float]]:
        """Return everything that the minutes told of a symbol."""
        seen = []
        for minute in self.minutes:
            index, context = minute.index_of(symbol), minute.context
            beside = context.bid, context.ask, context.mark, context.funding_rate, context.quote_volume_24h
            values = [float(each[index]) for each in beside]
            seen.append([minute.open_time, *minute.row[:, index].tolist(), *values])
        return seen


@asynccontextmanager
async def following(symbols: Iterable[str], **exchange: Any) -> AsyncIterator[tuple[Exchange, Listener]]:
    clock = VirtualClock(offset_ms=START - DEFAULT_START_MS)  # else all streams seem silent
    axis, venue = SymbolAxis.of(symbols), Exchange(clock, **exchange)
    venue.follow(axis.names)
    listener = Listener(axis)

    def streams(sink: MarketIntake) -> Exchange:
        venue.sink = sink
        return venue

    venue.service = service = DataService(
        axis, venue, streams=streams, clock=clock, on_history=listener.learn, on_axis=listener.change
    )
    service.start()

    async def listen() -> None:
        async for minute in service.minutes():
            listener.take(minute)

    listening = asyncio.create_task(listen())
    try:
        await clock.sleep(0.01)
        venue.sink.on_mark(0, 100.0, 0.0, at=START)
        await clock.sleep(5)
        yield venue, listener
        await clock.sleep(0.01)
        if listening.done():
            listening.result()
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await service.close()


async def live(venue: Exchange, number: int, *, lost: Iterable[str] = ()) -> None:
    """Let one minute pass, deadline included."""
    venue.minute(number, lost=lost)
    await venue.clock.sleep(DEADLINE_PASSES)
    venue.subscribes()
    await venue.clock.sleep(1)


def lived(
    first: Sequence[str], changes: dict[int, Sequence[str]], *, lost: dict[int, set[str]] | None = None
) -> Listener:
    """Follow the market to its end; ``changes`` and ``lost`` candles by minute."""

    async def story() -> Listener:
        async with following(first) as (venue, listener):
            for number in range(LIVE):
                if number in changes:
                    venue.service.follow(changes[number])
                await live(venue, number, lost=(lost or {}).get(number, ()))
        return listener

    return run_virtually(story())


KEPT = LISTED[1], LISTED[4]
others = st.sets(st.sampled_from([symbol for symbol in LISTED if symbol not in KEPT]))
minutes = st.integers(0, LIVE - 4)


@settings(max_examples=20, deadline=None)
@example(first={LISTED[0], LISTED[2]}, changes={}, lost={0: {LISTED[2]}})
@given(
    first=others,
    changes=st.dictionaries(minutes, others, max_size=6),
    lost=st.dictionaries(minutes, st.sets(st.sampled_from(LISTED[2:]), max_size=3), max_size=4),
)
def test_who_stays_is_read_as_if_nobody_had_come_or_gone(
    first: set[str], changes: dict[int, set[str]], lost: dict[int, set[str]]
) -> None:
    # A minute that waits for a newcomer's lost candle has in it what others' gaps were filled with meanwhile.
    assume(not any(KEPT[1] in who and lost.get(at + 1, set()) - {KEPT[1]} for at, who in lost.items()))
    moving = lived((*KEPT, *first), {at: (*KEPT, *who) for at, who in changes.items()}, lost=lost)
    still = lived(KEPT, {}, lost=lost)
    assert [minute.open_time for minute in moving.minutes] == [minute.open_time for minute in still.minutes]
    for symbol in KEPT:
        here, there = moving.axis.index_of(symbol), still.axis.index_of(symbol)
        assert moving.kernel.minute[here] == still.kernel.minute[there]
        assert moving.kernel.quarter[here] == still.kernel.quarter[there]
        assert moving.kernel.state.forming[here] == still.kernel.state.forming[there]
        assert moving.decisions(symbol) == still.decisions(symbol)
        assert np.array_equal(moving.columns(symbol), still.columns(symbol), equal_nan=True)
        for ours, theirs in zip(
            moving.store.recent_1m(symbol, PAST), still.store.recent_1m(symbol, PAST), strict=True
        ):
            assert np.array_equal(ours, theirs, equal_nan=True)
        assert np.array_equal(
            moving.store.closes_15m(symbol, 60), still.store.closes_15m(symbol, 60), equal_nan=True
        )


@settings(max_examples=20, deadline=None)
@given(first=others, changes=st.dictionaries(minutes, others, max_size=8))
def test_whoever_is_followed_at_the_end_knows_every_candle_once_and_in_order(
    first: set[str], changes: dict[int, set[str]]
) -> None:
    heard = lived((*KEPT, *first), {at: (*KEPT, *who) for at, who in changes.items()})
    newest = START + (LIVE - 1) * MINUTE_MS
    assert heard.minutes[-1].present.all()
    assert heard.told.keys() == set(heard.axis.names)
    for symbol in heard.axis.names:
        told = heard.told[symbol]
        assert told == list(range(told[0], newest + 1, MINUTE_MS))
        assert len(told) >= 499
        times, candles = heard.store.recent_1m(symbol, 400)
        assert np.array_equal(candles, candles_of(symbol, MINUTE_MS, times).candles)
        assert heard.engine.structure(symbol) is not None


def test_the_market_of_these_tests_is_worth_deciding_on() -> None:
    heard = lived(LISTED, {})
    assert {symbol for symbol in LISTED if heard.decisions(symbol)}


def test_who_comes_is_live_within_two_minutes() -> None:
    heard = lived(KEPT, {10: LISTED})
    before, after = heard.minutes[9], heard.minutes[12]
    assert before.symbols == KEPT
    assert after.symbols == LISTED
    assert after.present.all()


def test_who_leaves_holds_up_no_minute() -> None:
    async def story() -> None:
        async with following(LISTED) as (venue, listener):
            await live(venue, 0)
            venue.streaming.discard("AUSDT")
            venue.minute(1)
            await venue.clock.sleep(0.1)
            assert len(listener.minutes) == 1, "its candle is waited for"
            venue.service.follow(LISTED[1:])
            await venue.clock.sleep(0.001)
            assert len(listener.minutes) == 2
            assert listener.minutes[-1].symbols == LISTED[1:]
            assert listener.minutes[-1].present.all()

    run_virtually(story())


def test_what_comes_for_somebody_who_has_left_is_nobodys() -> None:
    async def story() -> None:
        async with following(KEPT, delay=0.5) as (venue, listener):
            await live(venue, 0)
            venue.service.follow(LISTED)
            venue.subscribes()
            await venue.clock.sleep(0.2)
            venue.service.follow(KEPT)
            await venue.clock.sleep(30)
            await live(venue, 1)
            assert listener.told.keys() == set(KEPT)
            assert venue.service.live == len(KEPT)

    run_virtually(story())


def test_who_leaves_and_returns_while_it_is_fetched_is_told_of_once() -> None:
    async def story() -> None:
        async with following(KEPT, delay=0.5) as (venue, listener):
            await live(venue, 0)
            for followed in (LISTED, KEPT, LISTED):
                venue.service.follow(followed)
                venue.subscribes()
                await venue.clock.sleep(0.7)
            await venue.clock.sleep(10)
            for number in range(1, 4):
                await live(venue, number)
            for symbol in LISTED:
                told = listener.told[symbol]
                assert told == list(range(told[0], START + 3 * MINUTE_MS + 1, MINUTE_MS))

    run_virtually(story())


def test_a_contract_that_has_not_traded_yet_joins_with_its_first_candles(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story() -> None:
        async with following(KEPT) as (venue, listener):
            born = START + 4 * MINUTE_MS
            page = venue.page

            async def young(symbol: str, timeframe_ms: int, **asked: Any) -> CandleHistory:
                told = await page(symbol, timeframe_ms, **asked)
                lived = told.open_times >= (0 if symbol in KEPT else born)
                return CandleHistory(
                    symbol=symbol,
                    timeframe_ms=timeframe_ms,
                    open_times=told.open_times[lived],
                    candles=told.candles[:, lived],
                )

            monkeypatch.setattr(venue, "page", young)
            await live(venue, 0)
            venue.service.follow((*KEPT, "CUSDT"))
            for number in range(1, 9):
                await live(venue, number, lost=() if number >= 4 else ("CUSDT",))
            assert listener.told["CUSDT"] == list(range(born, START + 8 * MINUTE_MS + 1, MINUTE_MS))
            assert listener.minutes[-1].present.all()
            assert listener.engine.structure("CUSDT") is None, "its history is too short to trade on"
            index = listener.axis.index_of("CUSDT")
            assert listener.kernel.minute.bars[index] == 5

    run_virtually(story())


def test_a_contract_whose_history_is_refused_holds_up_nobody_and_is_forgotten_when_it_leaves() -> None:
    async def story() -> None:
        async with following(KEPT, refused={"CUSDT"}) as (venue, listener):
            venue.service.follow((*KEPT, "CUSDT"))
            for number in range(3):
                await live(venue, number)
            assert listener.minutes[-1].present.tolist() == [True, False, True]
            assert set(venue.service.excluded) == {"CUSDT"}
            venue.service.follow(KEPT)
            assert set(venue.service.excluded) == set()

    run_virtually(story())


def test_memory_does_not_grow_with_changes() -> None:
    async def story() -> int:
        async with following(KEPT) as (venue, listener):

            async def change(times: int) -> None:
                for _ in range(times):
                    for followed in (LISTED, KEPT):
                        venue.service.follow(followed)
                        venue.subscribes()
                        await venue.clock.sleep(1)
                venue.asked.clear()
                listener.told.clear()

            await live(venue, 0)
            tracemalloc.start()
            await change(5)
            before = tracemalloc.get_traced_memory()[0]
            await change(20)
            return tracemalloc.get_traced_memory()[0] - before

    try:
        assert run_virtually(story()) < 60_000, "one candle buffer of a symbol alone takes 24,000"
    finally:
        tracemalloc.stop()


@given(steps=st.lists(st.sets(st.sampled_from(LISTED)), min_size=1, max_size=6))
def test_moves_carry_each_column_along_and_blank_the_new(steps: list[set[str]]) -> None:
    axis = SymbolAxis.of(LISTED)
    values: Floats = np.arange(3.0 * len(LISTED)).reshape(3, -1)
    known = {symbol: values[:, place].tolist() for place, symbol in enumerate(axis.names)}
    for symbols in steps:
        moved = SymbolAxis.of(symbols)
        values = axis.moves_to(moved).of(values, np.nan)
        known = {symbol: known.get(symbol, [np.nan] * 3) for symbol in moved.names}
        axis = moved
        assert values.shape == (3, len(axis))
        for place, symbol in enumerate(axis.names):
            assert np.array_equal(values[:, place], known[symbol], equal_nan=True)


def test_the_same_symbols_are_the_same_axis_however_they_come() -> None:
    assert SymbolAxis.of(reversed(LISTED)) == SymbolAxis.of((*LISTED, LISTED[0])) == SymbolAxis(LISTED)
    assert "AUSDT" in SymbolAxis(LISTED)
    assert "XUSDT" not in SymbolAxis(LISTED)


def test_a_store_knows_nothing_of_who_is_not_followed() -> None:
    store = CandleStore(SymbolAxis(LISTED), minutes=20)
    store.load(candles_of("AUSDT", MINUTE_MS, [START]))
    store.arrange(SymbolAxis(LISTED[1:]))
    assert store.snapshot_1m("AUSDT", 20).shape == (5, 0)
    assert np.isnan(store.recent_1m("AUSDT", 20)[1]).all()
    assert np.isnan(store.closes_15m("AUSDT", 5)).all()
    store.arrange(SymbolAxis(LISTED))
    assert not store.snapshot_1m("AUSDT", 20)[Field.CLOSE].size
