"""What happens in the books, written down, counted and told: the trader's other half."""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from core.clock import Clock
from core.income import Income, IncomeKind, ReadIncomes
from core.instruments import Instrument, InstrumentStatus
from core.journal import Body, Entry, PositionChanged, PositionClosed, RiskChanged, ending
from core.lifecycle_moves import Concern
from core.notices import Alert, PositionEnded, PositionOpened, Severity
from core.order_ids import tag_of
from core.orders import (
    AccountRead,
    AccountUnreadable,
    FundingPaid,
    OrderFilled,
    OrderRejected,
    Report,
)
from core.ports import Notifier, Recorder
from core.positions import ExitReason, Position, Source
from core.reconciliation import Finding, Oddity
from core.risk_state import Halt
from core.universe import UniverseRefreshed
from core.views import resting_stop
from services.book import BookListener, unheard
from services.bookkeeping import Bookkeeper
from services.digest import DecisionDigest
from services.risk_desk import RiskDesk
from services.snapshots import Snapshots
from services.tally import Tally
from services.treasurer import Treasurer

log = logging.getLogger(__name__)

_SEVERITY = {
    Oddity.SECOND_BOT: Severity.CRITICAL,
    Oddity.FOREIGN_POSITION: Severity.WARNING,
    Oddity.FOREIGN_ORDER: Severity.INFO,
}
_REFUSALS = frozenset({ExitReason.ENTRY_REJECTED, ExitReason.NOT_PREPARED})
_MILD = frozenset({Concern.TARGET_MISSING, Concern.TRAIL_REFUSED, Concern.THAWED})


