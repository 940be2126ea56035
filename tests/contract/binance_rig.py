"""Our Binance adapter, wired to a simulator over real sockets, with what it reported at hand."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from core.clock import ScaledClock
from core.orders import Report
from core.rng import seeded
from exchange.binance.addresses import BinanceAddresses, Credentials
from exchange.binance.futures import BinanceFutures
from exchange.binance.rest import BinanceRest
from exchange.binance.transport import AiohttpTransport
from exchange.binance.user_stream import UserStream
from exchange.limits.weight import WeightLimiter
from exchange.sim.config import SimConfig
from exchange.sim.process import Simulator

R = TypeVar("R")
PATIENCE = 10.0


@dataclass(slots=True)
class Rig:
    """One simulator and everything we point at it."""

    simulator: Simulator
    clock: ScaledClock
    addresses: BinanceAddresses
    transport: AiohttpTransport
    api: BinanceRest
    user_stream: UserStream
    exchange: BinanceFutures
    reports: list[Report] = field(default_factory=list)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

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
async def rig(*, speed: float = 60.0, symbols: int = 8, seed: int = 1) -> AsyncIterator[Rig]:
    """Start everything, and stop it again in the opposite order."""
    simulator = Simulator(SimConfig(speed=speed, symbols=symbols, seed=seed))
    announced = await simulator.start()
    clock = ScaledClock(speed=speed, market_ms=simulator.market.now_ms)
    addresses = BinanceAddresses(rest=announced.rest, ws=announced.ws)
    transport = AiohttpTransport()
    rng = seeded(1)
    api = BinanceRest(
        addresses,
        Credentials(api_key=announced.api_key, api_secret=announced.api_secret),
        transport=transport,
        limiter=WeightLimiter(clock, period=60 / speed),
        clock=clock,
    )
    user_stream = UserStream(api, transport, addresses, clock=clock, rng=rng)
    exchange = BinanceFutures(api, user_stream, clock=clock, rng=rng)
    wired = Rig(simulator, clock, addresses, transport, api, user_stream, exchange)
    listening = asyncio.create_task(wired.listen())
    try:
        async with asyncio.timeout(PATIENCE):
            await user_stream.connected.wait()
        yield wired
    finally:
        await exchange.close()
        await listening
        await transport.close()
        await simulator.close()
