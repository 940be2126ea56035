"""A simulator in its own process and our data service on it, for the benchmarks of market data."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from core.clock import ScaledClock
from core.market import CandleHistory, MinuteClosed, SymbolAxis
from core.rng import seeded
from exchange.binance.addresses import BinanceAddresses, Credentials
from exchange.binance.connection import BinanceConnection
from exchange.binance.market_stream import BinanceMarketStreams
from services.bootstrap import BootstrapProgress
from services.data_service import DataService

ROOT = Path(__file__).parents[1]
SYMBOLS = 650


@dataclass(slots=True)
class Watched:
    """A data service at work; times are of the machine, in seconds."""

    connection: BinanceConnection
    service: DataService
    began: float
    bootstrap_seconds: float | None = None
    bootstrapped: asyncio.Event = field(default_factory=asyncio.Event)
    first_history_seconds: float | None = None
    latencies: list[float] = field(default_factory=list)
    minutes: int = 0


class _TimedSink(DataService):
    """Notes when the last candle came that a minute waited for."""

    closed_at = 0.0

    def on_candle(
        self, index: int, open_time: int, candle: tuple[float, ...], *, closed: bool, at: int
    ) -> None:
        if closed:
            self.closed_at = time.perf_counter()
        super().on_candle(index, open_time, candle, closed=closed, at=at)


@asynccontextmanager
async def watched_market(*, speed: float, seed: int) -> AsyncIterator[Watched]:
    """Start a simulator with real limits at ``speed``, and a data service on all its symbols."""
    async with _simulator(speed, seed) as announced:
        clock = ScaledClock(speed=speed, market_ms=0)
        connection = BinanceConnection(
            BinanceAddresses(rest=announced["rest"], ws=announced["ws"]),
            Credentials(),
            clock=clock,
            rng=seeded(seed),
            speed=speed,
        )
        symbols = tuple(await connection.exchange.instruments())
        watched = _watched(connection, clock, symbols)
        watched.service.start()
        listening = asyncio.create_task(_listen(watched))
        try:
            yield watched
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            await watched.service.close()
            await connection.close()


def _watched(connection: BinanceConnection, clock: ScaledClock, symbols: Sequence[str]) -> Watched:
    axis = SymbolAxis(tuple(symbols))

    def on_history(_: CandleHistory) -> None:
        if watched.first_history_seconds is None:
            watched.first_history_seconds = time.perf_counter() - watched.began

    def on_progress(progress: BootstrapProgress) -> None:
        if progress.done + progress.failed == progress.total and watched.bootstrap_seconds is None:
            watched.bootstrap_seconds = time.perf_counter() - watched.began
            watched.bootstrapped.set()

    def streams(sink: DataService) -> BinanceMarketStreams:
        return connection.market_streams(axis.names, sink)

    service = _TimedSink(
        axis,
        connection.candles,
        streams=streams,
        clock=clock,
        on_history=on_history,
        on_progress=on_progress,
        on_market_time=clock.observe,
    )
    watched = Watched(connection, service, time.perf_counter())
    return watched


async def _listen(watched: Watched) -> None:
    async for minute in watched.service.minutes():
        watched.minutes += 1
        if isinstance(watched.service, _TimedSink) and _is_whole(minute):
            watched.latencies.append(time.perf_counter() - watched.service.closed_at)


def _is_whole(minute: MinuteClosed) -> bool:
    return bool(minute.present.all())


@asynccontextmanager
async def _simulator(speed: float, seed: int) -> AsyncIterator[dict[str, str]]:
    arguments = ["--speed", str(speed), "--symbols", str(SYMBOLS), "--seed", str(seed)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "exchange.sim", *arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    if process.stdout is None:
        raise RuntimeError("the simulator was started without a pipe to read from")
    try:
        yield json.loads(await process.stdout.readline())
    finally:
        process.terminate()
        await process.wait()
