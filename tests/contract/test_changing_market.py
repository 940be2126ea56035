"""Contracts come and go on the exchange while a trader runs on it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

from core.market import DAY_MS, MINUTE_MS, AxisChanged, CandleHistory, Field, MinuteClosed, SymbolAxis
from core.notices import Alert, Notice, PositionEnded, SignalRefused
from core.parameters import Parameters, UniverseParameters
from core.positions import ExitReason, Position, Stage
from core.signals import Candidate
from core.universe import tradable
from data.candle_archive import CandleArchive
from data.candle_store import CandleStore
from exchange.paper import PaperExchange
from services.archived_candles import ArchivedCandles
from services.archivist import Archivist
from services.bookkeeping import Bookkeeper
from services.books import Venues
from services.candle_pages import CandleReader
from services.data_service import DataService
from services.execution import ExecutionService
from services.notifiers import Notifiers
from services.risk_desk import RiskDesk
from services.session import Inbox, MinuteSource, Session
from services.strategy_engine import StrategyEngine
from services.trader import Trader
from services.universe import Universe
from strategies.kernel.market import MarketKernel
from tests.builders import candidate
from tests.builders_trader import Shelf
from tests.contract.binance_rig import PATIENCE, Rig, rig
from tests.contract.test_archived_market import at_once
from tests.contract.virtual_rig import VirtualRig, virtual_rig
from tests.fakes.journal import MemoryJournal
from tests.fakes.virtual_time import run_virtually

A_DAY = DAY_MS // MINUTE_MS
ANY_MARKET = UniverseParameters(max_spread=1.0, min_quote_volume_24h=0.0, min_trigger_protect=Decimal(0))
UNTIL_DELIVERY = replace(ANY_MARKET, delivery_guard_ms=0)


class Wishing(StrategyEngine):
    """The engine, and beside it somebody who wants certain symbols."""

    def __init__(self, axis: SymbolAxis) -> None:
        super().__init__(axis, (), MarketKernel(axis.names))
        self.wishes: set[str] = set()
        self.minutes: list[MinuteClosed] = []

    def on_minute(self, minute: MinuteClosed) -> Sequence[Candidate]:
        self.minutes.append(minute)
        found = super().on_minute(minute)
        wanted = [symbol for symbol in sorted(self.wishes) if minute.candle(symbol)]
        return [*found, *(self._candidate(symbol, minute) for symbol in wanted)]

    def structure(self, symbol: str) -> None:
        """Say nothing that would make a monitor close."""

    def _candidate(self, symbol: str, minute: MinuteClosed) -> Candidate:
        index = minute.index_of(symbol)
        price = float(minute.row[Field.CLOSE, index])
        return candidate(symbol, at=minute.at, price=price, stop_distance=0.02, confidence=90.0)


@dataclass
class Ear:
    """People, listening."""

    heard: list[Notice] = field(default_factory=list)

    def notify(self, notice: Notice) -> None:
        self.heard.append(notice)


@dataclass
class Life:
    """A trader at work on a simulated exchange, and what a test may ask of it."""

    venue: VirtualRig
    trader: Trader
    data: DataService
    universe: Universe
    engine: Wishing
    ear: Ear

    @property
    def minutes(self) -> list[MinuteClosed]:
        return self.engine.minutes

    async def until(self, happened: Callable[[], object], *, minutes: float = 5) -> None:
        async with asyncio.timeout(minutes * 60):
            while not happened():
                await self.venue.clock.sleep(0.1)

    async def until_minute(self, number: float) -> None:
        """Wait until the market is so many minutes old."""
        market, time = self.venue.simulator.market, self.venue.simulator.time
        await self.until(lambda: market.now_ms >= time.started_ms + number * MINUTE_MS, minutes=number + 1)

    def is_present(self, symbol: str) -> bool:
        minute = self.minutes[-1]
        index = minute.index_of(symbol)
        return index is not None and bool(minute.present[index])

    def open_in(self, symbol: str) -> list[Position]:
        """Return the protected real position of a symbol, if there is one."""
        real = (each.position for each in self.trader.view().real)
        return [each for each in real if each.symbol == symbol and each.stage is Stage.OPEN]

    def alerts(self, key: str) -> list[Alert]:
        return [each for each in self.ear.heard if isinstance(each, Alert) and each.key == key]

    def check_minutes(self, *, late: int = 0) -> None:
        """Each minute came once and in order, and all but so many of them at once."""
        times = [minute.open_time for minute in self.minutes]
        assert times == list(range(times[0], times[-1] + 1, MINUTE_MS))
        delays = [minute.seen_at - minute.at for minute in self.minutes]
        assert sum(delay > 1000 for delay in delays) <= late
        assert max(delays) < 3500


def market_of(
    venue: VirtualRig, axis: SymbolAxis, inbox: Inbox, archive: CandleArchive | None
) -> tuple[DataService, MinuteSource]:
    """Make the market's news, and the minutes, written down where there is an archive."""
    hear: Callable[[CandleHistory | AxisChanged], None] = inbox.post
    candles: CandleReader = venue.connection.candles
    archivist = None
    if archive is not None:
        shelf = archive.newest(venue.clock.market_ms())
        archivist, candles = Archivist(archive, shelf, beside=at_once), ArchivedCandles(candles, shelf)
    data = DataService(
        axis,
        candles,
        streams=lambda sink: venue.connection.market_streams(axis.names, sink),
        clock=venue.clock,
        on_history=archivist.hearing(hear) if archivist else hear,
        on_axis=hear,
    )
    return data, archivist.following(data) if archivist else data


