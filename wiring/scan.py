"""One scan of the whole market, without a trader."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from cli.options import ScanOptions
from cli.scan import LoadingLine, ScanRig, check_explained, finish_scan
from core.clock import SystemClock
from core.instruments import Instrument
from core.market import SymbolAxis
from core.orders import AccountRead
from core.settings import Mode, Settings
from data.candle_store import CandleStore
from exchange.paper import PaperExchange
from services.bootstrap import BootstrapProgress
from services.scanner import Scanner
from services.strategy_engine import StrategyEngine
from strategies.ict_smc import IctSmc
from strategies.kernel.market import MarketKernel
from wiring.account import paper_contracts
from wiring.fronts import structure_drawer
from wiring.market import data_service
from wiring.place import Place, exchange_of
from wiring.records import log_to
from wiring.simulated import simulated
from wiring.strategies import chosen_strategies
from wiring.trader import PAPER_DEPOSIT, universe_of


async def run_scan(settings: Settings, options: ScanOptions, folder: Path, *, began: float) -> int:
    """Scan once; ``began`` is when the program started, in monotonic seconds."""
    log_to(folder, settings)
    line = LoadingLine()
    line.say(f"connecting: mode {settings.mode}")
    async with _place(settings, options, folder) as place:
        instruments, account = await _account(settings, place)
        axis = universe_of(settings, instruments, now_ms=place.clock.market_ms())
        check_explained(options.explain, axis.names)
        scanner = _scanner(settings, axis, instruments)
        scanner.account(account)

        def progressed(progress: BootstrapProgress) -> None:
            scanner.progressed(progress)
            line.progressed(progress)

        rig = ScanRig(
            scanner=scanner,
            minutes=data_service(
                place.connection, axis, place.clock, on_history=scanner.take, on_progress=progressed
            ),
            ended=place.pace.ended,
            draw=structure_drawer(settings),
            folder=folder,
            clock=place.clock,
            began=began,
        )
        return await finish_scan(rig, options)


def _place(settings: Settings, options: ScanOptions, folder: Path) -> AbstractAsyncContextManager[Place]:
    """A scan never orders anything, so nothing that could be an order leaves this machine."""
    if settings.starts_simulator:
        return simulated(options, folder)
    return exchange_of(settings, folder, sends_orders=False)


async def _account(settings: Settings, place: Place) -> tuple[Mapping[str, Instrument], AccountRead]:
    """Return the contracts, and the account that sizes are reckoned for."""
    if settings.mode is not Mode.PAPER:
        exchange = place.connection.exchange
        return await exchange.instruments(), await exchange.account()
    instruments = await paper_contracts(place).instruments()
    paper = PaperExchange(instruments, deposit=PAPER_DEPOSIT)
    return instruments, paper.look(place.glance.marks, at=place.glance.at)


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
