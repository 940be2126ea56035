"""A whole trader on a simulator over real sockets, and somebody else with the keys to the same account."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import numpy as np

from core.clock import Clock, ScaledClock
from core.instruments import Instrument
from core.market import MINUTE_MS, MarketContext, MinuteClosed, SymbolAxis
from core.notices import Alert, Notice
from core.order_ids import client_order_id
from core.orders import Role
from core.positions import Position
from core.rng import seeded
from core.signals import Candidate, Side
from data.candle_store import CandleStore
from data.journal import SqliteJournal
from exchange.binance import rest
from exchange.binance.addresses import BinanceAddresses, Credentials
from exchange.binance.connection import BinanceConnection
from exchange.binance.orders import Accepted
from exchange.limits.weight import Priority
from exchange.paper import PaperExchange
from exchange.sim.config import SimConfig
from exchange.sim.process import Simulator
from exchange.sim.venue.account import Account
from services.bookkeeping import Bookkeeper
from services.books import Venues
from services.execution import ExecutionService
from services.risk_desk import RiskDesk
from services.session import Inbox, Session
from services.trader import Trader
from tests.builders import candidate
from tests.builders_trader import Shelf
from tests.faults.process import STORM_RULES
from tests.faults.script import ScriptedEngine

SPEED = 120.0
PATIENCE = 20.0


class Minutes:
    """Closed minutes of the simulated market: each candle is the mark at its end."""

    def __init__(self, simulator: Simulator, axis: SymbolAxis, clock: Clock) -> None:
        self._simulator = simulator
        self._axis = axis
        self._clock = clock

    def start(self) -> None: ...

    async def close(self) -> None: ...

    async def minutes(self) -> AsyncIterator[MinuteClosed]:
        market = self._simulator.market
        while True:
            forming = market.minute_ms
            while market.minute_ms == forming:
                await self._clock.sleep(0.02)
            yield self._closed(forming)

    def _closed(self, open_time: int) -> MinuteClosed:
        quotes = self._simulator.venue.floor.quotes
        marks = np.array([float(quotes.mark(symbol)) for symbol in self._axis.names])
        row = np.vstack([marks] * 4 + [np.ones_like(marks)])
        context = MarketContext(
            bid=marks * 0.9999,
            ask=marks * 1.0001,
            mark=marks,
            funding_rate=np.zeros_like(marks),
            quote_volume_24h=np.full_like(marks, 1e9),
        )
        return MinuteClosed(
            open_time=open_time,
            axis=self._axis,
            row=row,
            present=np.ones(len(marks), dtype=np.bool_),
            context=context,
            seen_at=max(self._clock.market_ms(), open_time + MINUTE_MS),
        )


@dataclass
class Wish:
    """A strategy that wants one symbol, once it is told to."""

    symbol: str = ""

    def wishes(self, minute: MinuteClosed) -> Sequence[Candidate]:
        if self.symbol not in minute.symbols:
            return ()
        price = float(minute.row[0, minute.symbols.index(self.symbol)])
        wanted, self.symbol = self.symbol, ""
        return [
            candidate(wanted, side=Side.LONG, at=minute.at, price=price, stop_distance=0.029, confidence=99.0)
        ]

    def breaks(self, minute: MinuteClosed, symbol: str) -> Side | None:
        return None


@dataclass
class Ear:
    """People, listening."""

    alerts: list[Alert] = field(default_factory=list)

    def notify(self, notice: Notice) -> None:
        if isinstance(notice, Alert):
            self.alerts.append(notice)

    @property
    def keys(self) -> list[str]:
        return [each.key for each in self.alerts]


class Somebody:
    """Whoever else uses the account: a person in the app, or another program."""

    def __init__(self, connection: BinanceConnection, instruments: dict[str, Instrument]) -> None:
        self._connection = connection
        self._instruments = instruments

    async def trades(self, symbol: str, side: str, notional: Decimal, *, price: Decimal) -> None:
        quantity = self._instruments[symbol].round_quantity(notional / price)
        await self._send(rest.SUBMIT_ORDER, symbol=symbol, side=side, type="MARKET", quantity=f"{quantity:f}")

    async def rests_a_stop(self, symbol: str, *, price: Decimal, order_id: str) -> None:
        trigger = self._instruments[symbol].price_at_or_below(price)
        await self._send(
            rest.PLACE_CONDITIONAL,
            algoType="CONDITIONAL",
            symbol=symbol,
            side="SELL",
            type="STOP_MARKET",
            triggerPrice=f"{trigger:f}",
            closePosition="true",
            clientAlgoId=order_id,
        )

    async def _send(self, endpoint: rest.Endpoint, **parameters: str) -> None:
        await self._connection.api.call(endpoint, parameters, priority=Priority.ORDER, reply=Accepted)


@dataclass(kw_only=True)
class Venue:
    """A simulator that outlives traders, with what they leave on disk."""

    simulator: Simulator
    addresses: BinanceAddresses
    credentials: Credentials
    folder: Path
    symbols: tuple[str, ...]
    somebody: Somebody

    @property
    def account(self) -> Account:
        return self.simulator.venue.account("account-1")

    def mark(self, symbol: str) -> Decimal:
        return self.simulator.venue.floor.quotes.mark(symbol)

    def held(self, symbol: str) -> Decimal:
        return sum(
            (each.quantity for (name, _), each in self.account.positions.items() if name == symbol),
            Decimal(0),
        )

    def moves_money(self, amount: str) -> None:
        settings, now_ms = self.simulator.venue.settings, self.simulator.market.now_ms
        settings.deposit(self.account, Decimal(amount), now_ms=now_ms)

    def strangers_stop(self) -> str:
        """Return the id that another trader like us would give a stop."""
        return client_order_id("real:somebody else's", Role.STOP, 1)


@dataclass(kw_only=True)
class Life:
    """One life of a trader."""

    trader: Trader
    wish: Wish
    ear: Ear
    connection: BinanceConnection

    @property
    def positions(self) -> dict[str, Position]:
        return {each.position.symbol: each.position for each in self.trader.view().real}

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not holds():  # noqa: ASYNC110 - what is waited for is nobody's event
                await asyncio.sleep(0.02)  # noqa: TID251 - real sockets have no other clock

    async def opens(self, symbol: str) -> Position:
        """Have the strategy want a symbol, and wait until it is held and protected."""
        self.wish.symbol = symbol
        await self.until(lambda: symbol in self.positions and self.positions[symbol].is_protected)
        return self.positions[symbol]


@asynccontextmanager
async def venue(folder: Path) -> AsyncIterator[Venue]:
    simulator = Simulator(SimConfig(speed=SPEED, symbols=8, seed=5, history_bars=16))
    told = await simulator.start()
    addresses = BinanceAddresses(rest=told.rest, ws=told.ws)
    credentials = Credentials(api_key=told.api_key, api_secret=told.api_secret)
    connection = _connection(addresses, credentials, simulator)
    try:
        instruments = dict(await connection.exchange.instruments())
        yield Venue(
            simulator=simulator,
            addresses=addresses,
            credentials=credentials,
            folder=folder,
            symbols=tuple(sorted(instruments)),
            somebody=Somebody(connection, instruments),
        )
    finally:
        await connection.close()
        await simulator.close()


@asynccontextmanager
async def life(at: Venue) -> AsyncIterator[Life]:
    """Let a trader live on what the last one left, until the context ends."""
    connection, clock = _connection(at.addresses, at.credentials, at.simulator), _clock(at.simulator)
    axis, inbox, wish, ear = SymbolAxis.of(at.symbols), Inbox(), Wish(), Ear()
    bookkeeper = Bookkeeper(Shelf(), clock)
    execution = ExecutionService(connection.exchange, post=inbox.post, clock=clock)
    instruments = await connection.exchange.instruments()
    store, paper = CandleStore(axis), PaperExchange(instruments, deposit=Decimal(10_000))
    with SqliteJournal(at.folder / "journal.db", durable=False) as journal:
        trader = Trader(
            mode="sim",
            engine=ScriptedEngine(axis, wish),
            store=store,
            desk=RiskDesk(instruments, store, STORM_RULES, bars_entries=lambda: connection.bars_entries),
            venues=Venues(real=execution, virtual=paper, virtual_driver=paper),
            journal=journal,
            bookkeeper=bookkeeper,
            notifier=ear,
            clock=clock,
            parameters=STORM_RULES,
        )
        session = Session(
            trader,
            inbox,
            minutes=Minutes(at.simulator, axis, clock),
            exchange=connection.exchange,
            bookkeeper=bookkeeper,
            clock=clock,
            mark=at.mark,
            execution=execution,
        )
        alive = Life(trader=trader, wish=wish, ear=ear, connection=connection)
        async with _running(session, connection):
            await alive.until(lambda: trader.desk.equity is not None)
            yield alive


@asynccontextmanager
async def _running(session: Session, connection: BinanceConnection) -> AsyncIterator[None]:
    running = asyncio.create_task(session.run(lambda: False))
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await connection.close()


def _clock(simulator: Simulator) -> ScaledClock:
    return ScaledClock(speed=SPEED, market_ms=simulator.market.now_ms)


def _connection(
    addresses: BinanceAddresses, credentials: Credentials, simulator: Simulator
) -> BinanceConnection:
    return BinanceConnection(addresses, credentials, clock=_clock(simulator), rng=seeded(1), speed=SPEED)
