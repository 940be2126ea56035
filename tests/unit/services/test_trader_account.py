"""News of the account: what is ours, what is not, what it means."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from core.income import Income, IncomeKind, IncomesListed
from core.journal import IncomeBooked, PositionChanged, PositionClosed, ReportReceived, RiskChanged
from core.market import MINUTE_MS
from core.notices import Alert, Severity
from core.order_ids import client_order_id
from core.orders import (
    AccountRead,
    AccountUnreadable,
    CancelConditional,
    CloseAtMarket,
    HeldPosition,
    OrderAbsent,
    OrderEnded,
    OrderFilled,
    OrderRejected,
    PlaceConditional,
    QueryOrder,
    Role,
    StreamLost,
    SubmitEntry,
)
from core.positions import Source
from core.signals import Side
from tests.builders import T0
from tests.builders_trader import (
    World,
    account_of,
    closing_fill,
    open_one,
    resting,
    survey,
)


@pytest.mark.fault(25)
def test_an_execution_that_is_not_ours_is_told_and_not_touched(world: World) -> None:
    fill = OrderFilled(
        symbol="BUSDT",
        client_order_id="web_123",
        venue_order_id="9",
        trade_id="9",
        side=Side.LONG,
        quantity=Decimal(1),
        price=Decimal(100),
        fee=Decimal(0),
        realised_pnl=Decimal(0),
        at=T0,
    )
    world.trader.process(fill)
    (alert,) = world.ear.of(Alert)
    assert (alert.key, alert.symbol) == ("foreign_fill", "BUSDT")
    assert world.real.commands == []


def test_a_leftover_of_ours_on_a_flat_symbol_is_cancelled(world: World) -> None:
    open_one(world)
    (stop,) = (
        each for each in world.real.commands if isinstance(each, PlaceConditional) and each.role is Role.STOP
    )
    world.minute(AUSDT=(100, 103, 100, 102))
    assert world.held(Source.REAL) == []
    world.real.commands.clear()
    world.trader.process(survey(resting(stop.client_order_id)))
    (cancel,) = world.real.commands
    assert isinstance(cancel, CancelConditional)
    assert cancel.client_order_id == stop.client_order_id


@pytest.mark.fault(49)
def test_a_second_bot_halts_entries_and_is_told_once(world: World) -> None:
    stranger = resting(client_order_id("real:never ours", Role.STOP, 1))
    for _ in range(3):
        world.trader.process(survey(stranger))
    assert [each.key for each in world.ear.of(Alert)] == ["risk_halted", "second_bot"]
    assert world.journal.risk_state() == world.trader.desk.state
    assert world.trader.view().halted == "second_bot"
    assert world.real.commands == []


def test_a_foreign_position_is_told_and_not_touched(world: World) -> None:
    foreign = HeldPosition(
        symbol="BUSDT",
        quantity=Decimal(3),
        entry_price=Decimal(100),
        mark_price=Decimal(100),
        liquidation_price=Decimal(0),
    )
    world.trader.process(survey(resting("web_1", "BUSDT"), positions=[foreign]))
    assert [each.key for each in world.ear.of(Alert)] == ["foreign_position", "foreign_order"]
    assert world.real.commands == []


@pytest.mark.fault(20)
def test_a_gap_in_the_news_is_followed_by_questions(world: World) -> None:
    open_one(world)
    world.real.commands.clear()
    world.trader.process(StreamLost(at=T0, reason="reset"))
    asked = {each.role for each in world.real.commands if isinstance(each, QueryOrder)}
    assert asked == {Role.STOP, Role.TARGET}


def test_a_drawdown_is_told_at_five_percent_and_halts_at_ten(world: World) -> None:
    world.trader.process(account_of("9499"))
    assert [each.key for each in world.ear.of(Alert)] == ["drawdown_alert"]
    world.trader.process(account_of("8999"))
    assert [each.key for each in world.ear.of(Alert)] == ["drawdown_alert", "risk_halted"]
    assert world.trader.view().halted == "drawdown"


def test_an_account_that_can_not_be_read_keeps_its_last_value_and_says_so(world: World) -> None:
    world.trader.process(account_of("9700"))
    world.trader.process(AccountUnreadable(at=T0, reason="HTTP 503"))
    balance = world.trader.view().balance
    assert balance is not None
    assert balance.equity == Decimal(9700)
    assert [(each.key, each.text) for each in world.ear.of(Alert)] == [("account_unreadable", "HTTP 503")]


def test_an_account_that_is_truly_empty_reads_as_zero_and_is_logged_once(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        for _ in range(3):
            world.trader.process(account_of("0"))
    balance = world.trader.view().balance
    assert balance is not None
    assert balance.equity == 0
    assert world.trader.view().halted == "drawdown"
    assert caplog.text.count("equity 0 USDT") == 1


def test_only_moves_of_a_percent_are_worth_a_line_in_the_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        for equity in ("10000", "10050", "10099", "10101", "10102"):
            world.trader.process(account_of(equity))
    lines = [record.getMessage() for record in caplog.records if "equity" in record.getMessage()]
    assert lines == ["equity 10101 USDT"]  # the first read, in the world's first minute, had its line


def test_news_of_an_earlier_position_on_the_symbol_does_not_touch_the_one_that_is_held(
    world: World,
) -> None:
    open_one(world)
    (stop,) = (
        each for each in world.real.commands if isinstance(each, PlaceConditional) and each.role is Role.STOP
    )
    before = world.trader.view().real
    for earlier in ("real:earlier", stop.position_id):
        assert world.trader.view().real == before
        world.trader.process(
            OrderAbsent(position_id=earlier, symbol="AUSDT", client_order_id=stop.client_order_id, at=T0)
        )
    assert world.trader.view().real != before


def test_an_order_of_ours_that_fills_too_late_is_an_alarm(world: World) -> None:
    open_one(world)
    position = world.trader.view().real[0].position
    world.minute(AUSDT=(100, 103, 100, 102))
    world.trader.process(closing_fill(position))
    (alarm,) = world.ear.of(Alert)
    assert (alarm.key, alarm.severity) == ("late_fill", Severity.CRITICAL)


@pytest.mark.fault(12)
def test_a_key_that_is_revoked_ends_entries_until_a_person_resumes_and_leaves_the_stops(world: World) -> None:
    open_one(world)
    stop = world.trader.view().real[0].position.stop
    world.real.commands.clear()
    for _ in range(3):
        world.trader.process(AccountUnreadable(at=T0, reason="invalid API key", is_refused=True))
    alerts = [each.key for each in world.ear.of(Alert)]
    assert alerts.count("risk_halted") == 1, "halted once, told again and again"
    assert alerts.count("account_unreadable") == 3
    assert world.trader.view().halted == "not_allowed"
    assert world.real.commands == []
    assert world.trader.view().real[0].position.stop == stop


def flat(at: int, **more: Any) -> AccountRead:
    """Make a read that shows nothing held."""
    money = Decimal(10_000)
    return AccountRead(
        wallet=money, equity=money, available=money, positions=(), at=at, is_paper=True, **more
    )


@pytest.mark.fault(13, 26)
@pytest.mark.parametrize(
    "hides",
    [
        {"unreadable": frozenset({"AUSDT"})},
        {"is_torn": True},
        {"updated_at": T0},  # answered from what was known before we bought
    ],
)
def test_a_read_that_does_not_know_shows_nothing_flat(world: World, hides: Any) -> None:
    open_one(world)
    world.real.commands.clear()
    for minutes in range(3, 9):
        world.clock.advance_to(T0 + minutes * MINUTE_MS)
        world.trader.process(flat(T0 + minutes * MINUTE_MS, **hides))
    assert world.held(Source.REAL) == ["AUSDT"]
    assert world.real.commands == []
    world.trader.process(flat(T0 + 9 * MINUTE_MS))
    assert world.real.commands, "a whole and new one is asked about"


@pytest.mark.fault(12)
def test_who_is_not_let_in_opens_nothing_and_says_so_each_time(world: World) -> None:
    for _ in range(3):
        world.trader.process(AccountUnreadable(at=T0, reason="Invalid API-key", is_refused=True))
    assert world.trader.view().halted == "not_allowed"
    told = [each.key for each in world.ear.of(Alert)]
    assert told.count("account_unreadable") == 3
    assert told.count("risk_halted") == 1


@pytest.mark.fault(12)
def test_an_order_refused_for_what_we_are_halts_entries_and_closes_nothing(world: World) -> None:
    open_one(world)
    world.trader.process(
        OrderRejected(
            position_id="real:other",
            symbol="BUSDT",
            client_order_id=client_order_id("real:other", Role.ENTRY, 1),
            code=-2015,
            message="Invalid API-key, IP, or permissions for action.",
            at=T0,
            is_barred=True,
        )
    )
    assert world.trader.view().halted == "not_allowed"
    assert "not_allowed" in [each.key for each in world.ear.of(Alert)]
    assert world.held(Source.REAL) == ["AUSDT"]


def listed(*incomes: Income) -> IncomesListed:
    return IncomesListed(incomes=incomes, at=T0)


def funding(income_id: str, amount: str, *, at: int) -> Income:
    return Income(income_id=income_id, kind=IncomeKind.FUNDING, symbol="AUSDT", amount=Decimal(amount), at=at)


@pytest.fixture
def accounted() -> World:
    """A trader that has one position open and knows its wallet."""
    made = World()
    made.minute()
    made.trader.desk.account(replace(account_of("10000"), is_paper=False))
    open_one(made)
    return made


@pytest.mark.fault(96)
def test_funding_is_booked_to_who_held_the_symbol_then_once(accounted: World) -> None:
    held = accounted.trader.view().real[0].position
    assert held.opened_at is not None
    late, early = funding("2", "-3", at=held.opened_at + 1), funding("1", "-7", at=held.opened_at - 1)
    for _ in range(2):
        accounted.trader.process(listed(early, late))
    assert accounted.trader.view().real[0].position.funding == Decimal(-3)


@pytest.mark.fault(96)
def test_funding_is_booked_before_the_wallet_counts_it_so_that_no_crash_loses_it(accounted: World) -> None:
    held = accounted.trader.view().real[0].position
    assert held.opened_at is not None
    at, now, money = held.opened_at + 1, accounted.clock.market_ms(), Decimal(9_997)
    read = AccountRead(wallet=money, equity=money, available=money, positions=(), at=now)
    accounted.trader.process(replace(read, unreadable=frozenset({"AUSDT"})))
    accounted.journal.entries.clear()
    accounted.trader.process(listed(funding("2", "-3", at=at)))
    done = [type(each.body) for each in accounted.journal.entries]
    assert done == [ReportReceived, PositionChanged, IncomeBooked, RiskChanged]
    assert accounted.journal.bodies(RiskChanged)[0].state.wallet.counted == {"2": at}


@pytest.mark.fault(96)
def test_funding_heard_of_after_the_end_amends_the_row(accounted: World) -> None:
    held = accounted.trader.view().real[0].position
    assert held.opened_at is not None
    accounted.minute(AUSDT=(100, 103, 100, 102))
    assert accounted.held(Source.REAL) == []
    before = accounted.trader.desk.day_pnl(accounted.clock.market_ms())
    paid = funding("2", "-3", at=held.opened_at + 1)
    for _ in range(2):
        accounted.trader.process(listed(paid))
    accounted.bookkeeper.flush()
    first, amended = (each for each in accounted.shelf.records if each.source is Source.REAL)
    assert (first.amends, amended.amends) == (False, True)
    assert amended.position.net_pnl == first.position.net_pnl - 3
    assert accounted.trader.desk.day_pnl(accounted.clock.market_ms()) == before - 3
    closes = [each.position for each in accounted.journal.bodies(PositionClosed)]
    assert [each.funding for each in closes if each.plan.source is Source.REAL] == [0, -3]


def test_an_execution_told_again_after_the_end_is_no_news(world: World) -> None:
    open_one(world)
    position = world.trader.view().real[0].position
    world.minute(AUSDT=(100, 103, 100, 102))
    (again,) = (each for each in position.fills if each.opening)
    world.trader.process(
        replace(closing_fill(position), client_order_id=again.client_order_id, trade_id=again.trade_id)
    )
    assert world.ear.of(Alert) == []


def an_entry_given_up(world: World) -> str:
    """Have an entry end with nothing filled, as far as anybody can tell; returns its id."""
    world.wish("AUSDT")
    world.minute()
    (entry,) = (each for each in world.real.commands if isinstance(each, SubmitEntry))
    world.trader.process(
        OrderEnded(symbol="AUSDT", client_order_id=entry.client_order_id, filled=Decimal(0), at=T0)
    )
    assert world.held(Source.REAL) == []
    return entry.client_order_id


def late_fill(order_id: str) -> OrderFilled:
    return OrderFilled(
        symbol="AUSDT",
        client_order_id=order_id,
        venue_order_id="5",
        trade_id="5",
        side=Side.LONG,
        quantity=Decimal(1),
        price=Decimal(100),
        fee=Decimal(0),
        realised_pnl=Decimal(0),
        at=T0 + 3 * MINUTE_MS,
    )


@pytest.mark.fault(2)
@pytest.mark.parametrize("restarts", [False, True])
def test_an_entry_that_fills_after_it_was_given_up_is_protected_and_left(
    world: World, *, restarts: bool
) -> None:
    order_id = an_entry_given_up(world)
    living = World(world.journal, now=world.clock.market_ms()) if restarts else world
    if restarts:
        living.trader.restore()
    living.real.commands.clear()
    living.trader.process(late_fill(order_id))
    stop, close = living.real.commands
    assert isinstance(stop, PlaceConditional)
    assert isinstance(close, CloseAtMarket)
    assert (stop.role, close.quantity) == (Role.STOP, Decimal(1))
    assert living.held(Source.REAL) == ["AUSDT"]
    assert "late_fill" in [each.key for each in living.ear.of(Alert)]


@pytest.mark.fault(2)
def test_a_position_that_only_a_given_up_entry_explains_is_asked_about(world: World) -> None:
    order_id = an_entry_given_up(world)
    world.real.commands.clear()
    held = HeldPosition(
        symbol="AUSDT",
        quantity=Decimal(1),
        entry_price=Decimal(100),
        mark_price=Decimal(100),
        liquidation_price=Decimal(0),
    )
    world.trader.process(survey(positions=[held]))
    (query,) = world.real.commands
    assert isinstance(query, QueryOrder)
    assert query.client_order_id == order_id