@asynccontextmanager
async def living(
    venue: VirtualRig, bounds: UniverseParameters, *, archive: CandleArchive | None = None
) -> AsyncIterator[Life]:
    """Run a trader, wired as the composition root wires it."""
    clock, exchange, parameters = venue.clock, venue.connection.exchange, Parameters(universe=bounds)
    instruments = await exchange.instruments()
    axis = SymbolAxis.of(tradable(instruments, at=clock.market_ms(), parameters=bounds))
    inbox, store, engine, ear = Inbox(), CandleStore(axis), Wishing(axis), Ear()
    virtual, twin = (PaperExchange(instruments, deposit=Decimal(10_000)) for _ in range(2))
    execution = ExecutionService(exchange, post=inbox.post, clock=clock)
    data, minutes = market_of(venue, axis, inbox, archive)
    universe = Universe(
        exchange,
        data,
        instruments,
        held=lambda: trader.involved,
        post=inbox.post,
        clock=clock,
        parameters=bounds,
    )
    bookkeeper = Bookkeeper(Shelf(), clock, every_seconds=1e9)
    trader = Trader(
        mode="sim",
        engine=engine,
        store=store,
        desk=RiskDesk(instruments, store, parameters),
        venues=Venues(real=execution, virtual=virtual, virtual_driver=virtual, twin=twin),
        journal=MemoryJournal(),
        bookkeeper=bookkeeper,
        notifier=Notifiers([ear, universe]),
        clock=clock,
        parameters=parameters,
    )
    session = Session(
        trader, inbox, minutes=minutes, exchange=exchange, bookkeeper=bookkeeper, clock=clock, mark=data.mark
    )
    life = Life(venue, trader, data, universe, engine, ear)
    async with running(session, universe):
        await life.until(lambda: life.minutes and life.minutes[-1].present.all())
        yield life


@asynccontextmanager
async def running(session: Session, universe: Universe) -> AsyncIterator[None]:
    task = asyncio.create_task(session.run(lambda: False, universe.run()))
    try:
        yield
        if task.done():
            task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_a_contract_listed_during_a_run_is_fetched_present_and_traded() -> None:
    async def story() -> None:
        async with (
            virtual_rig(symbols=3, listens=False, listings=(("SOLUSDT", 4),)) as venue,
            living(venue, ANY_MARKET) as life,
        ):
            assert len(life.minutes[-1].axis) == 2
            await life.until_minute(4.2)
            life.universe.wish()
            await life.until(lambda: life.is_present("SOLUSDT"))
            assert life.minutes[-1].symbols == ("BTCUSDT", "ETHUSDT", "SOLUSDT")
            (told,) = life.alerts("contracts_listed")
            assert told.text == "SOLUSDT"
            life.engine.wishes = {"SOLUSDT"}
            await life.until(lambda: life.open_in("SOLUSDT"))
            account = await venue.connection.exchange.account()
            assert [each.symbol for each in account.positions] == ["SOLUSDT"]
            assert life.trader.view().universe == 3
            life.check_minutes()

    run_virtually(story())


