"""The simulated exchange: served by one process, and an account of ours on it in another."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from cli.options import DemoOptions, ScanOptions, SimOptions
from cli.summary import show_simulator
from core.clock import ScaledClock, SystemClock
from core.errors import PerpscoutError
from core.rng import seeded
from data.candle_file import CandleFile
from exchange.binance.addresses import BinanceAddresses, Credentials
from exchange.binance.connection import BinanceConnection
from exchange.limits.ban import BanNote
from exchange.sim.child import MarketMonitor, parent_gone, simulator_child
from exchange.sim.config import Announcement, SimConfig
from exchange.sim.market.recorded import RecordedCandles
from exchange.sim.process import serve
from strategies.warm import warm

DOOR = Path(__file__).resolve().parents[1] / "main_v3.py"
GENTLE = 60.0  # market minutes a minute while a trader is still fetching its history
UNPACED = 600.0  # the speed that "as fast as possible" is taken for where a period must be known beforehand


def serve_simulator(options: SimOptions) -> int:
    """Serve until told to stop; returns the exit code."""

    async def run() -> None:
        until = [parent_gone] if options.with_parent else []
        await serve(_configuration(options), announce=announce, until=until)

    def announce(told: Announcement) -> None:
        show_simulator(asdict(told), json_wanted=options.as_json)

    asyncio.run(run())
    return 0


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


def check_playable(path: Path, start: int | None) -> None:
    """Refuse a file that can not be played, before anything is started or written for it."""
    recorded = recorded_candles(path)
    first = recorded.minute_zero() if start is None else start
    if not recorded.start_ms < first < recorded.end_ms():
        raise PerpscoutError(
            f"{path} has no candles to play at {first} (ms): choose a --from inside the file."
        )


def recorded_candles(path: Path) -> RecordedCandles:
    """Read a candle file for the simulator."""
    candles = CandleFile.load(path)
    return RecordedCandles(candles.symbols, candles.start_ms, candles.candles)


def _configuration(options: SimOptions) -> SimConfig:
    return SimConfig(
        host=options.host,
        port=options.port,
        speed=options.speed,
        symbols=options.symbols,
        seed=options.seed,
        candles=recorded_candles(options.data) if options.data else None,
        start_ms=options.start,
        fault_seed=options.faults,
    )


def _start_speed(options: DemoOptions | ScanOptions) -> float:
    """Begin no faster than this: what passes while history is fetched is not scanned."""
    return min(options.speed or UNPACED, GENTLE)
