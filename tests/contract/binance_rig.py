"""Our Binance adapter, wired to a simulator over real sockets, with what it reported at hand."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from core.clock import ScaledClock
from core.orders import Report
from core.rng import seeded
from exchange.binance.addresses import BinanceAddresses, Credentials
from exchange.binance.connection import BinanceConnection
from exchange.binance.futures import BinanceFutures
from exchange.sim.config import SimConfig
from exchange.sim.process import Simulator

R = TypeVar("R")
PATIENCE = 10.0


@dataclass(slots=True)
class Rig:
    """One simulator and everything we point at it."""

    simulator: Simulator
    clock: ScaledClock
    connection: BinanceConnection
    reports: list[Report] = field(default_factory=list)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def exchange(self) -> BinanceFutures:
        return self.connection.exchange

    async def listen(self) -> None:
        async for report in self.exchange.reports():
            async with self.news:
                self.reports.append(report)
                self.news.notify_all()

    async def until(self, kind: type[R], matches: Callable[[R], bool] = lambda _: True) -> R:
        """Return the first report of a kind that matches, waiting for it if need be."""

        def found() -> R | None:
            return next((each for each in self.reports if isinstance(each, kind) and matches(each)), None)

        async with asyncio.timeout(PATIENCE), self.news:
            await self.news.wait_for(lambda: found() is not None)
        report = found()
        assert report is not None
        return report


@asynccontextmanager
async def rig(*, speed: float = 60.0, symbols: int = 8, seed: int = 1, **chosen: Any) -> AsyncIterator[Rig]:
    """Start everything, and stop it again in the opposite order; ``chosen`` are of ``SimConfig``."""
    simulator = Simulator(SimConfig(speed=speed, symbols=symbols, seed=seed, **chosen))
    announced = await simulator.start()
    clock = ScaledClock(speed=speed, market_ms=simulator.market.now_ms)
    connection = BinanceConnection(
        BinanceAddresses(rest=announced.rest, ws=announced.ws),
        Credentials(api_key=announced.api_key, api_secret=announced.api_secret),
        clock=clock,
        rng=seeded(1),
        speed=speed,
    )
    wired = Rig(simulator, clock, connection)
    listening = asyncio.create_task(wired.listen())
    try:
        async with asyncio.timeout(PATIENCE):
            await connection.user_stream.connected.wait()
        yield wired
    finally:
        await connection.exchange.close()
        await listening
        await connection.close()
        await simulator.close()
