"""The life of a position, told report by report."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import lifecycle
from core.lifecycle_moves import Concern
from core.order_ids import client_order_id, role_of
from core.orders import (
    CancelConditional,
    CloseAtMarket,
    ConditionalStatus,
    PlaceConditional,
    PrepareSymbol,
    QueryOrder,
    ReadAccount,
    Report,
    Role,
    SubmitEntry,
)
from core.positions import ExitReason, Stage
from core.signals import Side
from tests.unit.core.lives import PARAMETERS, Life, entering, open_life


def test_the_symbol_is_prepared_before_anything_is_ordered() -> None:
    life = Life()
    assert [type(command) for command in life.sent] == [PrepareSymbol]


@pytest.mark.fault(45)
def test_a_leverage_other_than_planned_ends_it_before_any_order() -> None:
    life = Life()
    assert life.hears(life.prepared(leverage=20)) == []
    assert life.position.exit_reason is ExitReason.NOT_PREPARED


def test_an_entry_does_not_leave_when_its_symbol_was_prepared_too_late() -> None:
    life = Life()
    life.mono += PARAMETERS.prepare_seconds + 0.1
    assert life.hears(life.prepared()) == []
    assert life.position.exit_reason is ExitReason.NOT_PREPARED


@pytest.mark.fault(93)
def test_an_entry_does_not_leave_on_a_signal_that_a_sleeping_machine_let_grow_old() -> None:
    life = Life()
    late = replace(life.prepared(), at=life.position.plan.candidate.at + PARAMETERS.oldest_signal_ms + 1)
    assert life.hears(late) == []
    assert life.position.exit_reason is ExitReason.NOT_PREPARED


def test_an_intent_is_given_up_when_nobody_says_that_its_symbol_is_prepared() -> None:
    life = Life()
    life.waits(PARAMETERS.prepare_seconds - 0.1)
    assert life.at(Stage.INTENDED)
    assert life.waits(0.2) == []
    assert (life.position.stage, life.position.exit_reason) == (Stage.CLOSED, ExitReason.NOT_PREPARED)
    assert life.hears(life.prepared()) == []


@pytest.mark.parametrize("role", [Role.ENTRY, Role.STOP, Role.TARGET])
def test_what_is_said_of_another_positions_order_changes_nothing(role: Role) -> None:
    for life in (Life(), entering(), open_life()):
        before = life.position
        earlier = client_order_id("real:earlier", role, 1)
        for report in (life.rejected(role, -2019), life.unknown(role), life.absent(role)):
            assert life.hears(replace(report, client_order_id=earlier)) == []
        assert life.position == before


def test_the_first_fill_asks_for_the_stop_at_once() -> None:
    life = entering()
    (stop,) = life.hears(life.filled(quantity="4"))
    assert isinstance(stop, PlaceConditional)
    assert (stop.role, stop.trigger_price) == (Role.STOP, Decimal("99.00"))
    assert life.position.stage is Stage.PROTECTING


def test_the_target_follows_from_the_real_fill() -> None:
    life = entering()
    life.hears(life.filled(price="100.10"))
    (target,) = life.hears(life.ended())
    assert isinstance(target, PlaceConditional)
    assert target.trigger_price == Decimal("101.20")  # 100.10 + 1.0 × (100.10 − 99.00)


def test_it_is_open_once_the_stop_is_confirmed_and_knows_how_long_it_was_exposed() -> None:
    life = entering()
    life.hears(life.filled())
    life.mono += 0.25
    life.hears(life.conditional(Role.STOP))
    assert life.position.stage is Stage.OPEN
    assert life.position.unprotected_seconds == 0.25


@pytest.mark.fault(57)
def test_an_entry_that_slipped_too_far_is_left_at_once() -> None:
    life = entering()
    life.hears(life.filled(price="100.30"))  # real risk 1.30 against a planned 1.00
    (close,) = life.hears(life.ended())
    assert isinstance(close, CloseAtMarket)
    assert life.position.exit_reason is ExitReason.SLIPPED_ENTRY


@pytest.mark.parametrize("price", ["99.40", "99.00", "98.50"])
def test_an_entry_filled_next_to_its_stop_or_beyond_it_is_left_at_once(price: str) -> None:
    life = entering()
    life.hears(life.filled(price=price))  # planned 100, stop 99
    (close,) = life.hears(life.ended())
    assert isinstance(close, CloseAtMarket)
    assert life.position.risk == Decimal(10)  # measured by its plan: 10 × (100 − 99)


def test_a_confirmation_heard_twice_changes_nothing() -> None:
    life = open_life()
    before = life.position
    life.hears(life.conditional(Role.STOP))
    life.hears(life.conditional(Role.TARGET))
    assert life.position is before


@pytest.mark.fault(31)
def test_a_stop_that_takes_too_long_ends_in_a_market_close() -> None:
    life = entering()
    life.hears(life.filled())
    assert life.waits(4.9) == []
    (query,) = life.waits(0.2)
    assert isinstance(query, QueryOrder), "it is asked for once"
    assert life.waits(0.9) == []
    (close,) = life.waits(0.2)
    assert isinstance(close, CloseAtMarket)
    assert close.quantity == Decimal(10)
    assert life.position.exit_reason is ExitReason.UNPROTECTED


@pytest.mark.fault(31)
def test_stops_that_are_never_found_end_in_a_market_close_and_are_not_sent_without_end() -> None:
    life = entering()
    life.hears(life.filled())
    sent, waited = 1, 0.0
    while life.position.stage is not Stage.CLOSING:
        life.hears(life.unknown(Role.STOP, attempt=sent))
        assert life.hears(life.absent(Role.STOP, attempt=sent)) == []
        sent += sum(isinstance(each, PlaceConditional) for each in life.waits(0.1))
        waited += 0.1
    assert waited < 6.0
    assert sent <= 11, "two a second"
    assert life.position.exit_reason is ExitReason.UNPROTECTED
    assert life.concerns == [Concern.NEVER_PROTECTED]


@pytest.mark.fault(30)
def test_a_refused_stop_is_tried_again_under_a_new_id_within_the_deadline() -> None:
    life = entering()
    life.hears(life.filled())
    (read,) = life.hears(life.rejected(Role.STOP, code=-4509))
    assert isinstance(read, ReadAccount), "the venue may not have seen the position yet"
    (again,) = life.waits(0.5)
    assert isinstance(again, PlaceConditional)
    assert again.client_order_id == life.id(Role.STOP, 2)


@pytest.mark.fault(32)
def test_a_price_already_beyond_the_stop_closes_now() -> None:
    life = entering()
    life.hears(life.filled())
    (close,) = life.hears(life.rejected(Role.STOP, code=-2021))
    assert isinstance(close, CloseAtMarket)


@pytest.mark.fault(31)
def test_a_stop_of_unknown_outcome_is_asked_for_not_sent_again() -> None:
    life = entering()
    life.hears(life.filled())
    (query,) = life.hears(life.unknown(Role.STOP))
    assert isinstance(query, QueryOrder)
    assert life.waits(0.6) == []


@pytest.mark.fault(40)
def test_a_lost_stop_is_replaced_at_once() -> None:
    life = open_life()
    (again,) = life.hears(life.conditional(Role.STOP, ConditionalStatus.CANCELED))
    assert isinstance(again, PlaceConditional)
    assert life.position.stage is Stage.PROTECTING


@pytest.mark.fault(38)
def test_a_stopped_position_cancels_its_target_and_closes() -> None:
    life = open_life()
    life.hears(life.conditional(Role.STOP, ConditionalStatus.TRIGGERED))
    (cancel,) = life.hears(life.filled(price="98.90", opening=False))
    assert cancel == CancelConditional(
        position_id=life.position.position_id,
        client_order_id=life.id(Role.TARGET),
        symbol=life.position.symbol,
    )
    assert life.position.stage is Stage.CLOSED
    assert life.position.exit_reason is ExitReason.STOP
    assert life.position.net_pnl == Decimal("-12.0")  # 10 × −1.10 − two fees of 0.50


@pytest.mark.fault(41)
def test_a_triggered_stop_that_does_not_fill_is_backed_by_a_market_close() -> None:
    life = open_life()
    life.hears(life.conditional(Role.STOP, ConditionalStatus.TRIGGERED))
    (close,) = life.waits(3.0)
    assert isinstance(close, CloseAtMarket)


@pytest.mark.fault(1)
def test_a_timed_out_entry_is_asked_for_and_never_resent() -> None:
    life = entering()
    life.hears(life.unknown(Role.ENTRY))
    for _ in range(20):
        life.waits(1.0)
    assert [type(command) for command in life.sent].count(SubmitEntry) == 1
    assert life.position.stage is Stage.UNKNOWN


@pytest.mark.fault(2)
def test_an_entry_is_given_up_only_when_neither_queries_nor_the_account_show_it() -> None:
    life = entering()
    life.hears(life.unknown(Role.ENTRY))
    for _ in range(PARAMETERS.absence_probes - 1):
        life.hears(life.absent(Role.ENTRY))
        life.is_seen_flat()
        assert life.position.stage is Stage.UNKNOWN
    life.hears(life.absent(Role.ENTRY))
    assert life.position.stage is Stage.UNKNOWN, "not found is not absent"
    life.is_seen_flat()
    assert life.position.exit_reason is ExitReason.NOT_PLACED


@pytest.mark.fault(5)
def test_an_unknown_entry_that_filled_after_all_is_protected() -> None:
    life = entering()
    life.hears(life.unknown(Role.ENTRY))
    (stop,) = life.hears(life.filled())
    assert isinstance(stop, PlaceConditional)


def test_a_refused_entry_ends_it_with_nothing_held() -> None:
    life = entering()
    assert life.hears(life.rejected(Role.ENTRY, code=-2019)) == []
    assert life.position.exit_reason is ExitReason.ENTRY_REJECTED


def test_an_entry_that_filled_nothing_ends_it() -> None:
    life = entering()
    life.hears(life.ended("0"))
    assert life.position.exit_reason is ExitReason.NOT_FILLED


@pytest.mark.fault(35)
def test_a_partial_entry_is_protected_and_targeted_for_what_it_holds() -> None:
    life = entering()
    life.hears(life.filled(quantity="4"))
    (target,) = life.hears(life.ended("4"))
    assert isinstance(target, PlaceConditional)
    assert life.position.quantity == Decimal(4)


@pytest.mark.fault(36)
def test_fills_that_go_on_after_the_stop_need_no_other() -> None:
    life = entering()
    (stop,) = life.hears(life.filled(quantity="4"))
    assert isinstance(stop, PlaceConditional)
    assert stop.quantity is None, "it closes whatever is held"
    life.hears(life.conditional(Role.STOP))
    later = life.hears(life.filled(quantity="6"))
    assert [each for each in later if isinstance(each, PlaceConditional) and each.role is Role.STOP] == []
    assert life.position.is_protected
    assert life.position.quantity == Decimal(10)


@pytest.mark.fault(23)
def test_an_end_heard_before_the_last_fill_waits_for_it() -> None:
    life = entering()
    life.hears(life.filled(quantity="4"))
    assert life.hears(life.ended("10")) == []
    (target,) = life.hears(life.filled(quantity="6"))
    assert isinstance(target, PlaceConditional)
    assert target.role is Role.TARGET


@pytest.mark.fault(22)
def test_the_same_fill_twice_counts_once() -> None:
    life = entering()
    fill = life.filled()
    life.hears(fill)
    life.hears(fill)
    assert life.position.quantity == Decimal(10)


def test_flat_at_the_venue_is_believed_once_every_question_is_answered() -> None:
    life = open_life()
    life.mono += 10
    assert [type(command) for command in life.is_seen_flat()] == [QueryOrder, QueryOrder]
    assert life.is_seen_flat() == ()  # too soon
    life.hears(life.conditional(Role.TARGET, ConditionalStatus.EXPIRED))
    life.mono += 1
    (again,) = life.is_seen_flat()
    assert isinstance(again, QueryOrder)
    assert again.client_order_id == life.id(Role.STOP)
    life.hears(life.unknown(Role.STOP))
    life.mono += 1
    life.is_seen_flat()
    assert not life.at(Stage.CLOSED)  # what may have filled unheard is no stranger's close
    life.hears(life.conditional(Role.STOP, ConditionalStatus.EXPIRED))
    life.mono += 1
    life.is_seen_flat()
    assert life.position.exit_reason is ExitReason.EXTERNAL


def test_order_ids_tell_their_role_and_fit_the_exchange() -> None:
    for role in Role:
        order_id = client_order_id("real:ict_smc:1000000BOBUSDT:LONG:1764115200000", role, 12)
        assert role_of(order_id) is role
        assert len(order_id) <= 36
    assert role_of("autoclose-123") is None


NEWS = st.sampled_from(
    [
        "prepared", "fill", "fill again", "ended", "stop new", "stop triggered", "stop lost", "target new",
        "target triggered", "target lost", "exit fill", "entry rejected", "stop rejected", "close rejected",
        "entry unknown", "stop unknown", "entry absent", "stop absent", "wait", "wait long", "close",
    ]
)  # fmt: skip


def tell(life: Life, news: str) -> None:
    """Let the position hear one thing, at any time, in any order."""
    attempt = max(life.position.attempts.get(Role.STOP, 1), 1)
    stories: dict[str, Callable[[], Report]] = {
        "prepared": life.prepared,
        "fill": lambda: life.filled(quantity="5"),
        "ended": lambda: life.ended(str(life.position.entered)),
        "stop new": lambda: life.conditional(Role.STOP, attempt=attempt),
        "stop triggered": lambda: life.conditional(Role.STOP, ConditionalStatus.TRIGGERED, attempt),
        "stop lost": lambda: life.conditional(Role.STOP, ConditionalStatus.EXPIRED, attempt),
        "target new": lambda: life.conditional(Role.TARGET),
        "target triggered": lambda: life.conditional(Role.TARGET, ConditionalStatus.TRIGGERED),
        "target lost": lambda: life.conditional(Role.TARGET, ConditionalStatus.CANCELED),
        "entry rejected": lambda: life.rejected(Role.ENTRY, -2019),
        "stop rejected": lambda: life.rejected(Role.STOP, -4509, attempt),
        "close rejected": lambda: life.rejected(Role.CLOSE, -1008),
        "entry unknown": lambda: life.unknown(Role.ENTRY),
        "stop unknown": lambda: life.unknown(Role.STOP),
        "entry absent": lambda: life.absent(Role.ENTRY),
        "stop absent": lambda: life.absent(Role.STOP),
    }
    match news:
        case "wait":
            life.waits(0.6)
        case "wait long":
            life.waits(6.0)
        case "close":
            step = lifecycle.request_close(life.position, ExitReason.OPERATOR, mono=life.mono)
            life.sent.extend(step.commands)
            life.position = step.position
        case "exit fill" if life.position.quantity > 0:
            life.hears(life.filled(str(life.position.quantity), opening=False))
        case "fill again" if life.position.fills:
            repeated = life.filled(quantity="5")
            life.hears(repeated)
            life.hears(repeated)
        case _ if news in stories:
            # A venue fills no more than was ordered, and only what was ordered.
            if news == "fill" and (life.position.entered >= 10 or Role.ENTRY not in life.position.attempts):
                return
            life.hears(stories[news]())


@given(st.lists(NEWS, max_size=40))
def test_whatever_is_heard_one_entry_at_most_is_sent_and_exits_never_exceed_what_is_held(
    story: list[str],
) -> None:
    life = Life()
    for news in story:
        held = life.position.quantity
        before = len(life.sent)
        tell(life, news)
        for command in life.sent[before:]:
            if isinstance(command, CloseAtMarket):
                assert command.side is Side.LONG
                assert 0 < command.quantity <= max(held, life.position.quantity)
    assert sum(isinstance(command, SubmitEntry) for command in life.sent) <= 1


@given(st.lists(NEWS, max_size=40))
def test_what_is_held_is_protected_or_being_protected_or_being_closed(story: list[str]) -> None:
    life = entering()
    for news in story:
        tell(life, news)
        position = life.position
        if position.is_live and position.quantity > 0:
            waiting = position.stage is Stage.PROTECTING and position.exposed_mono is not None
            protected = position.stop is not None and position.stop.confirmed
            assert protected or waiting or position.stage is Stage.CLOSING, news


@pytest.mark.fault(38)
@given(st.lists(NEWS, max_size=40))
def test_a_closed_position_leaves_no_stop_or_target_resting(story: list[str]) -> None:
    life = entering()
    for news in story:
        tell(life, news)
        if not life.position.is_live:
            break
    else:
        return
    cancelled = {c.client_order_id for c in life.sent if isinstance(c, CancelConditional)}
    for protection in (life.position.stop, life.position.target):
        if protection is not None and not protection.venue_order_id:
            assert protection.client_order_id in cancelled
