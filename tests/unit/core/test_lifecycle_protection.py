"""The stop for life, the tightened one beside it, several targets, and what stands behind them all."""

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest

from core.lifecycle_moves import Concern
from core.orders import (
    CancelConditional,
    CloseAtMarket,
    ConditionalsListed,
    ConditionalStatus,
    ListConditionals,
    PlaceConditional,
    QueryOrder,
    ReadAccount,
    RestingConditional,
    Role,
)
from core.positions import ExitReason, PositionPlan, Stage
from core.signals import Target
from tests.builders import T0, instrument, plan, ranked
from tests.unit.core.lives import Life, entering, open_life

TRIGGERED = ConditionalStatus.TRIGGERED


def listed(life: Life, *resting: RestingConditional) -> ConditionalsListed:
    return ConditionalsListed(
        position_id=life.position.position_id, symbol=life.position.symbol, resting=resting, at=T0
    )


def resting(order_id: str, trigger: str = "99.00") -> RestingConditional:
    return RestingConditional(
        client_order_id=order_id,
        symbol="SOLUSDT",
        status=ConditionalStatus.NEW,
        trigger_price=Decimal(trigger),
    )


def trailing() -> Life:
    """A life whose stop has been tightened once, to 100.12."""
    life = open_life()
    life.tightens("100.12")
    life.hears(life.conditional(Role.TRAIL))
    return life


# --- tightening ---------------------------------------------------------------------------------------


def test_a_tightened_stop_has_the_exact_quantity_and_stands_beside_the_one_for_life() -> None:
    life = open_life()
    (trail,) = life.tightens("100.12")
    assert isinstance(trail, PlaceConditional)
    assert (trail.role, trail.quantity, trail.trigger_price) == (Role.TRAIL, Decimal(10), Decimal("100.12"))
    assert life.hears(life.conditional(Role.TRAIL)) == []
    assert life.position.is_protected
    assert life.position.stop_level == Decimal("100.12")


@pytest.mark.fault(43)
def test_the_old_tightened_stop_goes_only_once_the_new_one_is_confirmed() -> None:
    life = trailing()
    (new,) = life.tightens("100.50")
    assert isinstance(new, PlaceConditional)
    (gone,) = life.hears(life.conditional(Role.TRAIL, attempt=2))
    assert isinstance(gone, CancelConditional)
    assert gone.client_order_id == life.id(Role.TRAIL, 1)


@pytest.mark.parametrize("price", ["100.12", "100.00", "98.00"])
def test_a_stop_never_loosens(price: str) -> None:
    assert trailing().tightens(price) == ()


def test_one_move_at_a_time() -> None:
    life = open_life()
    life.tightens("100.12")
    assert life.tightens("100.50") == ()


def test_a_move_that_the_price_has_overtaken_closes_now() -> None:
    life = open_life()
    life.tightens("100.12")
    (close,) = life.hears(life.rejected(Role.TRAIL, -2021))
    assert isinstance(close, CloseAtMarket)
    assert life.position.exit_reason is ExitReason.STOP


def test_a_level_the_venue_takes_no_order_for_is_watched_by_ourselves() -> None:
    life = open_life()
    life.tightens("100.12")
    life.hears(life.rejected(Role.TRAIL, -4015))
    assert life.concerns == [Concern.TRAIL_REFUSED]
    assert life.position.is_protected, "the stop for life still rests"
    life.marked("100.00")
    (close,) = life.marked("100.00", after=3.0)
    assert isinstance(close, CloseAtMarket)


def test_a_tightened_stop_of_unknown_outcome_is_asked_for() -> None:
    life = open_life()
    life.tightens("100.12")
    (query,) = life.hears(life.unknown(Role.TRAIL))
    assert isinstance(query, QueryOrder)
    life.hears(life.absent(Role.TRAIL))
    assert life.position.next_trail is None
    (again,) = life.waits(10.0)
    assert isinstance(again, PlaceConditional)
    assert again.trigger_price == Decimal("100.12")


def test_a_position_that_its_tightened_stop_closed_leaves_nothing_resting() -> None:
    life = trailing()
    life.hears(life.conditional(Role.TRAIL, TRIGGERED))
    cancels = life.hears(life.filled(price="100.10", opening=False, by=life.id(Role.TRAIL)))
    gone = {each.client_order_id for each in cancels if isinstance(each, CancelConditional)}
    assert gone == {life.id(Role.STOP), life.id(Role.TARGET)}
    assert life.position.exit_reason is ExitReason.STOP


# --- the backstop -------------------------------------------------------------------------------------


def test_a_mark_beyond_the_stop_for_three_seconds_closes_at_market() -> None:
    life = open_life()
    assert life.marked("98.90") == ()  # 0.1 R beyond
    assert life.marked("98.90", after=2.9) == ()
    (close,) = life.marked("98.90", after=0.2)
    assert isinstance(close, CloseAtMarket)
    assert life.concerns == [Concern.BACKSTOP]


