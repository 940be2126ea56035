"""Storms of one fault each: what a row of the catalogue states, shown by the whole trader.

The invariants judge: no position without a stop, no second entry, the books the exchange's, nothing left.
"""

import pytest

from exchange.sim.server.faults.catalogue import Fault, MinuteFault, RestFault, StreamFault
from exchange.sim.server.faults.plan import Rule
from tests.faults.plan import Weather
from tests.faults.scenario import Outcome, live_through

ENTRY = "POST /fapi/v1/order"
STOP = "POST /fapi/v1/algoOrder"
CANCEL = "DELETE /fapi/v1/algoOrder"
QUERY = "GET /fapi/v1/order"
FILLS = "ORDER_TRADE_UPDATE"
ASKED_ABOUT = (
    Rule(fault=RestFault.LOSE_REPLY, match=ENTRY, rate=0.3),
    Rule(fault=StreamFault.EVENT_MISSING, match=FILLS, rate=0.5),  # or nobody would need to ask
)


def lived(
    fault: Fault,
    match: str = "",
    *,
    rate: float = 0.3,
    code: int = -1000,
    seconds: float = 1.0,
    executed: bool = True,
) -> Outcome:
    """Live through storms in which this happens, and nothing else; it must have struck a trader at work."""
    rule = Rule(fault=fault, match=match, rate=rate, code=code, seconds=seconds, executed=executed)
    return lived_under(rule)


def lived_under(*rules: Rule, entries: int = 6, seed: int = 5) -> Outcome:
    """Live through storms of these faults alone, each of which must have struck."""
    outcome = live_through(Weather(seed=seed, rules=rules))
    assert outcome.struck.keys() == {each.fault for each in rules}
    assert outcome.entries >= entries
    return outcome


@pytest.mark.fault(1, 7)
def test_an_order_whose_reply_is_lost_is_neither_doubled_nor_forgotten() -> None:
    lived(RestFault.LOSE_REPLY, ENTRY)


@pytest.mark.fault(2)
def test_an_order_that_never_arrived_is_given_up_and_the_next_one_goes_out() -> None:
    assert "not_placed" in lived(RestFault.LOSE_REQUEST, ENTRY).exits


@pytest.mark.fault(3, 4)
@pytest.mark.parametrize(
    ("fault", "executed"),
    [
        (RestFault.ERROR_1000, True),
        (RestFault.ERROR_1001, False),
        (RestFault.ERROR_1006, True),
        (RestFault.ERROR_1007, False),
        (RestFault.UNKNOWN_503, True),
        (RestFault.GATEWAY_HTML, True),
    ],
)
def test_an_answer_that_may_mean_either_is_taken_for_neither(fault: RestFault, executed: bool) -> None:
    lived(fault, ENTRY, executed=executed)


@pytest.mark.fault(5)
def test_a_fill_that_is_heard_before_the_reply_is_protected() -> None:
    lived(RestFault.LATE_REPLY, ENTRY, rate=1.0, seconds=3.0)


@pytest.mark.fault(6)
def test_an_id_that_is_in_use_already_is_taken_for_the_earlier_order() -> None:
    lived(RestFault.REFUSED, ENTRY, code=-4116)


@pytest.mark.fault(8, 9, 10)
@pytest.mark.parametrize("fault", [RestFault.TOO_MANY_REQUESTS, RestFault.BAN, RestFault.FIREWALL_403])
def test_who_is_turned_away_stays_away_and_the_stops_hold(fault: RestFault) -> None:
    lived(fault, rate=0.01, seconds=5.0)


@pytest.mark.fault(11)
def test_a_clock_that_is_off_costs_nothing_but_the_order() -> None:
    lived(RestFault.CLOCK_SKEW, rate=0.05)


@pytest.mark.fault(13, 14)
@pytest.mark.parametrize(
    ("fault", "read"),
    [
        (RestFault.FIELD_MISSING, "/fapi/v3/positionRisk"),
        (RestFault.ROW_MISSING, "/fapi/v3/positionRisk"),
        (RestFault.PARTIAL_PAGE, "/fapi/v3/positionRisk"),
        (RestFault.FIELD_RENAMED, "/fapi/v3/account"),
    ],
)
def test_an_answer_with_a_hole_is_no_news_of_what_is_missing(fault: RestFault, read: str) -> None:
    lived_under(Rule(fault=fault, match=read, rate=0.3), entries=1)


@pytest.mark.fault(13)
def test_an_order_answered_with_a_hole_is_asked_about_again() -> None:
    lived_under(*ASKED_ABOUT, Rule(fault=RestFault.FIELD_NULL, match=QUERY, rate=0.3), seed=6)


@pytest.mark.fault(15)
def test_what_is_not_found_yet_is_not_given_up() -> None:
    lived_under(*ASKED_ABOUT, Rule(fault=RestFault.NOT_FOUND_YET, match=QUERY, rate=0.7), seed=6)


@pytest.mark.fault(16)
def test_a_cancel_that_finds_nothing_leaves_nothing_behind() -> None:
    lived(RestFault.REFUSED, CANCEL, code=-2011)


