"""Storms that once found something: each stays, whatever the seeds of today bring."""

import pytest

from exchange.sim.server.faults.catalogue import MinuteFault, RestFault
from exchange.sim.server.faults.plan import Rule
from tests.faults.aimed import again_and_again, struck_by
from tests.faults.deeds import Deed
from tests.faults.scenario import live_through, storm


def struck(seed: int, *rules: Rule) -> None:
    """Live through storms of these faults alone, which must have struck."""
    assert live_through(struck_by(*rules)(seed)).strikes > 0


@pytest.mark.fault(19)
@pytest.mark.parametrize("seed", [1, 2])
def test_what_lies_between_steps_that_grew_is_closed_all_the_same(seed: int) -> None:
    struck(seed, Rule(fault=MinuteFault.FILTERS_CHANGED, rate=0.3))


@pytest.mark.fault(41)
@pytest.mark.parametrize("seed", [12, 21])
def test_a_target_stuck_since_an_earlier_position_takes_the_next_one_and_is_booked(seed: int) -> None:
    struck(seed, Rule(fault=MinuteFault.TRIGGERS_STUCK, rate=1.0, seconds=10.0))


@pytest.mark.fault(33)
def test_closes_that_are_lost_one_after_another_leave_nothing_exposed_for_long() -> None:
    refused = Rule(fault=RestFault.REFUSED, match="POST /fapi/v1/algoOrder", rate=0.5, code=-2021)
    lost = Rule(fault=RestFault.LOSE_REQUEST, match="POST /fapi/v1/order", rate=0.5)
    struck(5, refused, lost)


@pytest.mark.fault(93)
@pytest.mark.parametrize("seed", [1, 4])
def test_nothing_is_entered_after_a_sleep_on_candles_from_before_it(seed: int) -> None:
    live_through(again_and_again(Deed.SUSPEND)(seed))


def test_a_stop_lost_in_a_sleep_that_began_inside_a_ban_is_made_good_once_the_rest_of_it_is_over() -> None:
    storm(3420)


def test_a_panic_outlives_a_death_right_after_it_was_written_down() -> None:
    storm(4325)


def test_what_somebody_added_to_a_position_we_have_just_left_is_his() -> None:
    storm(5085)


def test_a_record_that_a_write_fault_held_back_is_made_up_for_before_anything_else_happens() -> None:
    storm(88)


def test_nobody_decides_on_a_candle_that_was_taken_back_before_its_minute_was_told() -> None:
    storm(349)


def test_a_fee_of_the_second_of_the_last_read_is_not_lost_where_no_further_read_was_let_in() -> None:
    storm(1458)


def test_a_trader_whom_a_ban_and_a_clock_set_back_keep_away_to_the_end_has_left_nothing() -> None:
    storm(972)