def test_a_mark_that_comes_back_starts_the_count_anew() -> None:
    life = open_life()
    life.marked("98.90")
    life.marked("99.50", after=2.0)
    assert life.marked("98.90", after=2.0) == ()
    assert life.marked("98.95", after=9.0) == (), "less than 0.1 R beyond is the venue's business"


@pytest.mark.fault(33)
def test_closing_goes_on_ever_more_slowly_until_flat_and_people_hear_of_it() -> None:
    life = open_life()
    life.hears(life.conditional(Role.STOP, TRIGGERED))
    times = []
    for _ in range(1200):
        times += [life.mono for command in life.waits(0.25) if isinstance(command, CloseAtMarket)]
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert pauses[:3] == [3.0, 6.0, 12.0]
    assert max(pauses) == 30.0
    assert Concern.CLOSE_STUCK in life.concerns
    assert life.position.stage is Stage.CLOSING


@pytest.mark.fault(33)
def test_while_no_stop_rests_either_closing_is_tried_every_few_seconds() -> None:
    life = entering()
    life.hears(life.filled())
    life.hears(life.rejected(Role.STOP, code=-2021))
    times = []
    for _ in range(240):
        times += [life.mono for command in life.waits(0.25) if isinstance(command, CloseAtMarket)]
    assert max(later - earlier for earlier, later in pairwise(times)) == 6.0
    assert Concern.CLOSE_STUCK in life.concerns


@pytest.mark.fault(39)
def test_a_close_the_venue_calls_needless_is_checked_against_the_account() -> None:
    life = open_life()
    life.hears(life.conditional(Role.STOP, TRIGGERED))
    life.waits(3.0)
    (read,) = life.hears(life.rejected(Role.CLOSE, -2022))
    assert isinstance(read, ReadAccount)


def test_the_account_read_after_a_needless_close_counts_although_the_close_is_young() -> None:
    life = open_life()
    life.hears(life.conditional(Role.STOP, TRIGGERED))
    life.waits(3.0)
    life.hears(life.rejected(Role.CLOSE, -2022))
    asked = life.is_seen_flat()
    assert life.id(Role.STOP) in {each.client_order_id for each in asked if isinstance(each, QueryOrder)}


@pytest.mark.fault(51)
def test_no_close_is_larger_than_the_venue_takes_at_once() -> None:
    contract = instrument(max_market_quantity="4")
    life = open_life(plan(contract=contract))
    life.hears(life.conditional(Role.STOP, TRIGGERED))
    (close,) = life.waits(3.0)
    assert isinstance(close, CloseAtMarket)
    assert close.quantity == Decimal(4)


# --- a stop already there -----------------------------------------------------------------------------


def already_protected() -> Life:
    life = entering()
    life.hears(life.filled())
    life.hears(life.ended())
    (look,) = life.hears(life.rejected(Role.STOP, -4130))
    assert isinstance(look, ListConditionals)
    life.waits(0.5)  # and so the next attempt is on its way
    return life


def test_our_own_stop_at_our_own_level_is_adopted() -> None:
    life = already_protected()
    life.hears(listed(life, resting(life.id(Role.STOP, 1))))
    assert life.position.stage is Stage.OPEN
    assert life.position.stop
    assert life.position.stop.client_order_id == life.id(Role.STOP, 1)


@pytest.mark.parametrize("trigger", ["98.00", "99.50"])
def test_our_own_stop_at_another_level_is_cancelled(trigger: str) -> None:
    life = already_protected()
    (gone,) = life.hears(listed(life, resting(life.id(Role.STOP, 1), trigger)))
    assert isinstance(gone, CancelConditional)
    assert life.position.stage is Stage.PROTECTING


@pytest.mark.fault(44)
def test_an_orphan_of_an_earlier_position_is_cancelled_and_our_stop_placed_again() -> None:
    life = already_protected()
    (gone,) = life.hears(listed(life, resting("ps-0123456789abcdef01-s1")))
    assert isinstance(gone, CancelConditional)
    life.hears(life.rejected(Role.STOP, -4130, attempt=2))
    (again,) = life.waits(0.5)
    assert isinstance(again, PlaceConditional)


def test_somebody_elses_stop_is_never_touched() -> None:
    life = already_protected()
    assert life.hears(listed(life, resting("web_1"))) == []


@pytest.mark.fault(44)
@pytest.mark.parametrize("code", [-2025, -4045])
def test_too_many_orders_are_looked_through_before_the_next_attempt(code: int) -> None:
    life = entering()
    life.hears(life.filled())
    (look,) = life.hears(life.rejected(Role.STOP, code))
    assert isinstance(look, ListConditionals)


