"""The simulated exchange, served."""

import asyncio
from dataclasses import asdict
from pathlib import Path

from cli.options import ScanOptions, SimOptions
from cli.summary import show_simulator
from data.candle_file import CandleFile
from exchange.sim.child import parent_gone
from exchange.sim.config import Announcement, SimConfig
from exchange.sim.market.recorded import RecordedCandles
from exchange.sim.process import serve
from exchange.sim.universe import load_universe


def serve_simulator(options: SimOptions) -> int:
    """Serve until told to stop; returns the exit code."""

    async def run() -> None:
        until = [parent_gone] if options.with_parent else []
        await serve(_configuration(options), announce=announce, until=until)

    def announce(told: Announcement) -> None:
        show_simulator(asdict(told), json_wanted=options.as_json)

    asyncio.run(run())
    return 0


def check_playable(path: Path, start: int | None) -> None:
    """Refuse a file that can not be played, before anything is started or written for it."""
    candles = CandleFile.load(path)
    recorded = _recorded(candles)
    first = recorded.minute_zero() if start is None else start
    if not recorded.start_ms < first < recorded.end_ms():
        raise candles.nothing_at(first)


def listed_symbols(options: ScanOptions) -> tuple[str, ...]:
    """Return what the simulator that ``options`` ask for will list."""
    if options.data:
        return recorded_candles(options.data).symbols
    return tuple(each.symbol for each in load_universe(options.symbols))


def recorded_candles(path: Path) -> RecordedCandles:
    """Read a candle file for the simulator."""
    return _recorded(CandleFile.load(path))


def _recorded(candles: CandleFile) -> RecordedCandles:
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