@pytest.mark.fault(61)
def test_a_contract_about_to_be_delivered_is_closed_first_and_leaves_then() -> None:
    async def story() -> None:
        async with (
            virtual_rig(symbols=3, listens=False, delistings=(("SOLUSDT", A_DAY + 5),)) as venue,
            living(venue, ANY_MARKET) as life,
        ):
            life.engine.wishes = {"SOLUSDT"}
            await life.until(lambda: life.open_in("SOLUSDT"))
            await life.until_minute(5.1)
            life.universe.wish()
            await life.until(lambda: "SOLUSDT" not in life.trader.involved)
            ended = [each.position for each in life.ear.heard if isinstance(each, PositionEnded)]
            assert {each.exit_reason for each in ended} == {ExitReason.DELISTED}
            await life.until(lambda: life.minutes[-1].symbols == ("BTCUSDT", "ETHUSDT"))
            await life.until_minute(12)
            assert life.minutes[-1].present.all()
            life.check_minutes()

    run_virtually(story())


@pytest.mark.fault(61)
def test_a_settling_contract_takes_no_entry_and_leaves_without_holding_up_the_market() -> None:
    async def story() -> None:
        async with (
            virtual_rig(symbols=3, listens=False, delistings=(("SOLUSDT", 6),)) as venue,
            living(venue, UNTIL_DELIVERY) as life,
        ):
            await life.until_minute(5.5)
            assert life.is_present("SOLUSDT")
            life.engine.wishes = {"SOLUSDT"}
            await life.until_minute(6.1)
            life.universe.wish()
            await life.until(lambda: life.alerts("contract_leaving"))
            await life.until_minute(9)
            assert life.open_in("SOLUSDT") == []
            assert life.minutes[-1].symbols == ("BTCUSDT", "ETHUSDT")
            assert life.minutes[-1].present.all()
            assert life.trader.involved == frozenset()
            life.check_minutes(late=1)
            reasons = [each.reasons for each in life.ear.heard if isinstance(each, SignalRefused)]
            assert all("not_in_universe" in each for each in reasons[1:])

    run_virtually(story())


@pytest.mark.fault(62)
def test_a_position_that_the_exchange_settles_is_over_and_its_symbol_leaves() -> None:
    async def story() -> None:
        async with (
            virtual_rig(symbols=3, listens=False, delistings=(("SOLUSDT", 6),)) as venue,
            living(venue, UNTIL_DELIVERY) as life,
        ):
            life.engine.wishes = {"SOLUSDT"}
            await life.until(lambda: life.open_in("SOLUSDT"))
            life.engine.wishes = set()
            await life.until_minute(6.1)
            life.universe.wish()
            await life.until(lambda: not life.trader.involved)
            await life.until_minute(9)
            assert life.minutes[-1].symbols == ("BTCUSDT", "ETHUSDT")
            assert (await venue.connection.exchange.account()).positions == ()
            life.check_minutes(late=1)

    run_virtually(story())


def test_filters_that_change_during_a_run_count_from_the_next_look_on() -> None:
    async def story() -> None:
        async with virtual_rig(symbols=2, listens=False) as venue, living(venue, ANY_MARKET) as life:
            listings, step = venue.simulator.listings, Decimal("0.05")
            changed = replace(listings.contracts["ETHUSDT"], step_size=step, min_quantity=step)
            listings.change(changed, now_ms=venue.simulator.market.now_ms)
            life.universe.wish()
            await venue.clock.sleep(2)
            life.engine.wishes = {"ETHUSDT"}
            await life.until(lambda: life.open_in("ETHUSDT"))
            (held,) = life.open_in("ETHUSDT")
            assert held.quantity % step == 0
            assert held.plan.instrument.step_size == step
            life.check_minutes()

    run_virtually(story())


