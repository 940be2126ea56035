"""What an account must be like to be judged: every change of its wallet accounted for."""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pytest

from core.clock import ManualClock
from core.income import Income, IncomeKind, IncomesListed, ReadIncomes
from core.journal import IncomeBooked
from core.notices import Alert
from core.orders import AccountRead, FundingPaid, HeldPosition
from core.parameters import Parameters
from data.candle_store import CandleStore
from services.bookkeeping import Bookkeeper
from services.clerk import Clerk
from services.risk_desk import RiskDesk
from services.snapshots import Snapshots
from services.treasurer import PATIENCE_LISTS, PATIENCE_SECONDS
from tests.builders import SYMBOL, T0, plan, trade
from tests.builders_trader import AXIS, INSTRUMENTS, Ear, Shelf
from tests.fakes.journal import MemoryJournal

SECOND = 1000


def income(
    number: int, amount: str, *, kind: IncomeKind = IncomeKind.TRANSFER, at: int = T0, symbol: str = ""
) -> Income:
    return Income(income_id=str(number), kind=kind, symbol=symbol, amount=Decimal(amount), at=at)


@dataclass
class Office:
    """A treasurer, and a venue that keeps records of its wallet."""

    journal: MemoryJournal = field(default_factory=MemoryJournal)
    records: list[Income] = field(default_factory=list)
    asked: list[ReadIncomes] = field(default_factory=list)
    ear: Ear = field(default_factory=Ear)

    def __post_init__(self) -> None:
        self.clock = ManualClock(T0)
        store = CandleStore(AXIS)
        self.desk = RiskDesk(INSTRUMENTS, store, Parameters())
        self.clerk = Clerk(
            desk=self.desk,
            snapshots=Snapshots(store),
            journal=self.journal,
            bookkeeper=Bookkeeper(Shelf(), self.clock),
            notifier=self.ear,
            clock=self.clock,
            ask=self.asked.append,
        )
        self.desk.recall(self.journal)
        self.clerk.restored()

    def reads(self, wallet: str, *, after: float = 1.0) -> None:
        """Let the account be read, and the venue answer what it is asked for."""
        self.clock.advance_to(self.clock.market_ms() + int(after * SECOND))
        money, at = Decimal(wallet), self.clock.market_ms()
        read = AccountRead(wallet=money, equity=money, available=money, positions=(), at=at)
        self.clerk.treasurer.account(read)
        self.answers()

    def answers(self) -> list[FundingPaid]:
        paid: list[FundingPaid] = []
        while self.asked:
            since = self.asked.pop(0).since
            listed = tuple(each for each in self.records if each.at >= since)
            answer = IncomesListed(incomes=listed, at=self.clock.market_ms())
            paid += self.clerk.treasurer.funding(answer)
            self.clerk.treasurer.listed(answer)
        return paid

    @property
    def told(self) -> list[str]:
        return [each.key for each in self.ear.of(Alert)]


@pytest.fixture
def office() -> Office:
    """One whose account has been read: 10,000 USDT, deposited before."""
    made = Office(records=[income(1, "10000")])
    made.reads("10000")
    return made


def test_what_the_account_begins_with_is_no_transfer(office: Office) -> None:
    assert office.desk.equity == Decimal(10_000)
    assert office.told == []


def test_a_wallet_that_has_not_moved_is_judged_without_a_question(office: Office) -> None:
    office.clerk.treasurer.account(
        AccountRead(
            wallet=Decimal(10_000),
            equity=Decimal(9_990),
            available=Decimal(0),
            positions=(),
            at=T0 + 9 * SECOND,
        )
    )
    assert office.asked == []
    assert office.desk.equity == Decimal(9_990)


def test_a_deposit_is_known_as_one_before_its_equity_is_judged(office: Office) -> None:
    office.records.append(income(2, "5000", at=T0 + SECOND))
    office.reads("15000")
    assert office.desk.state.peak_equity == Decimal(15_000)
    assert office.desk.state.day_opening_equity == Decimal(15_000)
    assert office.told == ["transferred"]
    office.records.append(income(3, "-9000", at=T0 + 2 * SECOND))
    office.reads("6000")
    assert office.desk.halted == ""
    assert office.desk.state.drawdown(Decimal(6000)) == 0


