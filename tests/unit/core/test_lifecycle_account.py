"""What reads of the account and restarts do to a life."""

from dataclasses import replace
from decimal import Decimal

import pytest

from core.lifecycle_moves import Concern
from core.orders import (
    CancelConditional,
    CloseAtMarket,
    ConditionalStatus,
    PlaceConditional,
    QueryOrder,
    Role,
    SubmitEntry,
)
from core.positions import ExitReason, Stage
from tests.unit.core.lives import PARAMETERS, Life, entering, open_life


def asked(commands: object) -> set[str]:
    assert isinstance(commands, tuple)
    return {each.client_order_id for each in commands if isinstance(each, QueryOrder)}


def frozen() -> Life:
    life = open_life()
    for _ in range(PARAMETERS.doubts):
        life.mono += 1.0
        life.is_seen("15")
    assert life.position.stage is Stage.FROZEN
    return life


# --- another quantity ---------------------------------------------------------------------------------


def test_another_quantity_is_asked_about_before_it_is_believed() -> None:
    life = open_life()
    life.mono += 1.0
    assert asked(life.is_seen("15")) >= {life.id(Role.STOP), life.id(Role.TARGET)}
    assert life.at(Stage.OPEN)
    life.mono += 1.0
    life.is_seen("15")
    assert life.at(Stage.OPEN)
    life.mono += 1.0
    life.is_seen("15")
    assert life.at(Stage.FROZEN)
    assert life.concerns == [Concern.FROZEN]


@pytest.mark.parametrize("quantity", ["15", "5", "-10"])
def test_more_less_or_the_other_way_round_all_freeze(quantity: str) -> None:
    life = open_life()
    for _ in range(PARAMETERS.doubts):
        life.mono += 1.0
        life.is_seen(quantity)
    assert life.position.stage is Stage.FROZEN


def test_reads_in_quick_succession_count_once() -> None:
    life = open_life()
    for _ in range(10):
        life.is_seen("15")
    assert life.position.stage is Stage.OPEN


def test_a_read_that_fits_clears_the_doubt() -> None:
    life = open_life()
    life.mono += 1.0
    life.is_seen("15")
    life.is_seen("10")
    assert life.position.doubts == 0


@pytest.mark.fault(48)
def test_a_frozen_position_moves_nothing_but_keeps_its_stop() -> None:
    life = frozen()
    assert life.tightens("100.12") == ()
    (again,) = life.hears(life.conditional(Role.STOP, ConditionalStatus.CANCELED))
    assert isinstance(again, PlaceConditional)
    assert life.position.stage is Stage.FROZEN


def test_a_frozen_position_thaws_when_the_account_shows_ours_again() -> None:
    life = frozen()
    life.is_seen("10")
    assert life.position.stage is Stage.OPEN
    assert life.concerns[-1] is Concern.THAWED


def test_a_frozen_position_that_is_gone_ends_as_closed_elsewhere() -> None:
    life = frozen()
    life.mono += 1.0
    for _ in range(PARAMETERS.doubts):
        assert not life.at(Stage.CLOSED)
        life.is_seen_flat()
        life.hears(life.absent(Role.TARGET))  # once not found is not absent
        life.hears(life.absent(Role.STOP))
        life.mono += 1.0
    life.is_seen_flat()
    assert life.position.exit_reason is ExitReason.EXTERNAL


def test_late_news_of_an_earlier_position_is_not_booked_into_this_one() -> None:
    life = open_life()
    earlier = "ps-000000000000000000"
    life.hears(life.filled("4", opening=False, by=f"{earlier}-t1"))
    life.hears(life.filled("4", by=f"{earlier}-e1"))
    assert life.position.quantity == 10
    assert life.at(Stage.OPEN)


@pytest.mark.fault(41)
def test_an_exit_of_an_earlier_position_that_was_stuck_and_executes_now_has_taken_ours() -> None:
    life = open_life()
    late = life.filled(opening=False, by="ps-000000000000000000-t1")
    left = life.hears(replace(late, at=late.at + 1))
    assert life.position.stage is Stage.CLOSED
    assert life.position.exit_reason is ExitReason.EXTERNAL
    assert [fill.trade_id for fill in life.position.fills][-1] == late.trade_id
    assert {type(command) for command in left} == {CancelConditional}