def test_a_confirmation_that_comes_too_late_for_its_attempt_is_still_a_stop() -> None:
    life = entering()
    life.hears(life.filled())
    life.hears(life.absent(Role.STOP))
    life.waits(0.5)
    (gone,) = life.hears(life.conditional(Role.STOP, attempt=1))
    assert isinstance(gone, CancelConditional)
    assert gone.client_order_id == life.id(Role.STOP, 2)
    assert life.position.stage is Stage.OPEN


def test_a_stop_that_a_query_does_not_find_is_placed_again() -> None:
    life = open_life()
    (again,) = life.hears(life.absent(Role.STOP))
    assert isinstance(again, PlaceConditional)
    assert life.position.stage is Stage.PROTECTING
    assert life.concerns == [Concern.STOP_LOST]


# --- targets ------------------------------------------------------------------------------------------


def two_targets() -> PositionPlan:
    single = plan(ranked())
    half = Decimal("0.5")
    targets = (Target(price=Decimal("100.50"), fraction=half), Target(price=Decimal("102.00"), fraction=half))
    return replace(single, targets=targets)


def open_with_two() -> Life:
    life = open_life(two_targets())
    life.hears(life.conditional(Role.TARGET, attempt=2))
    return life


def test_several_targets_close_their_parts_and_the_last_one_the_rest() -> None:
    life = open_with_two()
    placed = [each for each in life.sent if isinstance(each, PlaceConditional) and each.role is Role.TARGET]
    assert [(each.trigger_price, each.quantity) for each in placed] == [
        (Decimal("100.50"), Decimal(5)),
        (Decimal("102.00"), None),
    ]


def test_a_reached_part_leaves_the_rest_open_and_protected() -> None:
    life = open_with_two()
    life.hears(life.conditional(Role.TARGET, TRIGGERED))
    assert life.hears(life.filled("5", "100.50", opening=False, by=life.id(Role.TARGET))) == []
    assert (life.position.stage, life.position.quantity) == (Stage.OPEN, Decimal(5))
    (trail,) = life.tightens("100.12")
    assert isinstance(trail, PlaceConditional)
    assert trail.quantity == Decimal(5)
    life.hears(life.conditional(Role.TARGET, TRIGGERED, attempt=2))
    life.hears(life.filled("5", "102", opening=False, by=life.id(Role.TARGET, 2)))
    assert life.position.exit_reason is ExitReason.TARGET
    assert life.position.gross_pnl == Decimal("12.5")


def test_a_stop_that_executes_in_parts_is_no_reached_part_where_the_venue_names_no_order() -> None:
    life = open_with_two()
    life.hears(replace(life.filled("4", "99", opening=False, by=life.id(Role.STOP)), venue_order_id=""))
    assert (life.position.stage, life.position.exit_reason) == (Stage.CLOSING, ExitReason.STOP)


def test_a_target_that_does_not_rest_is_tried_again_and_people_hear_of_it() -> None:
    life = open_life()
    life.hears(life.conditional(Role.TARGET, ConditionalStatus.CANCELED))
    assert life.waits(9.9) == []
    (again,) = life.waits(0.2)
    assert isinstance(again, PlaceConditional)
    assert again.role is Role.TARGET
    assert life.concerns == [Concern.TARGET_MISSING]


def test_stops_that_keep_being_tightened_do_not_put_off_a_missing_target() -> None:
    life = open_life()
    life.hears(life.absent(Role.TARGET))
    for turn in range(1, 13):
        life.waits(1.0)
        life.tightens(f"100.{turn:02}")
        life.hears(life.conditional(Role.TRAIL, attempt=turn))
    assert Role.TARGET in {each.role for each in life.sent[-13:] if isinstance(each, PlaceConditional)}


def test_a_target_that_was_missing_when_the_process_ended_is_not_waited_for_again() -> None:
    life = open_life()
    life.hears(life.absent(Role.TARGET))
    life.mono = 100.0
    life.restarts()
    (again,) = life.waits(0.1)
    assert isinstance(again, PlaceConditional)
    assert again.role is Role.TARGET


# --- what was filled ----------------------------------------------------------------------------------


def test_liquidation_too_near_to_what_was_filled_is_left_at_once() -> None:
    contract = instrument(ladder=(("0", "50000", "0.01", 75, "0"),))
    intent = replace(plan(contract=contract), leverage=40)  # liquidation 1.5 % away, the stop 1 %
    life = Life(intent)
    life.hears(life.prepared(leverage=40))
    life.hears(life.filled())
    (close,) = life.hears(life.ended())
    assert isinstance(close, CloseAtMarket)
    assert life.position.exit_reason is ExitReason.LIQUIDATION_NEAR


def test_a_stop_for_life_that_takes_more_than_ours_is_booked_as_ours_only() -> None:
    life = open_life()
    life.hears(life.conditional(Role.STOP, TRIGGERED))
    life.hears(life.filled("15", "99", opening=False))
    assert life.position.exited == Decimal(10)
    assert life.position.fees == Decimal("0.5") + Decimal("0.5") * 10 / 15
