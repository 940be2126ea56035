"""The one loop: everything that changes trading state happens here, one event after another."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Protocol

from core.clock import Clock
from core.errors import JournalError
from core.journal import MinuteJudged, SignalJudged
from core.lifecycle import LifecycleParameters
from core.market import CandleHistory, MinuteClosed, SymbolAxis
from core.monitoring import Structure
from core.notices import Severity, SignalRefused
from core.operation import OperatorAction, OperatorRequest
from core.orders import AccountSurvey, AccountUnreadable, Report, StreamLost, Transferred
from core.parameters import Parameters
from core.ports import Execution, Journal, Notifier
from core.positions import ExitReason, Position, PositionPlan, Source, Stage
from core.signals import Candidate, RankedSignal
from core.universe import UniverseRefreshed
from core.verdicts import Refused
from core.views import PositionView, ScanView, TraderView
from data.candle_store import CandleStore
from services.book import Book, MinuteDriven
from services.bookkeeping import Bookkeeper
from services.clerk import Clerk
from services.digest import DecisionDigest
from services.journal_guard import JournalGuard
from services.monitoring import MonitoringService
from services.risk_desk import RiskDesk
from services.tally import Tally

log = logging.getLogger(__name__)

_UNSETTLED = {Stage.INTENDED, Stage.ENTERING, Stage.UNKNOWN, Stage.PROTECTING}

REMEMBERED_POSITIONS = 10_000


@dataclass(frozen=True, slots=True)
class Tick:
    """A moment of machine time has passed: look at the deadlines. ``marks`` are the newest known ones."""

    marks: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseRequested:
    """A person wants a position closed at market."""

    source: Source
    symbol: str


TraderEvent = (
    MinuteClosed | CandleHistory | UniverseRefreshed | Tick | CloseRequested | OperatorRequest | Report
)


class Engine(Protocol):
    """What the trader asks of market analysis; ``services.strategy_engine`` is the one there is."""

    axis: SymbolAxis

    def warm_up(self, history: CandleHistory) -> None: ...

    def on_minute(self, minute: MinuteClosed) -> Sequence[Candidate]: ...

    def ready(self) -> int: ...

    def structure(self, symbol: str) -> Structure | None: ...


class PaperVenue(Execution, MinuteDriven, Protocol):
    """A venue made of closed candles that takes orders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Venues:
    """Where the books trade; ``*_driver`` is given where the venue is made of closed candles.

    ``twin`` is where every real position is also held on paper; without it there are no twins.
    """

    real: Execution
    virtual: Execution
    real_driver: MinuteDriven | None = None
    virtual_driver: MinuteDriven | None = None
    twin: PaperVenue | None = None


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
        self._mode = mode
        self._engine = engine
        self._store = store
        self.desk = desk
        self._journal = JournalGuard(journal, failed=self._on_journal_fault, lost=self._on_journal_loss)
        self._notifier = notifier
        self._clock = clock
        self._parameters = parameters
        self._clerk = Clerk(
            desk=desk,
            store=store,
            journal=self._journal,
            bookkeeper=bookkeeper,
            notifier=notifier,
            clock=clock,
        )
        self._monitoring = MonitoringService(engine, parameters)
        rules = lifecycle or LifecycleParameters()
        self._real = self._book(Source.REAL, venues.real, venues.real_driver, rules)
        self._virtual = self._book(Source.VIRTUAL, venues.virtual, venues.virtual_driver, rules)
        self._twins = self._book(Source.TWIN, venues.twin, venues.twin, rules) if venues.twin else None
        self._warmed: set[str] = set()
        self._minute: MinuteClosed | None = None
        self._scan: ScanView | None = None
        self._ranked: tuple[RankedSignal, ...] = ()
        self._real_closed = 0

    @property
    def tally(self) -> Tally:
        return self._clerk.tally

    @property
    def digest(self) -> DecisionDigest:
        return self._clerk.digest

    def process(self, event: TraderEvent) -> None:
        """Apply one event and everything that follows from it at once."""
        self._apply(event)
        if self.desk.is_panicking:
            self.close_all()
        self._use_free_slot()

    def _apply(self, event: TraderEvent) -> None:  # noqa: C901 - a flat table of what each event does
        match event:
            case MinuteClosed():
                self._on_minute(event)
            case CandleHistory():
                self._engine.warm_up(event)
                self._store.load(event)
                self._warmed.add(event.symbol)
            case Tick():
                self._real.tick(event.marks)
                self._virtual.tick()
                if self._twins is not None:
                    self._twins.tick()
            case CloseRequested():
                self._book_of(event.source).request_close(event.symbol, ExitReason.OPERATOR)
            case OperatorRequest():
                self._on_operator(event)
            case AccountSurvey():
                self._clerk.notice(self._real.reconcile(event), event.at)
            case AccountUnreadable():
                self._clerk.say("account_unreadable", Severity.CRITICAL, at=event.at, text=event.reason)
            case Transferred():
                self._clerk.transferred(event)
            case UniverseRefreshed():
                self._on_universe(event)
            case StreamLost():
                self._real.ask_everything()
            case _:
                self._real.receive(event)

    def restore(self) -> None:
        """Take up what an earlier run left in the journal: what it learned, its risk state, its positions."""
        self.desk.recall(self._journal.closed_trades(), self._journal.risk_state())
        self._clerk.restored()
        positions = self._journal.live_positions()
        known = self._journal.position_ids(REMEMBERED_POSITIONS)
        self._real.restore([each for each in positions if each.plan.source is Source.REAL], known)
        self._virtual.restore([each for each in positions if each.plan.source is Source.VIRTUAL], known)
        if self._twins is not None:
            self._twins.restore([each for each in positions if each.plan.source is Source.TWIN])

    @property
    def is_unsettled(self) -> bool:
        """Whether an entry is on its way or held without a confirmed stop: no moment to leave."""
        return any(position.stage in _UNSETTLED for position in self._real.positions.values())

    @property
    def held(self) -> tuple[str, ...]:
        """Symbols in which real money is, or may be."""
        return tuple(self._real.positions)

    def close_all(self) -> int:
        """Ask every real position to close at market; returns how many will."""
        held = list(self._real.positions)
        return sum(self._real.request_close(symbol, ExitReason.OPERATOR) for symbol in held)

    def unprotected_seconds_max(self) -> float:
        """Return the longest that a real position has been held without a confirmed stop, machine seconds."""
        mono = self._clock.monotonic()
        live = (
            max(each.unprotected_seconds, mono - each.exposed_mono if each.exposed_mono is not None else 0.0)
            for each in self._real.positions.values()
        )
        return max(self.tally.unprotected_seconds_max, *live, 0.0)

    def view(self) -> TraderView:
        """Take a picture for people."""
        return TraderView(
            at=self._minute.at if self._minute else self._clock.market_ms(),
            mode=self._mode,
            loaded=len(self._warmed),
            universe=len(self._engine.axis),
            scan=self._scan,
            real=self._views(self._real),
            virtual=self._views(self._virtual),
            balance=self.desk.balance(self._real.positions.values()),
            performance=self.desk.performance(Source.REAL),
            virtual_performance=self.desk.performance(Source.VIRTUAL),
            twin_gap=self.desk.twin_gap,
            halted=self.desk.halted,
        )

    def _on_universe(self, event: UniverseRefreshed) -> None:
        """Judge by the newest contracts, and get out of those that will soon not be traded."""
        self.desk.follow(event.instruments)
        self._clerk.universe(event)
        for symbol in event.leaving:
            for book in self._books:
                book.request_close(symbol, ExitReason.DELISTED)

    # --- a minute -----------------------------------------------------------------------------------

    def _on_minute(self, minute: MinuteClosed) -> None:
        started = self._clock.monotonic()
        self._minute = minute
        self._store.append(minute)
        candidates = self._engine.on_minute(minute)
        ranked = self.desk.rank(candidates, minute)
        self.tally.scanned(self._clock.monotonic() - started)
        self._scan = self._picture(minute, len(candidates), ranked)
        for book in self._books:
            book.advance(minute)
        for book in self._books:
            self._monitoring.look_after(book, minute)
        self._enter(ranked, minute)
        self._record(minute, ranked)

    def _enter(self, ranked: Sequence[RankedSignal], minute: MinuteClosed) -> None:
        """Offer the best to the risk gate, and follow the rest virtually."""
        for signal in ranked:
            self.tally.signals += 1
            verdict = self._offer(signal, minute)
            if isinstance(verdict, PositionPlan):
                self._open(verdict, minute)
            else:
                self._refuse(signal, verdict, minute)
        self._ranked = tuple(ranked)
        self._real_closed = self.tally.real.closed

    def _use_free_slot(self) -> None:
        """Offer this minute's signals again when a real position has closed in the middle of it.

        One that began virtually, and has not been filled yet, is taken back from there.
        """
        minute = self._minute
        if minute is None or self.tally.real.closed == self._real_closed:
            return
        self._real_closed = self.tally.real.closed
        if self._clock.market_ms() - minute.at > self._parameters.risk.max_signal_age_ms:
            return
        free = [
            each for each in self._ranked if not self._real.knows(f"{Source.REAL}:{each.candidate.signal_id}")
        ]
        for signal in free[: self._parameters.ranking.real_ranks]:
            verdict = self.desk.judge(signal, minute, self._real.positions)
            if isinstance(verdict, PositionPlan):
                self._virtual.withdraw(verdict.symbol)
                self._open(verdict, minute)

    def _offer(self, signal: RankedSignal, minute: MinuteClosed) -> PositionPlan | Refused:
        refusal: Refused | None = None
        if signal.rank <= self._parameters.ranking.real_ranks:
            verdict = self.desk.judge(signal, minute, self._real.positions)
            if isinstance(verdict, PositionPlan):
                return verdict
            refusal = verdict
        if refusal is not None and not refusal.may_be_virtual:
            return refusal
        return self.desk.judge_virtual(signal, minute, self._virtual.positions)

    def _open(self, plan: PositionPlan, minute: MinuteClosed) -> None:
        book = self._book_of(plan.source)
        if book.knows(plan.position_id):
            log.warning("%s was acted on before: the same signal came twice", plan.position_id)
            return
        self._clerk.keep_risk(minute.at)
        if not self._begin(book, plan):
            return
        self._judged(plan.signal, plan.source.value, (), minute)
        self.digest.opened(plan)
        if plan.source is Source.REAL and self._twins and plan.symbol not in self._twins.positions:
            self._begin(self._twins, replace(plan, source=Source.TWIN))

    def _begin(self, book: Book, plan: PositionPlan) -> bool:
        """Open in one book; ``False``, and nothing of it remains, where the intent can not be written."""
        self._clerk.remember(plan)
        try:
            book.open(plan)
        except JournalError:
            log.warning("%s is not opened: its intent could not be written down", plan.position_id)
            self._clerk.forget(plan)
            return False
        return True

    def _refuse(self, signal: RankedSignal, refusal: Refused, minute: MinuteClosed) -> None:
        self.tally.refused += 1
        reasons = tuple(reason.value for reason in refusal.reasons)
        self._judged(signal, "refused", reasons, minute)
        self._notifier.notify(SignalRefused(signal=signal, reasons=reasons, at=minute.at))

    def _judged(
        self, signal: RankedSignal, verdict: str, reasons: tuple[str, ...], minute: MinuteClosed
    ) -> None:
        self.digest.signal(signal, verdict, reasons)
        body = SignalJudged(signal=signal, verdict=verdict, reasons=reasons)
        key = f"{signal.candidate.signal_id}:{verdict}"  # a slot that comes free changes the verdict
        self._clerk.record(body, at=minute.at, seen_at=minute.seen_at, key=key)

    def _record(self, minute: MinuteClosed, ranked: Sequence[RankedSignal]) -> None:
        absent = tuple(
            symbol for symbol, there in zip(minute.symbols, minute.present.tolist(), strict=True) if not there
        )
        body = MinuteJudged(
            row_sha256=hashlib.sha256(minute.row.tobytes()).hexdigest(),
            symbols=len(minute.symbols),
            absent=absent,
            ranked=len(ranked),
            equity=str(self.desk.equity),
        )
        self._clerk.record(body, at=minute.at, seen_at=minute.seen_at, key=f"minute:{minute.open_time}")

    def _picture(self, minute: MinuteClosed, candidates: int, ranked: tuple[RankedSignal, ...]) -> ScanView:
        return ScanView(
            at=minute.at,
            symbols=len(minute.symbols),
            ready=self._engine.ready(),
            absent=int((~minute.present).sum()),
            candidates=candidates,
            elapsed_ms=self.tally.scan_seconds[-1] * 1000,
            ranked=ranked,
        )

    def _book(
        self, source: Source, execution: Execution, driver: MinuteDriven | None, rules: LifecycleParameters
    ) -> Book:
        return Book(
            source,
            execution,
            journal=self._journal,
            clock=self._clock,
            parameters=rules,
            listener=self._clerk.listener(source),
            venue=driver,
        )

    @property
    def _books(self) -> tuple[Book, ...]:
        """All books, the real one last: what is decided on paper must not wait for it."""
        return (self._virtual, *((self._twins,) if self._twins else ()), self._real)

    def _book_of(self, source: Source) -> Book:
        return self._real if source is Source.REAL else self._virtual

    # --- people and faults ---------------------------------------------------------------------------

    def _on_operator(self, request: OperatorRequest) -> None:
        self._clerk.operate(request, self._clock.market_ms())
        if request.action is OperatorAction.CLOSE:
            self._book_of(request.source).request_close(request.symbol, ExitReason.OPERATOR)

    def _on_journal_fault(self, fault: str) -> None:
        self._clerk.journal_failed(fault)

    def _on_journal_loss(self) -> None:
        self._clerk.journal_lost()

    # --- small things -------------------------------------------------------------------------------

    def _views(self, book: Book) -> tuple[PositionView, ...]:
        return tuple(self._position_view(position) for position in book.positions.values())

    def _position_view(self, position: Position) -> PositionView:
        candle = self._minute.candle(position.symbol) if self._minute else None
        mark = candle.close if candle else position.entry_price
        pnl = position.unrealised_pnl(mark)
        margin = position.entry_price * position.quantity / position.plan.leverage
        roi = float(pnl / margin) if margin else 0.0
        return PositionView(position=position, mark=mark, unrealised_pnl=pnl, roi=roi)
