"""One life of the trader: everything that dies with its process, wired as the composition root wires it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from core.clock import Clock
from core.market import MINUTE_MS, SymbolAxis
from core.notices import Alert, Notice
from core.parameters import MonitoringParameters, Parameters, RiskParameters, UniverseParameters
from core.positions import Position
from core.trades import TradeRecord
from data.candle_store import CandleStore
from data.journal import SqliteJournal
from exchange.binance.connection import BinanceConnection
from exchange.binance.futures import BinanceFutures
from exchange.limits.ban import BanNote
from exchange.paper import PaperExchange
from services.bookkeeping import Bookkeeper
from services.books import Venues
from services.execution import ExecutionService
from services.operator import Operator
from services.operator import Operator
from services.risk_desk import RiskDesk
from services.session import Inbox, Session
from services.trader import Trader
from tests.fakes.in_process import InProcessTransport
from tests.faults.exchange import ADDRESSES, SPEED, StormExchange, StormMinutes, generator
from tests.faults.plan import Weather
from tests.faults.power import Power, StormJournal, StormTransport
from tests.faults.script import Script, ScriptedEngine
from tests.faults.watch import Watch

STORM_RULES = Parameters(
    universe=UniverseParameters(max_spread=1.0, min_quote_volume_24h=0.0),
    risk=RiskParameters(
        max_day_loss=Decimal(1),
        drawdown_halt=Decimal(1),
        entry_capacity=1000,
        cooldown_ms=0,
        max_stops=1000,
        max_correlated=10,
    ),
    monitoring=MonitoringParameters(time_stop_ms=7 * MINUTE_MS),
)
"""The strategy's numbers, but for limits that would end a storm early; positions, margin and size stay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What outlives a process: the exchange, the disk, time, what the strategy will say, and who watches."""

    exchange: StormExchange
    folder: Path
    clock: Clock
    script: Script
    watch: Watch
    weather: Weather

    @property
    def journal(self) -> Path:
        return self.folder / "journal.db"

    def disk_is_full(self) -> bool:
        begins, ends = self.weather.disk_full
        is_full = begins <= self.clock.monotonic() < ends
        self.watch.ledger.has_gaps |= is_full
        return is_full


class Ear:
    """People, listening."""

    def __init__(self) -> None:
        self.alerts: list[Alert] = []

    def notify(self, notice: Notice) -> None:
        if isinstance(notice, Alert):
            self.alerts.append(notice)


class Shelf:
    """A trade log that takes everything and keeps nothing."""

    def write(self, records: Sequence[TradeRecord]) -> None: ...


class Process:
    """A trader from start to end, whichever way it ends."""

    def __init__(self, world: World, power: Power, *, life: int) -> None:
        self._world = world
        self._power = power
        self._rng = generator(world.weather.seed, 4, life)
        self._inbox = Inbox()
        self._trader: Trader | None = None
        self.ear = Ear()

    @property
    def has_begun(self) -> bool:
        """Whether the exchange was reached and the trader runs."""
        return self._trader is not None

    @property
    def trades(self) -> bool:
        """Whether the account has been read, so that positions may be opened."""
        return self._trader is not None and self._trader.desk.equity is not None

    def positions(self) -> list[Position]:
        """Return what the trader believes to hold or to be about to."""
        return [each.position for each in self._trader.view().real] if self._trader else []

    def close(self, symbol: str) -> None:
        """Ask for a close, as a person would."""
        Operator(self._inbox.post).close("storm", symbol)

    def resume(self) -> None:
        """Let entries be taken again where something has halted them, as a person would who has seen to it."""
        if self._trader is not None and self._trader.desk.halted:
            Operator(self._inbox.post).resume("storm")

    async def run(self) -> None:
        """Live until cancelled, without power, or until something in it fails."""
        watch, clock = self._world.watch, self._world.clock
        transport = StormTransport(
            InProcessTransport(self._world.exchange.door, clock),
            self._power,
            clock=clock,
            rng=self._rng,
            latency=self._world.weather.latency,
            told=watch.told,
            asked=watch.asked,
        )
        connection = BinanceConnection(
            ADDRESSES,
            self._world.exchange.credentials,
            clock=clock,
            rng=self._rng,
            speed=SPEED,
            transport=transport,
            ban=BanNote(self._world.folder / "ban.txt", clock),
        )
        try:
            with SqliteJournal(self._world.journal, durable=False) as disk:
                journal = StormJournal(
                    disk, self._power, committed=watch.ledger.committed, is_full=self._world.disk_is_full
                )
                await self._trade(connection.exchange, journal)
        finally:
            await transport.close()

    async def _trade(self, exchange: BinanceFutures, journal: StormJournal) -> None:
        world, clock = self._world, self._world.clock
        instruments = await exchange.instruments()
        axis = SymbolAxis(tuple(world.exchange.symbols))
        store = CandleStore(axis)
        paper = PaperExchange(instruments, deposit=Decimal(10_000))
        bookkeeper = Bookkeeper(Shelf(), clock)
        execution = ExecutionService(exchange, post=self._inbox.post, clock=clock)
        self._trader = Trader(
            mode="sim",
            engine=ScriptedEngine(axis, world.script),
            store=store,
            desk=RiskDesk(instruments, store, STORM_RULES),
            venues=Venues(real=execution, virtual=paper, virtual_driver=paper),
            journal=journal,
            bookkeeper=bookkeeper,
            notifier=self.ear,
            clock=clock,
            parameters=STORM_RULES,
        )
        session = Session(
            self._trader,
            self._inbox,
            minutes=StormMinutes(world.exchange, axis, clock),
            exchange=exchange,
            bookkeeper=bookkeeper,
            clock=clock,
            mark=world.exchange.mark,
        )
        await session.run(lambda: False)
