"""The data service between a market that is slow, late or broken, and a trader that wants whole minutes."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from core.errors import ExchangeRefused, ExchangeUnavailable
from core.market import MINUTE_MS, QUARTER_MS, CandleHistory, Field, MinuteClosed, SymbolAxis
from exchange.limits.weight import Priority
from services.bootstrap import BootstrapProgress
from services.data_service import DataService
from tests.fakes.virtual_time import VirtualClock, run_virtually

AXIS = SymbolAxis(("AUSDT", "BUSDT", "CUSDT"))
START = 1_764_547_200_000 + 300 * QUARTER_MS  # a whole quarter of an hour


def candle(index: int, open_time: int) -> tuple[float, float, float, float, float]:
    """Make the one true candle of a symbol and minute."""
    price = 100.0 + index + (open_time // MINUTE_MS) % 997
    return price, price + 2, price - 2, price + 1, 10.0


@dataclass
class FakeMarket:
    """Knows every candle: serves them in pages, and in streams as the test says."""

    clock: VirtualClock
    listed_since: int = 0
    holes: set[tuple[str, int]] = field(default_factory=set)
    delays: dict[str, float] = field(default_factory=dict)
    faults: dict[str, list[Exception]] = field(default_factory=dict)
    forming: int = START
    pages: list[tuple[str, int, int, Priority]] = field(default_factory=list)
    sink: DataService | None = None
    followed: list[tuple[str, ...]] = field(default_factory=list)
    broken: asyncio.Event = field(default_factory=asyncio.Event)

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
        self.pages.append((symbol, timeframe_ms, limit, priority))
        await self.clock.sleep(self.delays.get(symbol, 0.05))
        if self.faults.get(symbol):
            raise self.faults[symbol].pop(0)
        newest = self.forming if end_ms is None else end_ms
        first = max(start_ms or newest - (limit - 1) * timeframe_ms, self.listed_since)
        end_ms = min(newest, first + (limit - 1) * timeframe_ms)
        times = [at for at in range(first, end_ms + 1, timeframe_ms) if (symbol, at) not in self.holes]
        index = AXIS.index_of(symbol)
        assert index is not None
        candles = np.array([candle(index, at) for at in times]).reshape(-1, 5).T
        return CandleHistory(
            symbol=symbol, timeframe_ms=timeframe_ms, open_times=np.array(times, np.int64), candles=candles
        )

    async def run(self) -> None:
        await self.broken.wait()
        raise RuntimeError("a mistake in the streams")

    async def subscribed(self) -> None: ...

    def follow(self, symbols: Sequence[str]) -> None:
        self.followed.append(tuple(symbols))

    def closes(self, minute: int, *indices: int) -> None:
        """Stream closed candles of the minute ``minute`` after START."""
        assert self.sink is not None
        open_time = START + minute * MINUTE_MS
        self.forming = max(self.forming, open_time + MINUTE_MS)
        for index in indices or range(len(AXIS)):
            self.sink.on_candle(
                index, open_time, candle(index, open_time), closed=True, at=open_time + MINUTE_MS
            )

    def breathes(self, at: int = START) -> None:
        """Stream a mark price, which tells what time it is."""
        assert self.sink is not None
        self.sink.on_mark(0, 100.0, 0.0001, at=at)


@dataclass
class Heard:
    """What a trader got to know, in order; checks that it may rely on it."""

    events: list[MinuteClosed | CandleHistory] = field(default_factory=list)
    progress: list[BootstrapProgress] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)

    @property
    def minutes(self) -> list[MinuteClosed]:
        return [event for event in self.events if isinstance(event, MinuteClosed)]

    @property
    def histories(self) -> list[CandleHistory]:
        return [event for event in self.events if isinstance(event, CandleHistory)]

    def present(self) -> list[tuple[int, list[bool]]]:
        return [((m.open_time - START) // MINUTE_MS, m.present.tolist()) for m in self.minutes]

    def candles_of(self, index: int) -> dict[int, float]:
        """Apply histories and minutes in order; fails on a gap, a repetition or a wrong candle."""
        known: dict[int, float] = {}
        for event in self.events:
            for at, close in _closes(event, index):
                assert not known or at == max(known) + MINUTE_MS, "a gap, or a candle twice"
                assert close == candle(index, at)[Field.CLOSE]
                known[at] = close
        return known


def _closes(event: MinuteClosed | CandleHistory, index: int) -> list[tuple[int, float]]:
    if isinstance(event, MinuteClosed):
        close = float(event.row[Field.CLOSE, index])
        assert event.present[index] != np.isnan(close)
        return [(event.open_time, close)] if event.present[index] else []
    if event.symbol != AXIS.names[index] or event.timeframe_ms != MINUTE_MS:
        return []
    return list(zip(event.open_times.tolist(), event.candles[Field.CLOSE].tolist(), strict=True))


Story = Callable[[FakeMarket, Heard, VirtualClock], Coroutine[Any, Any, None]]


def played(story: Story, **market: Any) -> Heard:
    """Let a trader listen while ``story`` happens to the market."""

    async def play() -> Heard:
        clock = VirtualClock()
        fake, heard = FakeMarket(clock, **market), Heard()

        def streams(sink: DataService) -> FakeMarket:
            fake.sink = sink
            return fake

        service = DataService(
            AXIS,
            fake,
            streams=streams,
            clock=clock,
            on_history=heard.events.append,
            on_progress=heard.progress.append,
        )
        service.start()

        async def listen() -> None:
            try:
                async for minute in service.minutes():
                    heard.events.append(minute)
            except ExceptionGroup as fault:
                heard.faults.extend(fault.exceptions)

        listening = asyncio.create_task(listen())
        await clock.sleep(0.01)
        await story(fake, heard, clock)
        await clock.sleep(0.01)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await service.close()
        return heard

    return run_virtually(play())


async def warmed(market: FakeMarket, clock: VirtualClock) -> None:
    market.breathes()
    await clock.sleep(1)


def test_histories_come_before_the_first_minute_and_join_it_without_a_gap() -> None:
    async def story(market: FakeMarket, _: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        market.closes(0)
        market.closes(1)

    heard = played(story)
    assert heard.present() == [(0, [True] * 3), (1, [True] * 3)]
    for index in range(3):
        known = heard.candles_of(index)
        assert len(known) == 499 + 2
        assert max(known) == START + MINUTE_MS
    quarters = [each for each in heard.histories if each.timeframe_ms == QUARTER_MS]
    assert [each.candles.shape for each in quarters] == [(5, 1497)] * 3
    assert all(each.open_times[-1] == START - QUARTER_MS for each in quarters)


def test_a_symbol_costs_three_pages_of_15m_and_one_of_1m() -> None:
    async def story(market: FakeMarket, _: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        of_a = [(timeframe, limit) for symbol, timeframe, limit, _ in market.pages if symbol == "AUSDT"]
        assert of_a == [(QUARTER_MS, 499)] * 3 + [(MINUTE_MS, 499)]

    heard = played(story)
    assert heard.progress[-1].done == heard.progress[-1].total == 3


def test_that_a_symbol_is_young_is_believed_when_there_is_no_older_page() -> None:
    async def story(market: FakeMarket, _: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        assert len([page for page in market.pages if page[0] == "AUSDT"]) == 3

    played(story, listed_since=START - 100 * QUARTER_MS)


def test_minutes_that_close_while_history_is_fetched_are_not_lost() -> None:
    async def story(market: FakeMarket, heard: Heard, clock: VirtualClock) -> None:
        market.breathes()
        await clock.sleep(0.1)
        market.closes(0)
        await clock.sleep(0.4)
        market.closes(1)
        await clock.sleep(10)
        assert heard.present() == [(1, [True, True, False])]
        market.closes(2)

    heard = played(story, delays={"CUSDT": 2.0})
    assert heard.present()[-1] == (2, [True, True, True])
    assert all(max(heard.candles_of(index)) == START + 2 * MINUTE_MS for index in range(3))


def test_a_minute_leaves_with_its_last_candle_and_not_before() -> None:
    async def story(market: FakeMarket, heard: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        market.closes(0, 0, 2)
        await clock.sleep(2.4)
        assert heard.minutes == []
        market.closes(0, 1)

    assert played(story).present() == [(0, [True] * 3)]


def test_nobody_waits_longer_than_the_deadline_and_the_absent_are_named() -> None:
    async def story(market: FakeMarket, heard: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        market.closes(0, 0, 2)
        await clock.sleep(2.6)
        assert heard.present() == [(0, [True, False, True])]
        market.closes(1, 0, 2)
        await clock.sleep(0)

    assert played(story).present()[-1] == (1, [True, False, True])


def test_a_late_candle_is_handed_out_before_its_symbol_returns() -> None:
    async def story(market: FakeMarket, _: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        market.closes(0, 0, 2)
        await clock.sleep(3)
        market.closes(0, 1)
        market.closes(1)

    heard = played(story)
    assert heard.present() == [(0, [True, False, True]), (1, [True] * 3)]
    assert max(heard.candles_of(1)) == START + MINUTE_MS


def test_a_candle_the_stream_skipped_is_fetched_by_a_small_page() -> None:
    async def story(market: FakeMarket, _: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        market.closes(0, 0, 2)
        await clock.sleep(3)
        market.closes(1)
        await clock.sleep(1)
        market.closes(2)
        assert market.pages[-1] == ("BUSDT", MINUTE_MS, 99, Priority.GAP)

    heard = played(story)
    assert heard.present()[-1] == (2, [True] * 3)
    assert max(heard.candles_of(1)) == START + 2 * MINUTE_MS


def test_a_minute_the_exchange_has_no_candle_of_is_one_where_price_stood_still() -> None:
    async def story(market: FakeMarket, _: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        market.closes(0, 0, 2)
        await clock.sleep(3)
        market.closes(1)
        await clock.sleep(1)
        market.closes(2)

    heard = played(story, holes={("BUSDT", START)})
    repair = heard.histories[-1]
    before = candle(1, START - MINUTE_MS)[Field.CLOSE]
    assert repair.symbol == "BUSDT"
    assert repair.candles[:, 0].tolist() == [before, before, before, before, 0.0]
    assert heard.present()[-1] == (2, [True] * 3)


def test_a_candle_the_exchange_does_not_show_yet_is_waited_for_and_not_invented() -> None:
    async def story(market: FakeMarket, heard: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        market.closes(0, 0, 2)
        await clock.sleep(3)
        market.forming = START - MINUTE_MS
        assert market.sink is not None
        before = len(market.pages)
        market.sink.on_candles_resumed([1])
        await clock.sleep(1)
        assert len(market.pages) == before + 1
        market.closes(1)
        await clock.sleep(1)
        market.closes(2)

    heard = played(story)
    assert heard.present()[-1] == (2, [True] * 3)
    assert max(heard.candles_of(1)) == START + 2 * MINUTE_MS


def test_a_dead_symbol_delays_one_minute_and_no_other() -> None:
    async def story(market: FakeMarket, heard: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        market.closes(0, 0, 2)
        await clock.sleep(3)
        for minute in range(1, 5):
            market.closes(minute, 0, 2)
            await clock.sleep(0.01)
            assert len(heard.minutes) == minute + 1

    played(story)


def test_an_outage_of_everything_skips_no_minute_and_heals() -> None:
    async def story(market: FakeMarket, _: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        market.closes(0)
        await clock.sleep(1)
        market.closes(7)
        await clock.sleep(4)
        market.closes(8)
        await clock.sleep(1)
        market.closes(9)

    heard = played(story)
    assert [number for number, _ in heard.present()] == list(range(10))
    assert heard.present()[-1] == (9, [True] * 3)
    assert all(max(heard.candles_of(index)) == START + 9 * MINUTE_MS for index in range(3))


def test_a_symbol_without_history_is_left_out_with_the_reason_and_holds_up_nobody() -> None:
    async def story(market: FakeMarket, _: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        market.closes(0)
        assert market.sink is not None
        assert market.sink.excluded == {"BUSDT": "gone (code -1121)"}

    heard = played(story, faults={"BUSDT": [ExchangeRefused(-1121, "gone")] * 3})
    assert heard.present() == [(0, [True, False, True])]
    assert (heard.progress[-1].done, heard.progress[-1].failed) == (2, 1)


def test_a_symbol_that_fails_once_is_tried_again() -> None:
    async def story(market: FakeMarket, _: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        market.closes(0)

    heard = played(story, faults={"BUSDT": [ExchangeUnavailable("silence")]})
    assert heard.present() == [(0, [True] * 3)]


def test_a_forming_candle_and_one_from_the_future_decide_nothing() -> None:
    async def story(market: FakeMarket, heard: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        assert market.sink is not None
        for index in range(3):
            market.sink.on_candle(index, START, candle(index, START), closed=False, at=START + 1)
        far = START + 10**6 * MINUTE_MS
        market.sink.on_candle(0, far, candle(0, far), closed=True, at=START + 1)
        await clock.sleep(10)
        assert heard.minutes == []

    played(story)


def test_the_context_of_a_minute_is_a_copy_of_that_moment() -> None:
    async def story(market: FakeMarket, _: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        assert market.sink is not None
        market.sink.on_book(1, 99.0, 101.0)
        market.sink.on_volume(1, 7e6)
        market.closes(0)
        market.sink.on_book(1, 1.0, 2.0)

    (minute,) = played(story).minutes
    assert (minute.context.bid[1], minute.context.ask[1]) == (99.0, 101.0)
    assert minute.context.quote_volume_24h[1] == 7e6
    assert minute.context.mark[0] == 100.0
    assert np.isnan(minute.context.bid[0])


@pytest.mark.fault(90)
def test_a_mistake_inside_ends_the_minutes_loudly() -> None:
    async def story(market: FakeMarket, _: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        market.broken.set()
        await clock.sleep(0.1)

    (fault,) = played(story).faults
    assert "a mistake in the streams" in str(fault)


def test_a_gap_longer_than_memory_means_a_fresh_history() -> None:
    async def story(market: FakeMarket, _: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        market.closes(0, 0, 2)
        await clock.sleep(3)
        for minute in range(1, 700):
            market.closes(minute, 0, 2)
        market.closes(700)
        await clock.sleep(1)
        market.closes(701)

    heard = played(story)
    assert heard.present()[-1] == (701, [True] * 3)
    fresh = heard.histories[-1]
    assert (fresh.symbol, fresh.timeframe_ms, len(fresh.open_times)) == ("BUSDT", MINUTE_MS, 499)


def test_after_a_reconnect_gaps_are_fetched_without_waiting_for_the_next_candle() -> None:
    async def story(market: FakeMarket, _: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        assert market.sink is not None
        market.closes(0, 0, 2)
        await clock.sleep(3)
        market.sink.on_candles_resumed([1])
        await clock.sleep(1)
        market.closes(1)

    heard = played(story)
    assert heard.present() == [(0, [True, False, True]), (1, [True] * 3)]
    assert max(heard.candles_of(1)) == START + MINUTE_MS


def test_what_is_known_of_a_lost_stream_is_forgotten() -> None:
    async def story(market: FakeMarket, _: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        assert market.sink is not None
        market.sink.on_book(0, 99.0, 101.0)
        market.sink.on_books_lost()
        market.sink.on_marks_lost()
        market.closes(0)

    context = played(story).minutes[0].context
    assert np.isnan([context.bid[0], context.ask[0], context.mark[0], context.funding_rate[0]]).all()


def test_a_candle_that_can_not_be_true_is_fetched_instead() -> None:
    async def story(market: FakeMarket, _: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        assert market.sink is not None
        market.closes(0, 0, 2)
        crossed = (100.0, 90.0, 95.0, 99.0, 1.0)
        market.sink.on_candle(1, START, crossed, closed=True, at=START + MINUTE_MS)
        await clock.sleep(3)
        market.closes(1)
        await clock.sleep(1)
        market.closes(2)

    heard = played(story)
    assert heard.present()[0] == (0, [True, False, True])
    assert heard.present()[-1] == (2, [True] * 3)
    assert max(heard.candles_of(1)) == START + 2 * MINUTE_MS


def test_a_candle_told_twice_or_revised_later_changes_nothing_that_is_known() -> None:
    async def story(market: FakeMarket, _: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        assert market.sink is not None
        market.closes(0)
        market.closes(0)
        market.sink.on_candle(1, START, (1.0, 2.0, 1.0, 2.0, 1.0), closed=True, at=START + MINUTE_MS)
        market.closes(1)

    heard = played(story)
    assert heard.present() == [(0, [True] * 3), (1, [True] * 3)]
    assert max(heard.candles_of(1)) == START + MINUTE_MS


def test_a_symbol_whose_candles_proved_wrong_is_fetched_anew_and_absent_until_then() -> None:
    async def story(market: FakeMarket, heard: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        market.closes(0)
        await clock.sleep(0.01)
        market.delays["BUSDT"] = 1.0
        assert market.sink is not None
        market.sink.distrust("BUSDT")
        market.sink.distrust("BUSDT")
        market.closes(1)
        await clock.sleep(5)
        market.closes(2)

    heard = played(story)
    assert heard.present()[-2:] == [(1, [True, False, True]), (2, [True, True, True])]
    again = [history for history in heard.histories if history.starts_over]
    assert [(each.symbol, each.timeframe_ms) for each in again] == [("BUSDT", QUARTER_MS)]
    anew = heard.histories[-1]
    assert (anew.symbol, anew.timeframe_ms) == ("BUSDT", MINUTE_MS)
    assert anew.open_times[-1] == START + MINUTE_MS