def test_the_archive_keeps_whoever_was_there_while_they_were(tmp_path: Path) -> None:
    archive = CandleArchive(tmp_path)
    listings, delistings = (("SOLUSDT", 4),), (("ETHUSDT", A_DAY + 5),)

    async def story() -> None:
        async with virtual_rig(symbols=3, listens=False, listings=listings, delistings=delistings) as venue:
            async with living(venue, ANY_MARKET, archive=archive) as life:
                await life.until_minute(5.2)
                life.universe.wish()
                await life.until_minute(9)
                assert life.minutes[-1].symbols == ("BTCUSDT", "SOLUSDT")
            start = venue.simulator.time.started_ms
            shelf = archive.newest(start + 9 * MINUTE_MS)
            for symbol, first, last in (("BTCUSDT", -9, 7), ("ETHUSDT", -9, 4), ("SOLUSDT", 4, 7)):
                begin, end = start + first * MINUTE_MS, start + last * MINUTE_MS
                held = shelf.history(symbol, MINUTE_MS, start_ms=begin, end_ms=end)
                truth = await venue.connection.candles.page(
                    symbol, MINUTE_MS, limit=99, start_ms=begin, end_ms=end
                )
                assert len(held.open_times) == last - first + 1
                assert np.array_equal(held.candles, truth.candles)

    run_virtually(story())


@dataclass
class Heard:
    """What a data service told, in order."""

    events: list[MinuteClosed | AxisChanged | CandleHistory] = field(default_factory=list)

    @property
    def minutes(self) -> list[MinuteClosed]:
        return [each for each in self.events if isinstance(each, MinuteClosed)]

    @property
    def axes(self) -> list[SymbolAxis]:
        return [each.axis for each in self.events if isinstance(each, AxisChanged)]

    def take(self, event: MinuteClosed | AxisChanged | CandleHistory) -> None:
        self.events.append(event)

    def is_whole(self, symbols: set[str]) -> bool:
        last = self.minutes[-1:]
        return bool(last) and set(last[0].symbols) == symbols and bool(last[0].present.all())


@asynccontextmanager
async def followed(wired: Rig, axis: SymbolAxis, heard: Heard) -> AsyncIterator[DataService]:
    data = DataService(
        axis,
        wired.connection.candles,
        streams=lambda sink: wired.connection.market_streams(axis.names, sink),
        clock=wired.clock,
        on_history=heard.take,
        on_axis=heard.take,
        on_market_time=wired.clock.observe,
        deadline=1.0,
    )

    async def listen() -> None:
        async for minute in data.minutes():
            heard.take(minute)

    data.start()
    task = asyncio.create_task(listen())
    try:
        yield data
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await data.close()


async def test_over_real_sockets_a_listing_is_streamed_and_a_delisting_holds_up_nobody() -> None:
    heard, listings, delistings = Heard(), (("SOLUSDT", 4),), (("XRPUSDT", 8),)
    async with rig(speed=240.0, symbols=5, listings=listings, delistings=delistings) as wired:
        axis = SymbolAxis.of(await wired.exchange.instruments())
        assert "SOLUSDT" not in axis
        listed = {*axis.names, "SOLUSDT"}
        async with followed(wired, axis, heard) as data, asyncio.timeout(PATIENCE * 3):
            for symbols in (listed, listed - {"XRPUSDT"}):
                while not heard.is_whole(symbols):
                    contracts = await wired.exchange.instruments()
                    data.follow(tradable(contracts, at=wired.clock.market_ms(), parameters=UNTIL_DELIVERY))
                    await wired.clock.sleep(0.1)
    times = [each.open_time for each in heard.minutes]
    assert times == list(range(times[0], times[-1] + 1, MINUTE_MS))
    assert heard.axes == [each for each, _ in groupby(minute.axis for minute in heard.minutes)][1:]