def test_no_equity_is_judged_while_its_wallet_is_not_accounted_for(office: Office) -> None:
    office.reads("4000")
    assert office.desk.equity == Decimal(10_000)
    assert office.desk.halted == "", "it may have been a withdrawal"
    office.records.append(income(2, "-6000", at=T0 + SECOND))
    office.reads("4000")
    assert office.desk.equity == Decimal(4_000)
    assert office.desk.halted == ""


def test_a_transfer_heard_of_twice_is_counted_once(office: Office) -> None:
    office.records.append(income(2, "500", at=T0 + SECOND))
    office.clerk.treasurer.moved()  # the stream tells first
    office.answers()
    office.reads("10500")
    office.clerk.treasurer.moved()
    office.answers()
    office.reads("10500")
    assert office.told == ["transferred"]
    booked = [body.income.income_id for body in office.journal.bodies(IncomeBooked)]
    assert sorted(booked) == ["2"]
    assert office.desk.state.peak_equity == Decimal(10_500)


def test_a_deposit_told_before_the_account_shows_it_is_no_drawdown(office: Office) -> None:
    office.records.append(income(2, "90000", at=T0 + SECOND))
    office.clerk.treasurer.moved()
    office.answers()
    office.reads("10000")  # asked for before the deposit, heard after it
    assert (office.desk.halted, office.desk.state.peak_equity) == ("", Decimal(10_000))
    office.reads("100000")
    assert (office.desk.halted, office.desk.state.peak_equity) == ("", Decimal(100_000))


@pytest.mark.fault(26)
def test_a_read_that_is_older_than_the_last_loses(office: Office) -> None:
    office.reads("10000", after=60)
    old = AccountRead(
        wallet=Decimal(1), equity=Decimal(1), available=Decimal(1), positions=(), at=T0 + SECOND
    )
    office.clerk.treasurer.account(old)
    assert (office.asked, office.desk.equity) == ([], Decimal(10_000))


@pytest.mark.fault(18)
def test_what_no_record_explains_is_told_once_and_is_no_gain(office: Office) -> None:
    for _ in range(PATIENCE_LISTS + 2):
        office.reads("12000", after=PATIENCE_SECONDS / 2)
    (alert,) = office.ear.of(Alert)
    assert (alert.key, alert.text) == ("balance_unexplained", "+2000 USDT")
    assert office.desk.equity == Decimal(12_000)
    assert office.desk.state.drawdown(Decimal(12_000)) == 0
    assert office.desk.state.day_opening_equity == Decimal(12_000)
    (booked,) = office.journal.bodies(IncomeBooked)
    assert booked.income.kind is IncomeKind.UNEXPLAINED


@pytest.mark.fault(18)
def test_an_unexplained_loss_is_a_loss(office: Office) -> None:
    for _ in range(PATIENCE_LISTS + 2):
        office.reads("8900", after=PATIENCE_SECONDS / 2)
    assert office.desk.halted == "drawdown"
    assert "balance_unexplained" in office.told


def test_what_moved_while_nobody_ran_is_accounted_for_at_the_next_start(office: Office) -> None:
    office.records += [
        income(2, "-4", kind=IncomeKind.FUNDING, at=T0 + 3600 * SECOND, symbol="AUSDT"),
        income(3, "20000", at=T0 + 7200 * SECOND),
    ]
    again = Office(journal=office.journal, records=office.records)
    again.clock.advance_to(T0 + 10_000 * SECOND)
    again.reads("29996")
    assert again.told == ["transferred"]
    assert again.desk.state.drawdown(Decimal(29_996)) < Decimal("0.001")
    third = Office(journal=office.journal, records=office.records)
    third.clock.advance_to(T0 + 10_002 * SECOND)
    third.reads("29996")
    assert third.told == []


@pytest.mark.fault(96)
def test_funding_is_handed_on_with_the_exchanges_time_and_id(office: Office) -> None:
    at = T0 + 5 * SECOND
    office.records.append(income(2, "-1.5", kind=IncomeKind.FUNDING, at=at, symbol="AUSDT"))
    office.clock.advance_to(T0 + 60 * SECOND)
    office.clerk.treasurer.moved()
    (paid,) = office.answers()
    assert paid == FundingPaid(symbol="AUSDT", amount=Decimal("-1.5"), at=at, income_id="2")


