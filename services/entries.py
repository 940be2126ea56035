"""From this minute's ranked signals to positions: the best to the risk gate, the rest followed on paper."""

import logging
from collections.abc import Sequence
from dataclasses import replace

from core.clock import Clock
from core.errors import JournalError
from core.journal import SignalJudged
from core.market import MinuteClosed
from core.notices import SignalRefused
from core.parameters import Parameters
from core.ports import Notifier
from core.positions import PositionPlan, Source
from core.ranking import barred
from core.shadows import shadow_plan
from core.signals import Candidate, RankedSignal
from core.verdicts import Refused
from services.book import Book
from services.books import Books
from services.clerk import Clerk
from services.inputs import Inputs
from services.risk_desk import RiskDesk
from services.snapshots import Snapshots

log = logging.getLogger(__name__)


class Entries:
    """Offers signals, opens what is approved, and writes down what became of each."""

    def __init__(
        self,
        books: Books,
        desk: RiskDesk,
        clerk: Clerk,
        *,
        snapshots: Snapshots,
        inputs: Inputs,
        notifier: Notifier,
        clock: Clock,
        parameters: Parameters,
    ) -> None:
        self._inputs = inputs
        self._books = books
        self._desk = desk
        self._clerk = clerk
        self._snapshots = snapshots
        self._notifier = notifier
        self._clock = clock
        self._parameters = parameters
        self._minute: MinuteClosed | None = None
        self._ranked: tuple[RankedSignal, ...] = ()
        self._real_closed = 0

    def offer(self, ranked: Sequence[RankedSignal], minute: MinuteClosed) -> Sequence[PositionPlan]:
        """Offer the best to the risk gate, and follow the rest virtually; returns shadows of what is left."""
        refused: list[RankedSignal] = []
        for signal in ranked:
            self._clerk.tally.signals += 1
            may_be_real = signal.rank <= self._parameters.ranking.real_ranks
            verdict = self._verdict(signal, minute, may_be_real=may_be_real)
            if isinstance(verdict, PositionPlan):
                self._open(verdict, minute)
            else:
                self._refused(signal, tuple(each.value for each in verdict.reasons), minute)
                refused.append(signal)
        self._minute, self._ranked = minute, tuple(ranked)
        self._real_closed = self._clerk.tally.real.closed
        shadows = (self._shadow(signal, minute) for signal in refused)
        return [plan for plan in shadows if plan is not None]

    def turn_away(self, candidates: Sequence[Candidate], minute: MinuteClosed) -> Sequence[PositionPlan]:
        """Note what reaches the threshold and forbids itself; returns shadows of it."""
        if self._desk.equity is None:  # nothing is judged before the account was read
            return ()
        signals = barred(candidates, self._parameters.ranking)
        self._clerk.tally.signals += len(signals)
        for signal in signals:
            self._refused(signal, (str(signal.candidate.refusal),), minute)
        shadows = (self._shadow(signal, minute) for signal in signals)
        return [plan for plan in shadows if plan is not None]

    def use_free_slot(self) -> Sequence[PositionPlan]:
        """Offer this minute's signals again when a real position has closed in the middle of it.

        Among them is that of the symbol itself; after a stop it is only followed virtually. One that began
        virtually, and has not been filled yet, is taken back from there. Returns what opens.
        """
        minute, closed = self._minute, self._clerk.tally.real.closed
        if minute is None or closed == self._real_closed:
            return ()
        self._real_closed = closed
        if self._clock.market_ms() - minute.at > self._parameters.risk.max_signal_age_ms:
            return ()
        real = self._books.real
        free = [each for each in self._ranked if not real.knows(f"{Source.REAL}:{each.candidate.signal_id}")]
        opened: list[PositionPlan] = []
        for signal in free[: self._parameters.ranking.real_ranks]:
            verdict = self._verdict(signal, minute, may_be_real=True)
            if isinstance(verdict, PositionPlan) and not self._knows(verdict):
                opened += self._opened_instead(verdict, minute)
        return opened

    def forget(self) -> None:
        """Offer nothing of this minute again, whatever slot comes free."""
        self._minute = None

    def _shadow(self, signal: RankedSignal, minute: MinuteClosed) -> PositionPlan | None:
        instrument = self._desk.context(signal.candidate.symbol, minute).instrument
        return shadow_plan(signal, instrument, at=minute.seen_at)

    def _verdict(
        self, signal: RankedSignal, minute: MinuteClosed, *, may_be_real: bool
    ) -> PositionPlan | Refused:
        if may_be_real:
            verdict = self._desk.judge(signal, minute, self._books.real.positions)
            if isinstance(verdict, PositionPlan) or not verdict.may_be_virtual:
                return verdict
        return self._desk.judge_virtual(signal, minute, self._books.virtual.positions)

    def _knows(self, plan: PositionPlan) -> bool:
        return self._books.of(plan.source).knows(plan.position_id)

    def _opened_instead(self, plan: PositionPlan, minute: MinuteClosed) -> Sequence[PositionPlan]:
        """Open what was only followed, or refused; that stands where this comes to nothing."""
        if not self._open(plan, minute):
            return ()
        was_followed = plan.source is Source.REAL and self._books.virtual.withdraw(plan.symbol)
        if not was_followed:
            self._clerk.tally.refused -= 1
        return (plan,)

    def _open(self, plan: PositionPlan, minute: MinuteClosed) -> bool:
        """Open in its book, and a twin beside what is real; ``False`` where nothing came of it."""
        book, twins = self._books.of(plan.source), self._books.twins
        if self._knows(plan):
            log.warning("%s was acted on before: the same signal came twice", plan.position_id)
            return False
        self._clerk.keep_risk(minute.at)
        if not self._begin(book, plan):
            return False
        self._judged(plan.signal, plan.source.value, (), minute)
        self._clerk.digest.opened(plan)
        if plan.source is Source.REAL and twins and plan.symbol not in twins.positions:
            self._begin(twins, replace(plan, source=Source.TWIN))
        return True

    def _begin(self, book: Book, plan: PositionPlan) -> bool:
        """Open in one book; ``False``, and nothing of it remains, where the intent can not be written."""
        self._snapshots.take(plan)
        try:
            book.open(plan)
        except JournalError:
            log.warning("%s is not opened: its intent could not be written down", plan.position_id)
            self._snapshots.drop(plan.position_id)
            return False
        return True

    def _refused(self, signal: RankedSignal, reasons: tuple[str, ...], minute: MinuteClosed) -> None:
        self._clerk.tally.refused += 1
        self._judged(signal, "refused", reasons, minute)
        self._notifier.notify(SignalRefused(signal=signal, reasons=reasons, at=minute.at))

    def _judged(
        self, signal: RankedSignal, verdict: str, reasons: tuple[str, ...], minute: MinuteClosed
    ) -> None:
        self._clerk.digest.signal(signal, verdict, reasons)
        market = self._inputs.market(signal.candidate.symbol, minute)
        body = SignalJudged(signal=signal, verdict=verdict, reasons=reasons, market=market)
        key = f"{signal.candidate.signal_id}:{verdict}"  # a slot that comes free changes the verdict
        self._clerk.record(body, at=minute.at, seen_at=minute.seen_at, key=key)
