"""An account of ours on the simulated exchange, which is a child process."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from cli.options import DemoOptions, ScanOptions
from core.clock import ScaledClock, SystemClock
from core.rng import seeded
from exchange.binance.addresses import BinanceAddresses, Credentials
from exchange.binance.connection import BinanceConnection
from exchange.limits.ban import BanNote
from exchange.sim.child import MarketMonitor, simulator_child
from strategies.warm import warm

DOOR = Path(__file__).resolve().parents[1] / "main_v3.py"
GENTLE = 60.0  # market minutes a minute while a trader is still fetching its history
UNPACED = 600.0  # the speed that "as fast as possible" is taken for where a period must be known beforehand


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """A running simulated exchange, and our connection to it."""

    connection: BinanceConnection
    market: MarketMonitor
    clock: ScaledClock
    speed: float

    async def hurry(self) -> None:
        """Let the market go at the speed that was asked for."""
        await self.market.set_speed(self.speed)
        self.clock.set_speed(self.speed or UNPACED)
        self.connection.limiter.set_period(60 / self.clock.speed)


@asynccontextmanager
async def simulated(options: DemoOptions | ScanOptions, folder: Path) -> AsyncIterator[Simulated]:
    """Start the simulator as a child, gently, and connect to it; both end with the context."""
    async with simulator_child(simulator_command(options), folder / "simulator.log") as told:
        await asyncio.to_thread(warm, clock=SystemClock())  # a compiler must not hold up the loop later
        market = MarketMonitor(told.rest, SystemClock())
        clock = ScaledClock(speed=_start_speed(options), market_ms=(await market.status()).market_ms)
        connection = BinanceConnection(
            BinanceAddresses(rest=told.rest, ws=told.ws),
            Credentials(api_key=told.api_key, api_secret=told.api_secret),
            clock=clock,
            rng=seeded(),
            speed=clock.speed,
            ban=BanNote(folder / "ban.txt", clock),
        )
        try:
            yield Simulated(connection=connection, market=market, clock=clock, speed=options.speed)
        finally:
            await connection.close()


def simulator_command(options: DemoOptions | ScanOptions) -> list[str]:
    """Return the command line that starts this program's simulator as a child."""
    command = [sys.executable, str(DOOR), "sim", "--json", "--port", "0", "--with-parent"]
    chosen: dict[str, object] = {
        "--speed": _start_speed(options),
        "--symbols": options.symbols,
        "--seed": options.seed,
    }
    if options.data:
        chosen["--data"] = options.data.resolve()
    if options.start is not None:
        chosen["--from"] = options.start
    return command + [str(part) for pair in chosen.items() for part in pair]


def _start_speed(options: DemoOptions | ScanOptions) -> float:
    """Begin no faster than this: what passes while history is fetched is not scanned."""
    return min(options.speed or UNPACED, GENTLE)
