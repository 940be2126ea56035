"""An exchange of our own: the simulator as a child process, with an account for us on it."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from cli.options import MarketOptions
from core.clock import ScaledClock, SystemClock
from core.rng import seeded
from exchange.binance.addresses import Credentials, simulator_at
from exchange.binance.connection import BinanceConnection
from exchange.limits.ban import BanNote
from exchange.sim.child import MarketMonitor, simulator_child
from strategies.warm import warm
from wiring.place import UNPACED, Place, first_glance

DOOR = Path(__file__).resolve().parents[1] / "main_v3.py"
GENTLE = 60.0  # market minutes a minute while a trader is still fetching its history


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildsPace:
    """The pace of a simulator that is ours to drive; ``speed`` is the one asked for."""

    market: MarketMonitor
    clock: ScaledClock
    connection: BinanceConnection
    speed: float

    async def hurry(self) -> None:
        await self.market.set_speed(self.speed)
        self.clock.set_speed(self.speed or UNPACED)
        self.connection.set_speed(self.clock.speed)

    async def effective_speed(self) -> float | None:
        return await self.market.effective_speed()

    async def ended(self) -> None:
        await self.market.ended()


@asynccontextmanager
async def simulated(options: MarketOptions, folder: Path) -> AsyncIterator[Place]:
    """Start the simulator as a child, gently, and connect to it; both end with the context."""
    async with simulator_child(simulator_command(options), folder / "simulator.log") as told:
        await asyncio.to_thread(warm, clock=SystemClock())  # a compiler must not hold up the loop later
        market = MarketMonitor(told.rest, SystemClock())
        clock = ScaledClock(speed=_start_speed(options), market_ms=(await market.status()).market_ms)
        connection = BinanceConnection(
            simulator_at(told.rest, told.ws),
            Credentials(api_key=told.api_key, api_secret=told.api_secret),
            clock=clock,
            rng=seeded(),
            speed=clock.speed,
            ban=BanNote(folder / "ban.txt", clock),
        )
        pace = ChildsPace(market=market, clock=clock, connection=connection, speed=options.speed)
        try:
            glance = await first_glance(connection, clock)
            yield Place(
                address=told.rest,
                connection=connection,
                clock=clock,
                pace=pace,
                speed=options.speed,
                glance=glance,
            )
        finally:
            await connection.close()


def simulator_command(options: MarketOptions) -> list[str]:
    """Return the command line that starts this program's simulator as a child."""
    command = [sys.executable, str(DOOR), "sim", "--json", "--port", "0", "--with-parent"]
    chosen: dict[str, object] = {
        "--speed": _start_speed(options),
        "--seed": options.seed,
        **({"--data": options.data.resolve()} if options.data else {"--symbols": options.symbols}),
    }
    if options.start is not None:
        chosen["--from"] = options.start
    return command + [str(part) for pair in chosen.items() for part in pair]


def _start_speed(options: MarketOptions) -> float:
    """Begin no faster than this: what passes while history is fetched is not scanned."""
    return min(options.speed or UNPACED, GENTLE)
