"""One life of the trader: everything that dies with its process, wired as the composition root wires it."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from core.instruments import Instrument
from core.market import MINUTE_MS, CandleHistory, MinuteClosed, SymbolAxis
from core.operation import OperatorAction, OperatorRequest
from core.parameters import MonitoringParameters, Parameters, RiskParameters, UniverseParameters
from core.positions import Position
from core.risk_state import Halt
from core.universe import tradable
from data.candle_store import CandleStore
from data.journal import SqliteJournal
from exchange.binance.connection import BinanceConnection
from exchange.limits.ban import BanNote
from exchange.paper import PaperExchange
from services.bookkeeping import Bookkeeper
from services.books import Venues
from services.data_service import DataService
from services.execution import ExecutionService
from services.notifiers import Notifiers
from services.operator import Operator
from services.risk_desk import RiskDesk
from services.session import Inbox, Session
from services.trader import Trader
from services.universe import Universe
from tests.fakes.in_process import InProcessTransport
from tests.faults.exchange import ADDRESSES, SPEED, StormMinutes, generator
from tests.faults.power import Power, StormJournal, StormTransport
from tests.faults.script import ScriptedEngine
from tests.faults.witness import Witness
from tests.faults.world import BrokenFront, Ear, Shelf, World

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


class Process:
    """A trader from start to end, whichever way it ends."""

    def __init__(self, world: World, power: Power, *, life: int) -> None:
        self._world = world
        self._power = power
        self._rng = generator(world.weather.seed, 4, life)
        self._inbox = Inbox()
        self._trader: Trader | None = None
        self.ear = Ear(world.watch)

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
        """Let entries be taken again, as a person who has seen to what halted them; but not his own halts."""
        if self._trader is not None and self._trader.desk.halted not in {"", Halt.PAUSED, Halt.PANIC}:
            Operator(self._inbox.post).resume("storm")

    def ask(self, action: OperatorAction) -> None:
        """Ask for something that is about everything."""
        self._inbox.post(OperatorRequest(action=action, by="storm"))

    async def run(self) -> None:
        """Live until cancelled, without power, or until something in it fails."""
        watch, clock = self._world.watch, self._world.machine
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
                    disk, self._power, committed=watch.ledger.committed, fails=self._world.write_fails
                )
                await connection.api.synchronise_clock()
                await self._trade(connection, journal)
        finally:
            await transport.close()

    async def _trade(self, connection: BinanceConnection, journal: StormJournal) -> None:
        world, clock, exchange = self._world, self._world.machine, connection.exchange
        instruments = await exchange.instruments()
        axis = self._axis(instruments)
        store = CandleStore(axis)

        def paper() -> PaperExchange:
            return PaperExchange(instruments, deposit=Decimal(10_000))

        virtual = paper()
        bookkeeper = Bookkeeper(Shelf(world.beside), clock)
        execution = ExecutionService(exchange, post=self._inbox.post, clock=clock)
        minutes = self._minutes(connection, axis)
        universe = Universe(
            exchange,
            minutes,
            instruments,
            held=lambda: self._trader.involved if self._trader else (),
            blacklist=(world.exchange.foreign,),
            post=self._inbox.post,
            clock=clock,
            parameters=STORM_RULES.universe,
        )
        notifier = Notifiers((BrokenFront(world.beside), self.ear, universe))
        self._trader = Trader(
            mode="sim",
            engine=ScriptedEngine(axis, world.script, heard=self._heard()),
            store=store,
            desk=RiskDesk(instruments, store, STORM_RULES),
            venues=Venues(
                real=execution, virtual=virtual, virtual_driver=virtual, twin=paper(), shadow=paper
            ),
            journal=journal,
            bookkeeper=bookkeeper,
            notifier=notifier,
            clock=clock,
            parameters=STORM_RULES,
        )
        session = Session(
            self._trader,
            self._inbox,
            minutes=minutes,
            exchange=exchange,
            bookkeeper=bookkeeper,
            clock=clock,
            mark=minutes.mark,
            execution=execution,
        )
        beside = universe.run()
        try:
            await session.run(lambda: False, beside)
        finally:
            beside.close()  # a life may end before it began

    def _minutes(self, connection: BinanceConnection, axis: SymbolAxis) -> DataService | StormMinutes:
        """Return who tells the minutes: the streams or, as most storms are about orders, the market."""
        world = self._world
        if not world.weather.streams_candles:
            return StormMinutes(world.exchange, axis, world.machine, on_axis=self._inbox.post)
        return DataService(
            axis,
            connection.candles,
            streams=lambda sink: connection.market_streams(axis.names, sink),
            clock=world.machine,
            on_history=self._inbox.post,
            on_axis=self._inbox.post,
        )

    def _heard(self) -> Callable[[CandleHistory | MinuteClosed], None]:
        """Return the ears of a witness, who tells the watch: what he finds is not the trader's to catch."""
        witness = Witness(self._world.exchange, streams=self._world.weather.streams_candles)
        return lambda news: self._world.watch.noted(lambda: witness.hear(news))

    def _axis(self, instruments: Mapping[str, Instrument]) -> SymbolAxis:
        """Follow what may be traded now, as the composition root does."""
        now_ms, bounds = self._world.machine.market_ms(), STORM_RULES.universe
        listed = {each: instruments[each] for each in self._world.exchange.symbols if each in instruments}
        return SymbolAxis.of(tradable(listed, at=now_ms, parameters=bounds))