@pytest.mark.fault(39)
def test_a_flat_account_read_right_after_each_needless_close_is_believed_in_the_end() -> None:
    life = entering()
    life.hears(life.filled())
    life.hears(life.rejected(Role.STOP, code=-2021))
    for _ in range(60):
        for command in life.waits(0.5):
            if isinstance(command, CloseAtMarket):
                life.hears(life.rejected(Role.CLOSE, -2022, attempt=life.position.attempts[Role.CLOSE]))
                for question in life.is_seen_flat():
                    assert isinstance(question, QueryOrder)
                    life.hears(replace(life.absent(Role.STOP), client_order_id=question.client_order_id))
    assert life.at(Stage.CLOSED)


@pytest.mark.fault(47)
def test_what_is_being_closed_is_over_once_the_account_shows_somebody_elses_on_the_other_side() -> None:
    """One position a symbol: where others are short, nothing of ours is long, and no close will ever fill."""
    life = open_life()
    life.closes(ExitReason.OPERATOR)
    for _ in range(20):
        life.waits(1.0)
        for question in life.is_seen("-3"):
            assert isinstance(question, QueryOrder)
            life.hears(replace(life.absent(Role.STOP), client_order_id=question.client_order_id))
    assert life.at(Stage.CLOSED)
    assert life.position.exit_reason is ExitReason.OPERATOR


def test_what_is_being_closed_goes_on_while_the_account_shows_ours() -> None:
    life = open_life()
    life.closes(ExitReason.OPERATOR)
    for seen in ("10", "4", "30"):
        life.waits(5.0)
        assert not life.is_seen(seen)
    assert life.at(Stage.CLOSING)


@pytest.mark.fault(48)
def test_somebody_elses_addition_is_not_booked_and_freezes() -> None:
    life = open_life()
    assert life.hears(life.filled("5", by="web_1")) == []
    assert (life.position.stage, life.position.quantity) == (Stage.FROZEN, Decimal(10))


def test_somebody_elses_reduction_is_booked_and_freezes() -> None:
    life = open_life()
    life.hears(life.filled("4", opening=False, by="web_1"))
    assert (life.position.stage, life.position.quantity) == (Stage.FROZEN, Decimal(6))


@pytest.mark.fault(47)
@pytest.mark.parametrize("order_id", ["web_1", ""])
def test_somebody_elses_close_or_a_liquidation_ends_it(order_id: str) -> None:
    life = open_life()
    left = life.hears(life.filled(opening=False, by=order_id))
    assert life.position.stage is Stage.CLOSED
    assert life.position.exit_reason is ExitReason.EXTERNAL
    cancelled = [each.client_order_id for each in left if isinstance(each, CancelConditional)]
    assert len(cancelled) == len(left)
    assert set(cancelled) == {life.id(Role.STOP, 1), life.id(Role.TARGET, 1)}


def test_liquidation_that_has_come_near_closes() -> None:
    life = open_life()
    assert life.is_seen("10", liquidation="98") == ()
    (close,) = life.is_seen("10", liquidation="98.9")
    assert isinstance(close, CloseAtMarket)
    assert life.position.exit_reason is ExitReason.LIQUIDATION_NEAR


# --- unknown entries ----------------------------------------------------------------------------------


def test_an_unknown_entry_that_the_account_shows_is_protected_before_it_is_understood() -> None:
    life = entering()
    life.hears(life.unknown(Role.ENTRY))
    (stop,) = life.is_seen("10")
    assert isinstance(stop, PlaceConditional)
    assert (stop.role, stop.quantity) == (Role.STOP, None)
    life.hears(life.conditional(Role.STOP))
    assert life.at(Stage.UNKNOWN)
    (target,) = [*life.hears(life.filled()), *life.hears(life.ended())]
    assert isinstance(target, PlaceConditional)
    assert target.role is Role.TARGET
    assert life.at(Stage.OPEN)


