"""What a survey of the account says beside what we believe."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from core.order_ids import client_order_id, position_tag
from core.orders import (
    AccountRead,
    AccountSurvey,
    ConditionalStatus,
    HeldPosition,
    RestingConditional,
    RestingOrder,
    Role,
)
from core.positions import Position, Protection, Stage
from core.reconciliation import Oddity, lost_protections, most_urgent_first, oddities, orphans, ours_on
from tests.builders import SYMBOL, T0, candidate, plan, position, ranked

OLD = "real:an old one"


def held(symbol: str, quantity: str = "10") -> HeldPosition:
    return HeldPosition(
        symbol=symbol,
        quantity=Decimal(quantity),
        entry_price=Decimal(100),
        mark_price=Decimal(100),
        liquidation_price=Decimal(0),
    )


def resting(order_id: str, symbol: str = SYMBOL) -> RestingConditional:
    return RestingConditional(
        client_order_id=order_id,
        symbol=symbol,
        status=ConditionalStatus.NEW,
        trigger_price=Decimal(99),
    )


def survey(
    *positions: HeldPosition,
    conditionals: Sequence[RestingConditional] = (),
    orders: Sequence[RestingOrder] = (),
) -> AccountSurvey:
    account = AccountRead(
        wallet=Decimal(10_000),
        equity=Decimal(10_000),
        available=Decimal(10_000),
        positions=positions,
        at=T0,
    )
    return AccountSurvey(account=account, conditionals=tuple(conditionals), orders=tuple(orders), at=T0)


def ours(symbol: str = SYMBOL) -> Position:
    """A protected position whose orders carry its own ids."""
    made = position(plan(ranked(candidate(symbol))))
    names = [client_order_id(made.position_id, role, 1) for role in (Role.STOP, Role.TARGET)]
    stop, target = (
        Protection(client_order_id=name, trigger_price=Decimal(99), confirmed=True) for name in names
    )
    return replace(made, stop=stop, targets=(target,))


def all_of(each: Position) -> list[RestingConditional]:
    return [resting(protection.client_order_id, each.symbol) for protection in each.protections]


def test_an_account_that_is_as_we_believe_needs_nothing() -> None:
    mine = ours()
    seen = survey(held(SYMBOL), conditionals=all_of(mine))
    assert lost_protections(mine, seen) == ()
    assert orphans(seen, {SYMBOL: mine}, {mine.tag: mine.position_id}) == ()
    assert oddities(seen, {SYMBOL: mine}, {mine.tag}) == ()


def test_a_stop_that_is_not_listed_is_asked_about() -> None:
    mine = ours()
    stop, target = all_of(mine)
    (query,) = lost_protections(mine, survey(held(SYMBOL), conditionals=[target]))
    assert (query.client_order_id, query.role) == (stop.client_order_id, Role.STOP)


def test_what_is_not_confirmed_yet_is_not_lost() -> None:
    mine = ours()
    assert mine.stop
    waiting = replace(mine, stop=replace(mine.stop, confirmed=False), targets=())
    assert lost_protections(waiting, survey(held(SYMBOL))) == ()


@pytest.mark.parametrize("stage", [Stage.CLOSING, Stage.ENTERING, Stage.CLOSED])
def test_a_position_on_its_way_misses_nothing(stage: Stage) -> None:
    assert lost_protections(replace(ours(), stage=stage), survey()) == ()


@pytest.mark.fault(38)
def test_leftovers_of_ours_on_a_flat_symbol_are_cancelled() -> None:
    leftover = client_order_id(OLD, Role.STOP, 2)
    (cancel,) = orphans(survey(conditionals=[resting(leftover)]), {}, {position_tag(OLD): OLD})
    assert (cancel.client_order_id, cancel.symbol) == (leftover, SYMBOL)
    assert cancel.position_id == OLD


def test_an_old_stop_of_ours_may_protect_what_we_do_not_know() -> None:
    leftover = client_order_id(OLD, Role.STOP, 2)
    seen = survey(held(SYMBOL), conditionals=[resting(leftover)])
    assert orphans(seen, {}, {position_tag(OLD): OLD}) == ()


@pytest.mark.parametrize("order_id", ["web_1", "x-cvBPrNm9abc", client_order_id(OLD, Role.STOP, 1)])
def test_what_our_journal_does_not_know_is_never_cancelled(order_id: str) -> None:
    seen = survey(conditionals=[resting(order_id)])
    assert orphans(seen, {}, {}) == ()
    assert ours_on(SYMBOL, seen.conditionals, frozenset()) == ()


def test_orders_like_ours_that_we_never_sent_are_a_second_bot() -> None:
    strange = client_order_id(OLD, Role.STOP, 1)
    seen = survey(held("XUSDT"), conditionals=[resting("web_1"), resting(strange)])
    found = oddities(seen, {}, frozenset())
    assert [(each.oddity, each.text) for each in found] == [
        (Oddity.SECOND_BOT, strange),
        (Oddity.FOREIGN_POSITION, "10"),
        (Oddity.FOREIGN_ORDER, "web_1"),
    ]


def test_regular_orders_of_others_are_noticed_too() -> None:
    order = RestingOrder(client_order_id="web_7", symbol=SYMBOL)
    (found,) = oddities(survey(orders=[order]), {}, frozenset())
    assert found.oddity is Oddity.FOREIGN_ORDER


def test_the_unprotected_are_looked_at_first() -> None:
    safe, bare = ours("AUSDT"), replace(ours("ZUSDT"), stop=None)
    assert list(most_urgent_first([safe, bare])) == [bare, safe]


@pytest.mark.fault(13)
def test_no_leftover_is_cancelled_where_a_position_could_not_be_read() -> None:
    leftover = resting(client_order_id(OLD, Role.STOP, 2))
    seen = survey(conditionals=[leftover])
    for account in (
        replace(seen.account, unreadable=frozenset({SYMBOL})),
        replace(seen.account, is_torn=True),
    ):
        assert orphans(replace(seen, account=account), {}, {position_tag(OLD): OLD}) == ()