def test_a_question_without_an_answer_is_asked_again_and_told_in_the_end(office: Office) -> None:
    office.records.append(income(2, "1", at=T0 + SECOND))
    for seconds, questions in ((1, 1), (2, 1), (20, 2), (40, 3), (60, 4)):
        assert office.told == []
        office.clock.advance_to(T0 + (seconds + 1) * SECOND)
        office.clerk.treasurer.moved()
        assert len(office.asked) == questions
    assert office.told == ["incomes_unreadable"]


def test_what_the_account_holds_is_known_before_its_equity_is_judged(office: Office) -> None:
    held = HeldPosition(
        symbol="AUSDT",
        quantity=Decimal(1),
        entry_price=Decimal(1),
        mark_price=Decimal(1),
        liquidation_price=Decimal(0),
    )
    money, at = Decimal(9_000), T0 + 9 * SECOND
    office.clerk.treasurer.account(
        AccountRead(wallet=money, equity=money, available=money, positions=(held,), at=at)
    )
    assert office.desk.equity == Decimal(10_000)
    assert office.desk.is_foreign("AUSDT", ())
    assert not office.desk.is_foreign("AUSDT", {"AUSDT"})
    assert not office.desk.is_foreign("BUSDT", ())


@pytest.mark.fault(13, 26)
@pytest.mark.parametrize("hides", [{"unreadable": frozenset({"AUSDT"})}, {"is_torn": True}])
def test_what_a_read_does_not_tell_may_be_held_by_others(office: Office, hides: Any) -> None:
    money, at = Decimal(10_000), T0 + 9 * SECOND
    read = AccountRead(wallet=money, equity=money, available=money, positions=(), at=at)
    office.clerk.treasurer.account(read)
    assert not office.desk.is_foreign("AUSDT", ())
    office.clerk.treasurer.account(replace(read, **hides))
    assert office.desk.is_foreign("AUSDT", ())
    assert not office.desk.is_foreign("AUSDT", {"AUSDT"})


def holding(quantity: str) -> HeldPosition:
    return HeldPosition(
        symbol=SYMBOL,
        quantity=Decimal(quantity),
        entry_price=Decimal(1),
        mark_price=Decimal(1),
        liquidation_price=Decimal(0),
    )


def showing(*held: HeldPosition, at: int) -> AccountRead:
    money = Decimal(10_000)
    return AccountRead(wallet=money, equity=money, available=money, positions=held, at=at)


@pytest.mark.parametrize(("shown", "is_foreign"), [("10", False), ("4", False), ("10.5", True), ("-1", True)])
def test_what_we_have_just_left_is_nobody_elses_but_what_lay_beside_it_is(
    office: Office, shown: str, is_foreign: bool
) -> None:
    read = showing(holding(shown), at=T0 + 9 * SECOND)
    office.desk.see(read)
    office.desk.closed(trade(plan(quantity="10"), closed_at=read.at + SECOND))
    assert office.desk.is_foreign(SYMBOL, ()) is is_foreign


def test_what_a_read_does_not_tell_may_lie_beside_what_we_have_just_left(office: Office) -> None:
    read = showing(at=T0 + 9 * SECOND)
    office.desk.see(replace(read, unreadable=frozenset({SYMBOL})))
    office.desk.closed(trade(plan(quantity="10"), closed_at=read.at + SECOND))
    assert office.desk.is_foreign(SYMBOL, ())


def test_what_had_left_before_a_read_explains_nothing_it_shows(office: Office) -> None:
    read = showing(holding("7"), at=T0 + 9 * SECOND)
    ended = trade(plan(quantity="10"), closed_at=read.at + SECOND)
    entry, last = ended.position.fills
    early = replace(last, trade_id="early", quantity=Decimal(6), at=read.at - SECOND)
    fills = (entry, early, replace(last, quantity=Decimal(4)))
    office.desk.see(read)
    office.desk.closed(replace(ended, position=replace(ended.position, fills=fills)))
    assert office.desk.is_foreign(SYMBOL, ())
    office.desk.see(showing(holding("4"), at=read.at))
    assert not office.desk.is_foreign(SYMBOL, ())