@pytest.mark.parametrize("quantity", ["-10", "11"])
def test_what_can_not_be_our_entry_is_not_protected_as_if_it_were(quantity: str) -> None:
    life = entering()
    life.hears(life.unknown(Role.ENTRY))
    assert life.is_seen(quantity) == ()


@pytest.mark.fault(48)
def test_what_no_query_ever_finds_is_somebody_elses_whatever_the_account_shows() -> None:
    life = entering()
    life.hears(life.unknown(Role.ENTRY))
    life.is_seen("7")
    for _ in range(PARAMETERS.strange_probes - 1):
        life.hears(life.absent(Role.ENTRY))
        assert life.is_seen("7") == ()
    life.hears(life.absent(Role.ENTRY))
    (gone,) = life.is_seen("7")
    assert isinstance(gone, CancelConditional), "our stop would close what is not ours"
    assert life.position.exit_reason is ExitReason.NOT_PLACED


def taken_by_its_stop() -> Life:
    """Tell of an entry of unknown outcome whose stop has closed what the account showed."""
    life = entering()
    life.hears(life.unknown(Role.ENTRY))
    life.is_seen("7")
    life.hears(life.conditional(Role.STOP))
    life.hears(life.conditional(Role.STOP, ConditionalStatus.FINISHED))
    life.hears(life.filled("7", opening=False))
    return life


def test_a_stop_that_took_what_was_somebody_elses_leaves_no_position_and_no_record_behind() -> None:
    life = taken_by_its_stop()
    for _ in range(PARAMETERS.strange_probes):
        assert life.position.is_live, "it may have been ours after all"
        assert asked(tuple(life.waits(1.0))) == {life.id(Role.ENTRY)}
        life.hears(life.absent(Role.ENTRY))
        life.is_seen_flat()
    assert (life.position.stage, life.position.exit_reason) == (Stage.CLOSED, ExitReason.NOT_PLACED)
    assert life.position.fills == ()
    assert life.concerns == [Concern.TOOK_ANOTHERS]


@pytest.mark.parametrize("news", ["refused", "ended"])
def test_an_entry_that_filled_nothing_is_over_though_its_stop_took_something(news: str) -> None:
    life = taken_by_its_stop()
    life.hears(life.rejected(Role.ENTRY, -2019) if news == "refused" else life.ended("0"))
    assert life.at(Stage.CLOSED)
    assert life.position.fills == ()


def test_an_exit_heard_before_its_entry_is_booked_once_that_is_found() -> None:
    life = taken_by_its_stop()
    life.hears(life.filled("7"))
    assert life.at(Stage.CLOSING)
    life.hears(life.ended("7"))
    assert (life.position.stage, life.position.exit_reason) == (Stage.CLOSED, ExitReason.STOP)
    assert life.position.exited == Decimal(7)


@pytest.mark.parametrize(("later_ms", "left"), [(0, Decimal(3)), (1, Decimal(10))])
def test_what_an_entry_fills_after_its_stop_was_spent_is_closed(later_ms: int, left: Decimal) -> None:
    """The stop's execution took none of what was bought after it."""
    life = taken_by_its_stop()
    fill = life.filled("10")
    life.hears(replace(fill, at=fill.at + later_ms))
    life.hears(life.ended("10"))
    (close,) = life.waits(3.0)
    assert isinstance(close, CloseAtMarket)
    assert close.quantity == left
    assert (Concern.TOOK_ANOTHERS in life.concerns) == bool(later_ms)


@pytest.mark.parametrize("stage", [Stage.INTENDED, Stage.ENTERING])
def test_somebody_elses_trade_the_other_way_is_no_exit_while_nothing_is_held(stage: Stage) -> None:
    life = Life() if stage is Stage.INTENDED else entering()
    life.hears(life.filled("4", opening=False, by="web_1"))
    assert (life.position.stage, life.position.exited) == (stage, Decimal(0))


# --- restarts -----------------------------------------------------------------------------------------


def test_an_intent_whose_order_never_left_comes_to_nothing() -> None:
    life = Life()
    assert life.restarts() == ()
    assert life.position.exit_reason is ExitReason.NOT_PLACED