@pytest.mark.fault(17)
@pytest.mark.parametrize("executed", [True, False])
def test_a_cancel_of_unknown_outcome_leaves_nothing_behind(executed: bool) -> None:
    lived(RestFault.ERROR_1007, CANCEL, rate=0.5, executed=executed)


@pytest.mark.fault(20)
def test_streams_that_break_lose_no_fill() -> None:
    lived(MinuteFault.STREAMS_CUT)


@pytest.mark.fault(21)
def test_streams_that_fall_silent_lose_no_fill() -> None:
    lived(MinuteFault.STREAMS_SILENT)


@pytest.mark.fault(22)
@pytest.mark.parametrize("fault", [StreamFault.EVENT_TWICE, StreamFault.EVENT_AGAIN])
def test_news_told_twice_or_long_after_are_booked_once(fault: StreamFault) -> None:
    lived(fault)


@pytest.mark.fault(23)
@pytest.mark.parametrize("fault", [StreamFault.EVENTS_SWAPPED, StreamFault.EVENT_LATE])
def test_news_out_of_order_come_to_the_same(fault: StreamFault) -> None:
    lived(fault)


@pytest.mark.fault(24)
def test_a_listen_key_that_expires_loses_no_fill() -> None:
    lived(StreamFault.LISTEN_KEY_EXPIRED, rate=0.1)


@pytest.mark.fault(25)
def test_news_of_what_nobody_knows_disturb_nothing() -> None:
    lived(StreamFault.EVENT_FOREIGN)


@pytest.mark.fault(28)
@pytest.mark.parametrize(
    "fault", [StreamFault.EVENT_MALFORMED, StreamFault.EVENT_NOT_TEXT, StreamFault.EVENT_HUGE]
)
def test_news_that_can_not_be_read_lose_no_fill(fault: StreamFault) -> None:
    lived(fault, rate=0.1)


@pytest.mark.fault(30)
def test_a_refused_stop_is_replaced_or_the_position_closed() -> None:
    lived(RestFault.REFUSED, STOP, code=-4509)


@pytest.mark.fault(31)
@pytest.mark.parametrize("executed", [True, False])
def test_a_stop_of_unknown_outcome_leaves_no_position_without_one(executed: bool) -> None:
    lived(RestFault.ERROR_1007, STOP, executed=executed)


@pytest.mark.fault(32)
def test_a_stop_that_would_trigger_at_once_closes_the_position() -> None:
    assert "stop" in " ".join(lived(RestFault.REFUSED, STOP, code=-2021).exits)


@pytest.mark.fault(34, 87)
@pytest.mark.parametrize("step", [60, 100])
def test_whatever_step_it_dies_at_the_next_life_protects_first(step: int) -> None:
    assert live_through(Weather(seed=5, crashes=(step,))).lives == 2


@pytest.mark.fault(88)
def test_one_that_dies_while_it_recovers_loses_nothing_either() -> None:
    assert live_through(Weather(seed=5, crashes=(80, 7, 11, 5))).lives == 5


@pytest.mark.fault(31)
@pytest.mark.parametrize(
    ("fault", "executed"),
    [(RestFault.ERROR_1007, False), (RestFault.LOSE_REQUEST, False), (RestFault.REFUSED, False)],
)
def test_what_no_stop_can_be_placed_for_is_closed(fault: RestFault, executed: bool) -> None:
    outcome = lived(fault, STOP, rate=1.0, executed=executed)
    assert "unprotected" in outcome.exits
    assert set(outcome.exits) <= {"unprotected", "operator", "slipped_entry"}, "before a stop could be missed"
    assert outcome.longest_exposure < 9.0


@pytest.mark.fault(39)
def test_a_close_that_is_not_needed_any_more_is_no_trouble() -> None:
    lived(RestFault.REFUSED, ENTRY, code=-2022)


@pytest.mark.fault(40)
def test_stops_that_somebody_cancels_are_placed_again() -> None:
    lived(MinuteFault.CONDITIONAL_CANCELLED)


@pytest.mark.fault(41)
def test_stops_that_trigger_and_do_not_fill_are_backed_up() -> None:
    lived(MinuteFault.TRIGGERS_STUCK, rate=1.0, seconds=10.0)


@pytest.mark.fault(43)
def test_an_old_stop_that_can_not_be_cancelled_does_no_harm() -> None:
    lived(RestFault.LOSE_REQUEST, CANCEL, rate=0.7)


@pytest.mark.fault(44)
@pytest.mark.parametrize("code", [-4045, -2025])
def test_too_many_orders_leave_no_position_without_a_stop(code: int) -> None:
    lived(RestFault.REFUSED, STOP, code=code)


@pytest.mark.fault(45)
def test_no_entry_goes_out_on_a_setting_that_did_not_take() -> None:
    lived_under(Rule(fault=RestFault.SETTING_IGNORED, rate=0.7), entries=0)


@pytest.mark.fault(57)
def test_a_spike_leaves_no_position_without_a_stop() -> None:
    lived(MinuteFault.PRICE_SPIKE)


@pytest.mark.fault(12)
def test_a_key_that_is_refused_now_and_then_leaves_no_position_without_a_stop() -> None:
    refused = Rule(fault=RestFault.KEY_REVOKED, match="/fapi/v3/account", rate=0.1)
    assert live_through(Weather(seed=5, rules=(refused,))).strikes > 0
