"""A simulator in a process of its own, our connection to it, and the trader's view of its market."""

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from core.clock import ScaledClock, SystemClock
from core.market import CandleHistory, MinuteClosed, SymbolAxis
from core.rng import seeded
from exchange.binance.addresses import BinanceAddresses, Credentials
from exchange.binance.connection import BinanceConnection
from exchange.binance.market_stream import BinanceMarketStreams, Candle, MarketSink
from exchange.binance.transport import AiohttpTransport, Transport
from exchange.sim.child import MarketMonitor, simulator_child
from services.bootstrap import BootstrapProgress
from services.candle_pages import CandleReader
from services.data_service import DataService

SYMBOLS = 650
UNLIMITED = 10**6


@dataclass(slots=True)
class Venue:
    """One simulator; ``connection`` keeps to its limits, ``clock`` follows its market time."""

    rest: str
    connection: BinanceConnection
    monitor: MarketMonitor
    clock: ScaledClock


@asynccontextmanager
async def venue(
    *,
    seed: int,
    speed: float = 1.0,
    symbols: int = SYMBOLS,
    weight_limit: int = 2400,
    transport: Transport | None = None,
) -> AsyncIterator[Venue]:
    arguments = {"speed": speed, "symbols": symbols, "seed": seed, "weight-limit": weight_limit}
    command = [sys.executable, "-m", "exchange.sim"]
    command += [word for name, value in arguments.items() for word in (f"--{name}", str(value))]
    with tempfile.TemporaryDirectory() as folder:
        async with simulator_child(command, Path(folder) / "simulator.log") as told:
            monitor = MarketMonitor(told.rest, SystemClock())
            clock = ScaledClock(speed=speed, market_ms=(await monitor.status()).market_ms)
            connection = BinanceConnection(
                BinanceAddresses(rest=told.rest, ws=told.ws),
                Credentials(api_key=told.api_key, api_secret=told.api_secret),
                clock=clock,
                rng=seeded(seed),
                speed=speed,
                transport=transport or AiohttpTransport(),
            )
            try:
                yield Venue(told.rest, connection, monitor, clock)
            finally:
                await connection.close()


@dataclass(slots=True)
class Start:
    """How a start went: seconds and CPU seconds of ours until every symbol was live, or left out."""

    seconds: float
    cpu: float
    first_live: float
    live: int
    failed: int


class TimedSink:
    """Passes everything on, and notes when the last candle came that a minute waited for."""

    def __init__(self, sink: MarketSink) -> None:
        self._take = sink.on_candle
        self.closed_at = 0.0
        self.on_mark, self.on_book, self.on_volume = sink.on_mark, sink.on_book, sink.on_volume
        self.on_candles_resumed = sink.on_candles_resumed
        self.on_marks_lost, self.on_books_lost = sink.on_marks_lost, sink.on_books_lost

    def on_candle(self, index: int, open_time: int, candle: Candle, *, closed: bool, at: int) -> None:
        if closed:
            self.closed_at = time.perf_counter()
        self._take(index, open_time, candle, closed=closed, at=at)


@dataclass(slots=True)
class Market:
    """A data service at work; ``latencies`` are seconds from the last close to each whole minute."""

    service: DataService
    sink: TimedSink
    on_minute: Sequence[Callable[[MinuteClosed], None]] = ()
    minutes: int = 0
    latencies: list[float] = field(default_factory=list)

    def take(self, minute: MinuteClosed) -> None:
        self.minutes += 1
        if minute.present.all():
            self.latencies.append(time.perf_counter() - self.sink.closed_at)
        for hear in self.on_minute:
            hear(minute)


@asynccontextmanager
async def market(
    place: Venue,
    axis: SymbolAxis,
    *,
    candles: CandleReader | None = None,
    on_history: Callable[[CandleHistory], None] = lambda _: None,
    on_progress: Callable[[BootstrapProgress], None] = lambda _: None,
    on_minute: Sequence[Callable[[MinuteClosed], None]] = (),
) -> AsyncIterator[Market]:
    sinks: list[TimedSink] = []

    def streams(sink: MarketSink) -> BinanceMarketStreams:
        sinks.append(TimedSink(sink))
        return place.connection.market_streams(axis.names, sinks[0])

    service = DataService(
        axis,
        candles or place.connection.candles,
        streams=streams,
        clock=place.clock,
        on_history=on_history,
        on_progress=on_progress,
        on_market_time=place.clock.observe,
    )
    running = Market(service, sinks[0], on_minute)

    async def listen() -> None:
        async for minute in service.minutes():
            running.take(minute)

    service.start()
    task = asyncio.create_task(listen())
    try:
        yield running
        if task.done():
            task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await service.close()


async def started(running: Market, symbols: int) -> Start:
    """Wait until the whole market is live."""
    began, cpu, first = time.perf_counter(), time.process_time(), 0.0
    service = running.service
    while (live := service.live) + len(service.excluded) < symbols:
        if live and not first:
            first = time.perf_counter() - began
        await asyncio.sleep(0.02)
    return Start(
        seconds=time.perf_counter() - began,
        cpu=time.process_time() - cpu,
        first_live=first,
        live=service.live,
        failed=len(service.excluded),
    )