def test_an_order_sent_before_the_crash_is_asked_for_and_never_sent_again() -> None:
    life = entering()
    assert asked(life.restarts()) == {life.id(Role.ENTRY)}
    assert life.position.stage is Stage.UNKNOWN
    for _ in range(20):
        life.waits(1.0)
    assert sum(isinstance(command, SubmitEntry) for command in life.sent) == 1


@pytest.mark.fault(34)
def test_an_unprotected_position_is_protected_first() -> None:
    life = entering()
    life.hears(life.filled("4"))
    life.hears(life.rejected(Role.STOP, -4509))
    first, *_ = life.restarts()
    assert isinstance(first, PlaceConditional)
    assert first.client_order_id == life.id(Role.STOP, 2)


def test_a_restart_counts_the_seconds_without_a_stop_on_its_own_clock() -> None:
    life = entering()
    life.hears(life.filled())
    life.restarts()
    assert life.waits(4.9) == []
    assert asked(tuple(life.waits(0.2))) == {life.id(Role.STOP)}


def test_an_open_position_is_asked_about_whole() -> None:
    life = open_life()
    life.tightens("100.12")
    expected = {life.id(role) for role in (Role.STOP, Role.TRAIL, Role.TARGET)}
    assert asked(life.restarts()) == expected
    assert life.position.stage is Stage.OPEN


def test_a_target_reached_while_nobody_ran_is_heard_of_before_the_stop_that_went_with_it() -> None:
    life = open_life()
    for question in life.restarts():
        assert isinstance(question, QueryOrder)
        if question.client_order_id == life.id(Role.TARGET):
            life.hears(life.conditional(Role.TARGET, ConditionalStatus.FINISHED))
            life.hears(life.filled(opening=False, by=question.client_order_id))
        elif question.client_order_id == life.id(Role.STOP):
            life.hears(life.conditional(Role.STOP, ConditionalStatus.EXPIRED))
    assert life.position.exit_reason is ExitReason.TARGET
    assert life.concerns == []


def test_a_close_interrupted_by_a_crash_goes_on() -> None:
    life = open_life()
    life.hears(life.conditional(Role.STOP, ConditionalStatus.TRIGGERED))
    life.waits(3.0)
    assert life.id(Role.CLOSE) in asked(life.restarts())
    (close,) = life.waits(3.0)
    assert isinstance(close, CloseAtMarket)
    assert close.client_order_id == life.id(Role.CLOSE, 2)


def test_a_close_that_filled_unheard_is_asked_about_though_later_ones_were_refused() -> None:
    life = open_life()
    life.hears(life.conditional(Role.STOP, ConditionalStatus.TRIGGERED))
    life.waits(3.0)
    life.waits(3.0)
    life.mono += 1.0
    assert {life.id(Role.CLOSE, attempt) for attempt in (1, 2)} <= asked(life.is_seen_flat())


def test_a_question_that_meets_silence_is_not_asked_again_on_the_spot() -> None:
    life = open_life()
    assert asked(tuple(life.hears(life.unknown(Role.TARGET)))) == {life.id(Role.TARGET)}
    assert life.hears(replace(life.unknown(Role.TARGET), asked=True)) == []


def test_a_stop_that_still_rests_proves_that_the_account_is_not_flat() -> None:
    life = open_life()
    for _ in range(10):
        life.mono += 1.0
        life.is_seen_flat()
        life.hears(life.conditional(Role.TARGET, ConditionalStatus.EXPIRED))
        life.hears(life.conditional(Role.STOP))
    assert life.at(Stage.OPEN)


@pytest.mark.fault(15)
def test_a_flat_account_asks_about_a_target_that_was_once_not_found_too() -> None:
    """Not found is not absent: it may have filled unheard, and be the reason."""
    life = open_life()
    life.hears(life.absent(Role.TARGET))
    assert life.position.target is None
    life.mono += 1.0
    assert life.id(Role.TARGET) in asked(life.is_seen_flat())
    life.hears(life.filled(opening=False, by=life.id(Role.TARGET)))
    assert (life.position.stage, life.position.exit_reason) == (Stage.CLOSED, ExitReason.TARGET)
