"""A trader from its parts; only the world it is put into differs between modes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from core.clock import Clock
from core.instruments import Instrument
from core.market import SymbolAxis
from core.ports import Notifier
from core.settings import Mode, Settings
from core.universe import tradable
from data.candle_store import CandleStore
from services.books import Venues
from services.risk_desk import RiskDesk
from services.strategy_engine import StrategyEngine
from services.trader import Trader
from strategies.kernel.market import MarketKernel
from wiring.declaration import declaration
from wiring.records import Records
from wiring.scorer import MODELS, scorer_in
from wiring.strategies import chosen_strategies

PAPER_DEPOSIT = Decimal(10_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What a trader is put into; ``is_cut_off`` tells whether its exchange has stopped answering.

    ``bars_entries`` tells whether anything that an entry needs has, and be it only the calls for stops.
    """

    mode: Mode
    axis: SymbolAxis
    instruments: Mapping[str, Instrument]
    store: CandleStore
    venues: Venues
    clock: Clock
    is_cut_off: Callable[[], bool] = lambda: False
    bars_entries: Callable[[], bool] = lambda: False


def trader_in(world: World, records: Records, settings: Settings, notifier: Notifier) -> Trader:
    """Put a trader together, and write down what it is."""
    parameters, chosen = settings.parameters(), chosen_strategies(settings)
    records.announce(declaration(world.mode, world.axis, settings), at=world.clock.market_ms())
    records.bookkeeper.report_to(notifier)
    kernel = MarketKernel(world.axis.names, chosen.kernel)
    return Trader(
        mode=world.mode,
        engine=StrategyEngine(world.axis, chosen.strategies, kernel),
        store=world.store,
        desk=RiskDesk(
            world.instruments,
            world.store,
            parameters,
            trades=settings.may_trade,
            scorer=scorer_in(records.folder / MODELS, notifier=notifier, clock=world.clock),
            is_cut_off=world.is_cut_off,
            bars_entries=world.bars_entries,
        ),
        venues=world.venues,
        journal=records.journal,
        bookkeeper=records.bookkeeper,
        notifier=notifier,
        clock=world.clock,
        parameters=parameters,
    )


def universe_of(settings: Settings, instruments: Mapping[str, Instrument], *, now_ms: int) -> SymbolAxis:
    """Return the contracts that may be traded now, in alphabetical order."""
    return SymbolAxis.of(
        tradable(
            instruments,
            at=now_ms,
            parameters=settings.parameters().universe,
            blacklist=settings.universe_blacklist,
        )
    )
