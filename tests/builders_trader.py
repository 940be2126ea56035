"""A trader among paper venues, and the hand that moves prices, for tests."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TypeVar

import numpy as np

from core.clock import ManualClock
from core.income import ReadIncomes
from core.journal import IntentRecorded
from core.market import MINUTE_MS, CandleHistory, MarketContext, MinuteClosed, SymbolAxis
from core.monitoring import Structure
from core.notices import Notice
from core.orders import (
    AccountRead,
    AccountSurvey,
    Command,
    ConditionalStatus,
    HeldPosition,
    OrderFilled,
    Report,
    RestingConditional,
)
from core.parameters import CostParameters, Parameters
from core.positions import Position, Source
from core.signals import Candidate, Side
from core.trades import TradeRecord
from data.candle_store import CandleStore
from exchange.paper import PaperExchange
from services.bookkeeping import Bookkeeper
from services.books import Venues
from services.risk_desk import RiskDesk
from services.trader import Trader
from tests.builders import T0, candidate, instrument
from tests.fakes.journal import MemoryJournal

SYMBOLS = tuple(f"{letter}USDT" for letter in "ABCDEFGH")
AXIS = SymbolAxis(SYMBOLS)
INSTRUMENTS = {symbol: instrument(symbol) for symbol in SYMBOLS}
FREE = CostParameters(taker_fee=Decimal(0), slippage=Decimal(0))


N = TypeVar("N", bound=Notice)


class ScriptedEngine:
    """Stands where the strategy engine does: says what it was told to say."""

    def __init__(self) -> None:
        self.axis = AXIS
        self.wishes: dict[int, list[Candidate]] = {}
        self.structures: dict[str, Structure] = {}

    def arrange(self, axis: SymbolAxis) -> None:
        self.axis = axis

    def warm_up(self, history: CandleHistory) -> None: ...

    def on_minute(self, minute: MinuteClosed) -> Sequence[Candidate]:
        return self.wishes.get(minute.at, [])

    def ready(self) -> int:
        return len(self.axis)

    def structure(self, symbol: str) -> Structure | None:
        return self.structures.get(symbol)


class Ear:
    """Remembers what people were told."""

    def __init__(self) -> None:
        self.heard: list[Notice] = []

    def notify(self, notice: Notice) -> None:
        self.heard.append(notice)

    def of(self, kind: type[N]) -> list[N]:
        return [notice for notice in self.heard if isinstance(notice, kind)]


class Shelf:
    """A trade log in memory."""

    def __init__(self) -> None:
        self.records: list[TradeRecord] = []

    def write(self, records: Sequence[TradeRecord]) -> None:
        self.records.extend(records)


class Spy:
    """Passes commands on to a paper venue and remembers them; fails the test if a rule is broken."""

    def __init__(self, venue: PaperExchange, journal: MemoryJournal) -> None:
        self._venue = venue
        self._journal = journal
        self.commands: list[Command] = []

    def submit(self, command: Command) -> Sequence[Report]:
        intents = {body.plan.position_id for body in self._journal.bodies(IntentRecorded)}
        is_durable = isinstance(command, ReadIncomes) or command.position_id in intents
        assert is_durable, "a command left before its intent was durable"
        self.commands.append(command)
        return self._venue.submit(command)


class World:
    """A trader, its surroundings, and the hand that moves prices."""

    def __init__(
        self,
        journal: MemoryJournal | None = None,
        *,
        now: int = T0,
        twins: bool = False,
        shadows: bool = False,
        costs: CostParameters = FREE,
    ) -> None:
        def paper() -> PaperExchange:
            return PaperExchange(INSTRUMENTS, deposit=Decimal(10_000), costs=costs)

        self.clock = ManualClock(now)
        self.engine, self.ear, self.shelf = ScriptedEngine(), Ear(), Shelf()
        self.journal = journal or MemoryJournal()
        real, virtual, twin = paper(), paper(), paper()
        self.real = Spy(real, self.journal)
        store = CandleStore(AXIS)
        self.bookkeeper = Bookkeeper(self.shelf, self.clock)
        self.trader = Trader(
            mode="sim",
            engine=self.engine,
            store=store,
            desk=RiskDesk(INSTRUMENTS, store, Parameters()),
            venues=Venues(
                real=self.real,
                virtual=virtual,
                real_driver=real,
                virtual_driver=virtual,
                twin=twin if twins else None,
                shadow=paper if shadows else None,
            ),
            journal=self.journal,
            bookkeeper=self.bookkeeper,
            notifier=self.ear,
            clock=self.clock,
            parameters=Parameters(),
        )

    def wish(self, *symbols: str, side: Side = Side.LONG, confidence: float = 80.0) -> None:
        """Let the strategy want these at the next minute, the first the most."""
        at = self.clock.market_ms() + MINUTE_MS
        self.engine.wishes[at] = [
            candidate(symbol, side=side, at=at, confidence=confidence - index)
            for index, symbol in enumerate(symbols)
        ]

    def minute(self, **moves: tuple[float, float, float, float]) -> None:
        """Close one minute: every candle is flat at 100, but for the named ones (open, high, low, close)."""
        row = np.full((5, len(SYMBOLS)), 100.0)
        for symbol, candle in moves.items():
            row[:4, SYMBOLS.index(symbol)] = candle
        at = self.clock.market_ms()
        close = row[3]
        context = MarketContext(
            bid=close * 0.9999,
            ask=close * 1.0001,
            mark=close,
            funding_rate=np.zeros_like(close),
            quote_volume_24h=np.full_like(close, 1e8),
        )
        self.clock.advance_to(at + MINUTE_MS)
        self.trader.process(
            MinuteClosed(
                open_time=at,
                axis=AXIS,
                row=row,
                present=np.ones(len(SYMBOLS), dtype=np.bool_),
                context=context,
                seen_at=at + MINUTE_MS,
            )
        )

    def held(self, source: Source) -> list[str]:
        view = self.trader.view()
        return [each.position.symbol for each in (view.real if source is Source.REAL else view.virtual)]


def open_one(world: World, symbol: str = "AUSDT") -> None:
    world.wish(symbol)
    world.minute()
    world.minute()


def closing_fill(position: Position) -> OrderFilled:
    """Make the execution of a position's stop."""
    assert position.stop
    return OrderFilled(
        symbol=position.symbol,
        client_order_id=position.stop.client_order_id,
        venue_order_id="77",
        trade_id="77",
        side=position.side.opposite,
        quantity=position.quantity,
        price=Decimal(100),
        fee=Decimal(0),
        realised_pnl=Decimal(0),
        at=T0,
    )


def survey(*conditionals: RestingConditional, positions: Sequence[HeldPosition] = ()) -> AccountSurvey:
    account = AccountRead(
        wallet=Decimal(10_000),
        equity=Decimal(10_000),
        available=Decimal(10_000),
        positions=tuple(positions),
        at=T0,
        is_paper=True,
    )
    return AccountSurvey(account=account, conditionals=conditionals, orders=(), at=T0)


def resting(order_id: str, symbol: str = "AUSDT") -> RestingConditional:
    return RestingConditional(
        client_order_id=order_id,
        symbol=symbol,
        status=ConditionalStatus.NEW,
        trigger_price=Decimal(99),
    )


def account_of(equity: str) -> AccountRead:
    """Make a read no older than the world's first minute."""
    money, at = Decimal(equity), T0 + MINUTE_MS
    return AccountRead(wallet=money, equity=money, available=money, positions=(), at=at, is_paper=True)