class Clerk:
    """Keeps journal, risk state, trade log, counts and people up to date; decides nothing."""

    def __init__(
        self,
        *,
        desk: RiskDesk,
        snapshots: Snapshots,
        journal: Recorder,
        bookkeeper: Bookkeeper,
        notifier: Notifier,
        clock: Clock,
        ask: Callable[[ReadIncomes], object] = lambda _: None,
    ) -> None:
        """``ask`` sends a question to the venue where real money is."""
        self._desk = desk
        self._snapshots = snapshots
        self._journal = journal
        self._bookkeeper = bookkeeper
        self._notifier = notifier
        self._clock = clock
        self._kept = desk.state
        self._noticed: frozenset[Finding] = frozenset()
        self._told: frozenset[str] = frozenset()
        self._journal_fails = False
        self._logged_equity: Decimal | None = None
        self.tally = Tally()
        self.digest = DecisionDigest()
        self.treasurer = Treasurer(
            desk, journal, ask=ask, judged=self._account_judged, say=self._tell_of_money, clock=clock
        )

    def listener(self, source: Source) -> BookListener:
        """Return ears for the book of ``source``: what happens on paper worries nobody."""
        is_real = source is Source.REAL
        return BookListener(
            ending=self._ending,
            entered=self._entered,
            opened=unheard if source is Source.TWIN else self._opened,
            closed=self._closed,
            worried=self._worried if is_real else unheard,
            account=self.treasurer.account if is_real else unheard,
            stray=self._stray,
        )

    # --- writing ------------------------------------------------------------------------------------

    def record(self, body: Body, *, at: int, seen_at: int | None = None, key: str | None = None) -> None:
        seen = self._clock.market_ms() if seen_at is None else seen_at
        self._journal.append([Entry(body=body, at=at, seen_at=seen, key=key)])

    def keep_risk(self, at: int, *, cause: Entry | None = None) -> None:
        """Write the risk state down if it has changed; what it forbids must survive us.

        What caused it stands or falls with it.
        """
        entries = [] if cause is None else [cause]
        if self._desk.state != self._kept:
            self._kept = self._desk.state
            body = RiskChanged(state=self._kept)
            entries.append(Entry(body=body, at=at, seen_at=self._clock.market_ms()))
        if entries:
            self._journal.append(entries)

    def restored(self, damage: str = "") -> None:
        """Take the risk state that was just read as written; open nothing more where records are ``damage``d.

        The halt is written even where another one stands already: it is what ends the journal's own warning.
        """
        self._kept = self._desk.state
        if not damage:
            return
        at = self._clock.market_ms()
        alerts = self._desk.halt(Halt.DAMAGED.value, at)
        self._kept = self._desk.state
        self.record(RiskChanged(state=self._kept), at=at)
        self.say("journal_damaged", Severity.CRITICAL, at=at, text=damage)
        self._tell(alerts)

    def taken_up(self, positions: Iterable[Position], *, followed: int) -> None:
        """Tell of what an earlier run left open, each with its stop as last known, and what is ``followed``.

        An entry of which nobody knows the end is told of when that is known.
        """
        at = self._clock.market_ms()
        for each in positions:
            stop = resting_stop(each)
            if stop is not None:
                self.say("taken_up", Severity.INFO, at=at, symbol=each.symbol, text=f"{stop:f}")
            elif each.quantity:
                why = each.stage.value
                self.say("taken_up_bare", Severity.CRITICAL, at=at, symbol=each.symbol, text=why)
        if followed:
            self.say("followed_on", Severity.INFO, at=at, text=str(followed))

    def universe(self, event: UniverseRefreshed) -> None:
        """Tell people who came and who is leaving, each once."""
        told, self._told = self._told, frozenset({*event.listed, *event.leaving})
        if listed := [symbol for symbol in event.listed if symbol not in told]:
            self.say("contracts_listed", Severity.INFO, at=event.at, text=", ".join(listed))
        for symbol in event.leaving:
            if symbol not in told:
                why = _why_leaving(event.instruments[symbol])
                self.say("contract_leaving", Severity.WARNING, at=event.at, symbol=symbol, text=why)

    # --- telling ------------------------------------------------------------------------------------

    def say(self, key: str, severity: Severity, *, at: int, symbol: str = "", text: str = "") -> None:
        self._notifier.notify(Alert(key=key, severity=severity, at=at, symbol=symbol, text=text))

    def notice(self, findings: Sequence[Finding], at: int) -> None:
        """Tell people what is not ours, once for as long as it lasts; with a second bot nobody opens more."""
        for finding in findings:
            if finding.oddity is Oddity.SECOND_BOT:
                self.halt(Halt.SECOND_BOT.value, at)
            if finding not in self._noticed:
                severity = _SEVERITY[finding.oddity]
                self.say(finding.oddity.value, severity, at=at, symbol=finding.symbol, text=finding.text)
        self._noticed = frozenset(findings)

    def halt(self, reason: str, at: int) -> None:
        self.risk_moved(self._desk.halt(reason, at), at)

    def unreadable(self, news: AccountUnreadable) -> None:
        """Say so, again and again; where we are not let in, open nothing until a person has seen to it."""
        self.say("account_unreadable", Severity.CRITICAL, at=news.at, text=news.reason)
        if news.is_refused:
            self.halt(Halt.NOT_ALLOWED.value, news.at)

    def barred(self, rejection: OrderRejected) -> None:
        """No order of ours would be taken. What rests at the exchange still protects."""
        text = rejection.message
        self.say("not_allowed", Severity.CRITICAL, at=rejection.at, symbol=rejection.symbol, text=text)
        self.halt(Halt.NOT_ALLOWED.value, rejection.at)

    def trust_journal_again(self) -> None:
        """Somebody has looked after it: the next fault is told anew."""
        self._journal_fails = False

    def journal_failed(self, fault: str) -> None:
        """Open nothing more; a journal that can not be written is told once, not with every entry."""
        if self._journal_fails:
            return
        self._journal_fails = True
        at = self._clock.market_ms()
        self.say("journal_failed", Severity.CRITICAL, at=at, text=fault)
        self.halt(Halt.JOURNAL.value, at)

    def journal_lost(self) -> None:
        """Records were given up: what the journal says of this time is not the whole truth."""
        self.say("journal_lost", Severity.CRITICAL, at=self._clock.market_ms())

    def risk_moved(self, alerts: Sequence[Alert], at: int, *, cause: Entry | None = None) -> None:
        """Write down what the risk state has become, and why, and tell people what that means."""
        self.keep_risk(at, cause=cause)
        self._tell(alerts)

    def _tell(self, alerts: Sequence[Alert]) -> None:
        for alert in alerts:
            self._notifier.notify(alert)

    # --- what the books tell ------------------------------------------------------------------------

    def _entered(self, position: Position) -> None:
        self.tally.opened(position.plan.source)

    def _opened(self, position: Position) -> None:
        at = position.opened_at or position.plan.planned_at
        self._notifier.notify(PositionOpened(position=position, at=at))

    def _ending(self, position: Position) -> Sequence[Entry]:
        """A trade's row and what it does to the risk state stand or fall with the close itself."""
        if not position.fills:
            return ()
        record = self._snapshots.record_of(position)
        closing = ending(record, seen_at=self._clock.market_ms())
        after = self._desk.state_after(record)
        if after == self._kept:
            return (closing,)
        self._kept = after
        return closing, Entry(body=RiskChanged(state=after), at=closing.at, seen_at=closing.seen_at)

    def _closed(self, position: Position) -> None:
        record, at = self._snapshots.record_of(position), position.ended_at
        self._snapshots.drop(position.position_id)
        source = position.plan.source
        if not position.fills:
            if source is Source.REAL:
                why = str(position.exit_reason)
                self.say("entry_failed", Severity.WARNING, at=at, symbol=position.symbol, text=why)
                if position.exit_reason in _REFUSALS:
                    self._tell(self._desk.entry_refused(position.symbol, why, at))
                    self.keep_risk(at)
            return
        self.tally.closed(position)
        self._tell(self._desk.closed(record))
        self._bookkeeper.keep(record)
        if source is not Source.TWIN:
            self.digest.closed(position)
            day_pnl = self._desk.day_pnl(at)
            self._notifier.notify(PositionEnded(position=position, day_pnl=day_pnl, at=at))

    def _worried(self, position: Position, concern: Concern) -> None:
        severity = Severity.WARNING if concern in _MILD else Severity.CRITICAL
        at = self._clock.market_ms()
        self.say(concern.value, severity, at=at, symbol=position.symbol, text=position.stage.value)

    def _account_judged(self, account: AccountRead, incomes: Sequence[Income]) -> None:
        """Follow an account that is accounted for. Money that came or went is neither gain nor loss."""
        is_first = not self._desk.state.wallet.is_known
        self._log_equity(account.equity)
        self.risk_moved(self._desk.account(account, incomes), account.at)
        for each in incomes:
            if each.kind is IncomeKind.TRANSFER and not is_first:
                self._tell_of_money("transferred", Severity.INFO, each.at, f"{each.amount:+f} USDT")

    def _tell_of_money(self, key: str, severity: Severity, at: int, text: str) -> None:
        self.say(key, severity, at=at, text=text)

    def _log_equity(self, equity: Decimal) -> None:
        """Equity moves all day; what is worth a line is a move of a percent since the last line."""
        last, worth_a_line = self._logged_equity, self._desk.parameters.monitoring.equity_log_change
        if last is None or (equity != last and abs(equity - last) >= worth_a_line * abs(last)):
            log.info("equity %s USDT", equity)
            self._logged_equity = equity

    def _stray(self, report: Report) -> None:
        """News of nothing we hold. An execution among it means money moved without us: say so."""
        match report:
            case FundingPaid():
                self._fund_closed(report)
            case OrderFilled():
                self._stray_fill(report)
            case _:
                log.debug("nothing to apply %s to", report)

    def _stray_fill(self, fill: OrderFilled) -> None:
        text = f"{fill.quantity} @ {fill.price}, order {fill.client_order_id or fill.venue_order_id}"
        if tag_of(fill.client_order_id) is None:
            self.say("foreign_fill", Severity.WARNING, at=fill.at, symbol=fill.symbol, text=text)
        elif not self._desk.closed_trades.has(fill):
            # An order of ours has filled after its position was over.
            self.say("late_fill", Severity.CRITICAL, at=fill.at, symbol=fill.symbol, text=text)

    def _fund_closed(self, paid: FundingPaid) -> None:
        """Book funding to the closed position that held the symbol then: its row is written anew."""
        trade = self._desk.closed_trades.that_held(paid.symbol, paid.at)
        position = trade.position.with_funding(paid.amount, paid.income_id) if trade else None
        if trade is None or position is None or position == trade.position:
            return
        amended = replace(trade, position=position, amends=True)
        at, seen_at = paid.at, self._clock.market_ms()
        self._desk.amended(amended, paid.amount)
        self._kept = self._desk.state
        bodies: list[Body] = [
            PositionChanged(position=position),
            PositionClosed(position=position, snapshot=trade.snapshot),
            RiskChanged(state=self._kept),
        ]
        keys = (None, f"amended:{position.position_id}:{paid.income_id}", None)
        self._journal.append(
            [
                Entry(body=body, at=at, seen_at=seen_at, key=key)
                for body, key in zip(bodies, keys, strict=True)
            ]
        )
        self._bookkeeper.keep(amended)


def _why_leaving(contract: Instrument) -> str:
    """Return the status that ended trading, or when the contract will be delivered."""
    if contract.status is not InstrumentStatus.TRADING:
        return contract.status.value
    return f"{datetime.fromtimestamp(contract.delivery_ms / 1000, UTC):%Y-%m-%d %H:%M UTC}"
