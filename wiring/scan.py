"""One scan of the simulated market, without a trader."""

from collections.abc import Mapping
from pathlib import Path

from cli.options import ScanOptions
from cli.scan import LoadingLine, ScanRig, check_explained, finish_scan
from core.clock import SystemClock
from core.instruments import Instrument
from core.market import SymbolAxis
from core.settings import Settings
from data.candle_store import CandleStore
from services.bootstrap import BootstrapProgress
from services.scanner import Scanner
from services.strategy_engine import StrategyEngine
from strategies.ict_smc import IctSmc
from strategies.kernel.market import MarketKernel
from wiring.fronts import structure_drawer
from wiring.market import data_service
from wiring.records import log_to
from wiring.simulated import simulated
from wiring.strategies import chosen_strategies
from wiring.trader import universe_of


async def run_scan(settings: Settings, options: ScanOptions, folder: Path, *, began: float) -> int:
    """Scan once; ``began`` is when the program started, in monotonic seconds."""
    log_to(folder, settings)
    line = LoadingLine()
    line.say("starting the simulated exchange")
    async with simulated(options, folder) as venue:
        exchange = venue.connection.exchange
        instruments = await exchange.instruments()
        axis = universe_of(settings, instruments, now_ms=venue.clock.market_ms())
        check_explained(options.explain, axis.names)
        scanner = _scanner(settings, axis, instruments)
        scanner.account(await exchange.account())

        def progressed(progress: BootstrapProgress) -> None:
            scanner.progressed(progress)
            line.progressed(progress)

        rig = ScanRig(
            scanner=scanner,
            minutes=data_service(
                venue.connection, axis, venue.clock, on_history=scanner.take, on_progress=progressed
            ),
            market=venue.market,
            draw=structure_drawer(settings),
            folder=folder,
            clock=venue.clock,
            began=began,
        )
        return await finish_scan(rig, options)


def _scanner(settings: Settings, axis: SymbolAxis, instruments: Mapping[str, Instrument]) -> Scanner:
    chosen = chosen_strategies(settings)
    kernel = MarketKernel(axis.names, chosen.kernel)
    return Scanner(
        kernel,
        next(each for each in chosen.strategies if isinstance(each, IctSmc)),
        CandleStore(axis),
        instruments,
        engine=StrategyEngine(axis, chosen.strategies, kernel),
        parameters=settings.parameters(),
        clock=SystemClock(),
    )
