"""The one loop: everything that changes trading state happens here, one event after another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from core.clock import Clock
from core.income import IncomesListed, WalletMoved
from core.lifecycle import LifecycleParameters
from core.market import AxisChanged, CandleHistory, MinuteClosed, SymbolAxis
from core.monitoring import Structure
from core.operation import OperatorRequest
from core.orders import AccountSurvey, AccountUnreadable, OrderRejected, Report, StreamLost
from core.parameters import Parameters
from core.ports import Journal, Notifier
from core.positions import ExitReason
from core.signals import Candidate
from core.universe import UniverseRefreshed
from core.views import TraderView
from data.candle_store import CandleStore
from services.bookkeeping import Bookkeeper
from services.books import Books, Venues
from services.clerk import Clerk
from services.digest import DecisionDigest
from services.entries import Entries
from services.given_up import REMEMBERED
from services.helm import Helm
from services.inputs import Inputs
from services.journal_guard import JournalGuard
from services.known_tags import REMEMBERED_POSITIONS
from services.monitoring import MonitoringService
from services.portrait import Portrait
from services.risk_desk import RiskDesk
from services.shadows import Shadows
from services.snapshots import Snapshots
from services.tally import Tally


@dataclass(frozen=True, slots=True)
class Tick:
    """A moment of machine time has passed: look at the deadlines. ``marks`` are the newest known ones."""

    marks: Mapping[str, Decimal] = field(default_factory=dict)


TraderEvent = MinuteClosed | CandleHistory | AxisChanged | UniverseRefreshed | Tick | OperatorRequest | Report


class Engine(Protocol):
    """What the trader asks of market analysis; ``services.strategy_engine`` is the one there is."""

    axis: SymbolAxis

    def arrange(self, axis: SymbolAxis) -> None: ...

    def warm_up(self, history: CandleHistory) -> None: ...

    def on_minute(self, minute: MinuteClosed) -> Sequence[Candidate]: ...

    def ready(self) -> int: ...

    def structure(self, symbol: str) -> Structure | None: ...


class Trader:
    """Decides and keeps state. Synchronous: whoever owns the loop feeds it events in order.

    When the journal can not be written nothing more is opened, and what is open is still protected,
    watched and closed.
    """

    def __init__(  # noqa: PLR0913 - the composition root hands it every part by name
        self,
        *,
        mode: str,
        engine: Engine,
        store: CandleStore,
        desk: RiskDesk,
        venues: Venues,
        journal: Journal,
        bookkeeper: Bookkeeper,
        notifier: Notifier,
        clock: Clock,
        parameters: Parameters,
        lifecycle: LifecycleParameters | None = None,
    ) -> None:
        self._engine = engine
        self._store = store
        self._clock = clock
        self.desk = desk
        self._journal = journal
        self._recorder = JournalGuard(journal, failed=self._on_journal_fault, lost=self._on_journal_loss)
        snapshots, rules = Snapshots(store), lifecycle or LifecycleParameters()
        self._clerk = Clerk(
            desk=desk,
            snapshots=snapshots,
            journal=self._recorder,
            bookkeeper=bookkeeper,
            notifier=notifier,
            clock=clock,
            ask=venues.real.submit,
        )
        self._books = Books(
            venues,
            self._clerk.listener,
            journal=self._recorder,
            clock=clock,
            parameters=rules,
        )
        self._monitoring = MonitoringService(engine, parameters)
        self._shadows = self._following(venues, snapshots, bookkeeper, rules)
        self._inputs = Inputs(desk, engine.axis)
        self._entries = Entries(
            self._books,
            desk,
            self._clerk,
            snapshots=snapshots,
            inputs=self._inputs,
            notifier=notifier,
            clock=clock,
            parameters=parameters,
        )
        self._helm = Helm(self._books, desk, self._clerk, clock=clock)
        self._portrait = Portrait(self._books, desk, mode=mode, clock=clock)
        self._warmed: set[str] = set()

    @property
    def tally(self) -> Tally:
        return self._clerk.tally

    @property
    def digest(self) -> DecisionDigest:
        return self._clerk.digest

    @property
    def is_unsettled(self) -> bool:
        """Whether an entry is on its way or held without a confirmed stop: no moment to leave."""
        return self._books.is_unsettled

    @property
    def held(self) -> tuple[str, ...]:
        """Symbols in which real money is, or may be."""
        return tuple(self._books.real.positions)

    @property
    def involved(self) -> frozenset[str]:
        """Symbols of all positions, those on paper included."""
        held = frozenset(symbol for book in self._books for symbol in book.positions)
        return held | {position.symbol for position in self._shadows.positions}

    def unprotected_seconds_max(self) -> float:
        """Return the longest that a real position has been held without a confirmed stop, machine seconds."""
        return max(self.tally.unprotected_seconds_max, self._books.unprotected_seconds_max())

    def view(self) -> TraderView:
        """Take a picture for people."""
        return self._portrait.view(loaded=len(self._warmed), universe=len(self._engine.axis))

    def restore(self) -> None:
        """Take up what an earlier run left in the journal: what it learned, its risk state, its positions."""
        self.desk.recall(self._journal)
        known = self._journal.position_ids(REMEMBERED_POSITIONS)
        live = self._journal.live_positions()
        given_up = self._journal.given_up(REMEMBERED)
        self._clerk.restored(self._journal.damage())
        self._books.restore(live, known)
        self._books.real.remember(given_up)
        self._shadows.restore(live)
        self._clerk.taken_up(self._books.real.positions.values(), followed=len(self._books.virtual.positions))

    def stand_down(self) -> None:
        """Open nothing more until another minute comes: the run is ending."""
        self._entries.forget()

    def process(self, event: TraderEvent) -> None:
        """Apply one event and everything that follows from it at once."""
        self._helm.look_at_clock()
        self._apply(event)
        self._helm.keep_course()
        for plan in self._entries.use_free_slot():
            self._shadows.withdraw(plan.candidate)

    def _apply(self, event: TraderEvent) -> None:
        match event:
            case MinuteClosed():
                self._on_minute(event)
            case CandleHistory():
                self._engine.warm_up(event)
                self._inputs.warmed(event)
                self._store.load(event)
                self._warmed.add(event.symbol)
            case AxisChanged():
                self._engine.arrange(event.axis)
                self._store.arrange(event.axis)
                self._warmed.intersection_update(event.axis.names)
            case Tick():
                self._recorder.make_up()
                self._books.tick(event.marks)
            case OperatorRequest():
                self._helm.obey(event)
            case UniverseRefreshed():
                self._on_universe(event)
            case _:
                self._on_account_news(event)

    def _on_account_news(self, news: Report) -> None:
        match news:
            case AccountSurvey():
                self._clerk.notice(self._books.real.reconcile(news), news.at)
            case AccountUnreadable():
                self._clerk.unreadable(news)
            case OrderRejected(is_barred=True):
                self._clerk.barred(news)
                self._books.real.receive(news)
            case IncomesListed():
                for paid in self._clerk.treasurer.funding(news):
                    self._books.real.receive(paid)
                self._clerk.treasurer.listed(news)
            case WalletMoved():
                self._clerk.treasurer.moved()
            case StreamLost():
                self._books.real.ask_everything()
            case _:
                self._books.real.receive(news)

    def _on_universe(self, event: UniverseRefreshed) -> None:
        """Judge by the newest contracts, and get out of those that will soon not be traded."""
        self.desk.follow(event.instruments)
        for book in self._books:
            book.follow(event.instruments)
        self._shadows.follow_contracts(event.instruments)
        self._clerk.universe(event)
        unheard_of = self.involved - event.instruments.keys()
        for symbol in (*event.leaving, *sorted(unheard_of)):
            self._books.close_everywhere(symbol, ExitReason.DELISTED)
            self._shadows.leave(symbol)

    def _on_minute(self, minute: MinuteClosed) -> None:
        started = self._clock.monotonic()
        self._store.append(minute)
        candidates = self._engine.on_minute(minute)
        ranked = self.desk.rank(candidates, minute)
        seconds = self._clock.monotonic() - started
        self.tally.scanned(seconds)
        self._portrait.scanned(
            minute, ranked, candidates=len(candidates), ready=self._engine.ready(), seconds=seconds
        )
        self._books.advance(minute)
        for book in self._books:
            self._monitoring.look_after(book, minute)
        unopened = [*self._entries.offer(ranked, minute), *self._entries.turn_away(candidates, minute)]
        entry = self._inputs.entry(minute, ranked=len(ranked))
        self._clerk.record(entry, at=minute.at, seen_at=minute.seen_at, key=f"minute:{minute.open_time}")
        self._shadows.live_through(minute)
        self._shadows.follow(unopened)

    def _following(
        self, venues: Venues, snapshots: Snapshots, bookkeeper: Bookkeeper, rules: LifecycleParameters
    ) -> Shadows:
        return Shadows(
            venues.shadow,
            journal=self._recorder,
            snapshots=snapshots,
            bookkeeper=bookkeeper,
            monitoring=self._monitoring,
            tally=self.tally,
            clock=self._clock,
            parameters=rules,
        )

    def _on_journal_fault(self, fault: str) -> None:
        self._clerk.journal_failed(fault)

    def _on_journal_loss(self) -> None:
        self._clerk.journal_lost()
