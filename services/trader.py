"""The one loop: everything that changes trading state happens here, one event after another."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

import numpy as np

from core.clock import Clock
from core.journal import Entry, MinuteJudged, PositionClosed, RiskChanged, SignalJudged
from core.lifecycle import LifecycleParameters
from core.lifecycle_moves import Concern
from core.market import CandleHistory, Field, Floats, MinuteClosed, SymbolAxis
from core.monitoring import Structure, exit_wanted, stop_wanted
from core.notices import Alert, PositionEnded, PositionOpened, Severity, SignalRefused
from core.orders import AccountRead, AccountSurvey, AccountUnreadable, OrderFilled, Report, StreamLost
from core.parameters import Parameters
from core.ports import Execution, Journal, Notifier
from core.positions import ExitReason, Position, PositionPlan, Source
from core.reconciliation import Finding, Oddity
from core.risk_state import Halt
from core.signals import Candidate, RankedSignal
from core.trades import SNAPSHOT_BARS, TradeRecord
from core.verdicts import Refused
from core.views import PositionView, ScanView, TraderView
from data.candle_store import CandleStore
from services.book import Book, BookListener, MinuteDriven
from services.bookkeeping import Bookkeeper
from services.digest import DecisionDigest
from services.risk_desk import RiskDesk
from services.tally import Tally

log = logging.getLogger(__name__)

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


TraderEvent = MinuteClosed | CandleHistory | Tick | CloseRequested | Report


class Engine(Protocol):
    """What the trader asks of market analysis; ``services.strategy_engine`` is the one there is."""

    axis: SymbolAxis

    def warm_up(self, history: CandleHistory) -> None: ...

    def on_minute(self, minute: MinuteClosed) -> Sequence[Candidate]: ...

    def ready(self) -> int: ...

    def structure(self, symbol: str) -> Structure | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Venues:
    """Where the two books trade; ``*_driver`` is given where the venue is made of closed candles."""

    real: Execution
    virtual: Execution
    real_driver: MinuteDriven | None = None
    virtual_driver: MinuteDriven | None = None


class Trader:
    """Decides and keeps state. Synchronous: whoever owns the loop feeds it events in order.

    Raises ``JournalError`` from ``process`` when the truth can not be written; the caller must then stop
    opening positions.
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
        self._journal = journal
        self._bookkeeper = bookkeeper
        self._notifier = notifier
        self._clock = clock
        self._parameters = parameters
        rules = lifecycle or LifecycleParameters()
        self._real = self._book(Source.REAL, venues.real, venues.real_driver, rules)
        self._virtual = self._book(Source.VIRTUAL, venues.virtual, venues.virtual_driver, rules)
        self._snapshots: dict[str, Floats] = {}
        self._kept = desk.state
        self._noticed: frozenset[Finding] = frozenset()
        self._warmed: set[str] = set()
        self._minute: MinuteClosed | None = None
        self._scan: ScanView | None = None
        self.tally = Tally()
        self.digest = DecisionDigest()

    def process(self, event: TraderEvent) -> None:
        """Apply one event and everything that follows from it at once."""
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
            case CloseRequested():
                book = self._real if event.source is Source.REAL else self._virtual
                book.request_close(event.symbol, ExitReason.OPERATOR)
            case AccountSurvey():
                self._notice(self._real.reconcile(event), event.at)
            case AccountUnreadable():
                self._say("account_unreadable", Severity.CRITICAL, event.at, "", event.reason)
            case StreamLost():
                self._real.ask_everything()
            case _:
                self._real.receive(event)

    def restore(self) -> None:
        """Take up what an earlier run left in the journal: what it learned, its risk state, its positions."""
        self.desk.recall(self._journal.closed_trades(), self._journal.risk_state())
        self._kept = self.desk.state
        positions = self._journal.live_positions()
        known = self._journal.position_ids(REMEMBERED_POSITIONS)
        self._real.restore([each for each in positions if each.plan.source is Source.REAL], known)
        self._virtual.restore([each for each in positions if each.plan.source is Source.VIRTUAL])

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
            halted=self.desk.halted,
        )

    # --- a minute -----------------------------------------------------------------------------------

    def _on_minute(self, minute: MinuteClosed) -> None:
        started = self._clock.monotonic()
        self._minute = minute
        self._store.append(minute)
        candidates = self._engine.on_minute(minute)
        ranked = self.desk.rank(candidates, minute)
        self.tally.scanned(self._clock.monotonic() - started)
        self._scan = self._picture(minute, len(candidates), ranked)
        self._virtual.advance(minute)
        self._real.advance(minute)
        self._leave(minute)
        self._enter(ranked, minute)
        self._record(minute, ranked)

    def _leave(self, minute: MinuteClosed) -> None:
        """Close what has outlived its reason."""
        for book in (self._real, self._virtual):
            for symbol, position in list(book.positions.items()):
                structure = self._engine.structure(symbol)
                reason = exit_wanted(position, structure, self._parameters.monitoring, now_ms=minute.at)
                if reason is not None:
                    book.request_close(symbol, reason)
                else:
                    self._tighten(book, position, minute)

    def _tighten(self, book: Book, position: Position, minute: MinuteClosed) -> None:
        candle = minute.candle(position.symbol)
        if candle is None:
            return
        price = stop_wanted(
            position,
            candle.close,
            self._engine.structure(position.symbol),
            parameters=self._parameters.monitoring,
            costs=self._parameters.costs,
        )
        if price is not None:
            book.tighten(position.symbol, price)

    def _enter(self, ranked: Sequence[RankedSignal], minute: MinuteClosed) -> None:
        """Offer the best to the risk gate, and follow the rest virtually."""
        for signal in ranked:
            self.tally.signals += 1
            verdict = self._offer(signal, minute)
            if isinstance(verdict, PositionPlan):
                self._open(verdict, minute)
            else:
                self._refuse(signal, verdict, minute)

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
        self._judged(plan.signal, plan.source.value, (), minute)
        self._snapshots[plan.position_id] = self._store.snapshot_1m(plan.symbol, SNAPSHOT_BARS)
        self.digest.opened(plan)
        self._keep_risk(minute.at)
        book = self._real if plan.source is Source.REAL else self._virtual
        book.open(plan)

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
        self._append(Entry(body=body, at=minute.at, seen_at=minute.seen_at, key=signal.candidate.signal_id))

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
        self._append(Entry(body=body, at=minute.at, seen_at=minute.seen_at, key=f"minute:{minute.open_time}"))

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

    # --- what the books tell ------------------------------------------------------------------------

    def _book(
        self, source: Source, execution: Execution, driver: MinuteDriven | None, rules: LifecycleParameters
    ) -> Book:
        listener = BookListener(
            ending=self._ending,
            worried=self._on_worried if source is Source.REAL else _unconcerned,
            entered=self._on_entered,
            opened=self._on_opened,
            closed=self._on_closed,
            account=self._on_account if source is Source.REAL else _ignore,
            stray=self._on_stray,
        )
        return Book(
            source,
            execution,
            journal=self._journal,
            clock=self._clock,
            parameters=rules,
            listener=listener,
            venue=driver,
        )

    def _on_entered(self, position: Position) -> None:
        self.tally.opened(position.plan.source)

    def _on_opened(self, position: Position) -> None:
        self._notifier.notify(
            PositionOpened(position=position, at=position.opened_at or position.plan.planned_at)
        )

    def _ending(self, position: Position) -> Sequence[Entry]:
        """A trade's row and what it does to the risk state stand or fall with the close itself."""
        if not position.fills:
            return ()
        record = self._record_of(position)
        at, seen_at = _ended_at(position), self._clock.market_ms()
        body = PositionClosed(position=position, snapshot=record.snapshot)
        closing = Entry(body=body, at=at, seen_at=seen_at, key=f"closed:{position.position_id}")
        after = self.desk.state_after(record)
        if after == self._kept:
            return (closing,)
        self._kept = after
        return closing, Entry(body=RiskChanged(state=after), at=at, seen_at=seen_at)

    def _record_of(self, position: Position) -> TradeRecord:
        snapshot = self._snapshots.get(position.position_id)
        if snapshot is None:  # an earlier process took it
            snapshot = snapshot_before(self._store, position.symbol, position.plan.candidate.at)
        return TradeRecord(position=position, snapshot=snapshot)

    def _on_closed(self, position: Position) -> None:
        record, at = self._record_of(position), _ended_at(position)
        self._snapshots.pop(position.position_id, None)
        if not position.fills:
            self._say("entry_failed", Severity.WARNING, at, position.symbol, str(position.exit_reason))
            return
        self.digest.closed(position)
        self.tally.closed(position)
        self._tell_all(self.desk.closed(record))
        self._bookkeeper.keep(record)
        self._notifier.notify(PositionEnded(position=position, day_pnl=self.desk.day_pnl(at), at=at))

    def _on_worried(self, position: Position, concern: Concern) -> None:
        severity = Severity.WARNING if concern in _MILD else Severity.CRITICAL
        self._say(concern.value, severity, self._clock.market_ms(), position.symbol, position.stage.value)

    def _on_account(self, account: AccountRead) -> None:
        alerts = self.desk.account(account)
        self._keep_risk(account.at)
        self._tell_all(alerts)

    def _keep_risk(self, at: int) -> None:
        """Write the risk state down if it has changed; what it forbids must survive us."""
        if self.desk.state != self._kept:
            self._kept = self.desk.state
            self._append(Entry(body=RiskChanged(state=self._kept), at=at, seen_at=self._clock.market_ms()))

    def _notice(self, findings: Sequence[Finding], at: int) -> None:
        """Tell people what is not ours, once for as long as it lasts; with a second bot nobody opens more."""
        for finding in findings:
            if finding.oddity is Oddity.SECOND_BOT:
                self._tell_all(self.desk.halt(Halt.SECOND_BOT.value, at))
                self._keep_risk(at)
            if finding not in self._noticed:
                severity = _SEVERITY[finding.oddity]
                self._say(finding.oddity.value, severity, at, finding.symbol, finding.text)
        self._noticed = frozenset(findings)

    def _tell_all(self, alerts: Sequence[Alert]) -> None:
        for alert in alerts:
            self._notifier.notify(alert)

    def _on_stray(self, report: Report) -> None:
        """News of nothing we hold. An execution among it means money moved without us: say so."""
        if isinstance(report, OrderFilled):
            text = (
                f"{report.quantity} @ {report.price}, order {report.client_order_id or report.venue_order_id}"
            )
            self._say("foreign_fill", Severity.WARNING, report.at, report.symbol, text)
        else:
            log.debug("nothing to apply %s to", report)

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

    def _say(self, key: str, severity: Severity, at: int, symbol: str, text: str) -> None:
        self._notifier.notify(Alert(key=key, severity=severity, at=at, symbol=symbol, text=text))

    def _append(self, entry: Entry) -> None:
        self._journal.append([entry])


def snapshot_before(store: CandleStore, symbol: str, at: int) -> Floats:
    """Cut what the candles still show of the time before ``at`` (ms), as a decision then saw it."""
    times, candles = store.recent_1m(symbol, store.reach)
    seen = (times < at) & ~np.isnan(candles[Field.CLOSE])
    return candles[:, seen][:, -SNAPSHOT_BARS:]


def _ended_at(position: Position) -> int:
    return position.closed_at or position.plan.planned_at


_SEVERITY = {
    Oddity.SECOND_BOT: Severity.CRITICAL,
    Oddity.FOREIGN_POSITION: Severity.WARNING,
    Oddity.FOREIGN_ORDER: Severity.INFO,
}
_MILD = frozenset({Concern.TARGET_MISSING, Concern.TRAIL_REFUSED, Concern.THAWED})


def _unconcerned(_position: Position, _concern: Concern) -> None:
    """What goes wrong on paper costs nothing and is nobody's business."""


def _ignore(_account: AccountRead) -> None:
    """The paper account of virtual positions is nobody's balance."""
