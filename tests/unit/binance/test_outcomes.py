"""The order-outcome table, row by row."""

import pytest

from exchange.binance.outcomes import BY_CODE, Outcome, outcome_of

TABLE = [
    # status, code, what it means for an order
    (400, -1000, Outcome.UNKNOWN),
    (400, -1001, Outcome.UNKNOWN),
    (500, -1006, Outcome.UNKNOWN),
    (408, -1007, Outcome.UNKNOWN),
    (400, -1007, Outcome.UNKNOWN),
    (503, 0, Outcome.UNKNOWN),
    (503, -1, Outcome.UNKNOWN),
    (502, None, Outcome.UNKNOWN),
    (504, None, Outcome.UNKNOWN),
    (400, None, Outcome.UNKNOWN),
    (503, -1008, Outcome.OVERLOADED),
    (429, -1003, Outcome.RATE_LIMITED),
    (418, -1003, Outcome.RATE_LIMITED),
    (429, -1015, Outcome.RATE_LIMITED),
    (403, None, Outcome.RATE_LIMITED),
    (400, -1021, Outcome.CLOCK_SKEWED),
    (400, -5028, Outcome.CLOCK_SKEWED),
    (400, -1022, Outcome.UNAUTHORISED),
    (401, -2014, Outcome.UNAUTHORISED),
    (401, -2015, Outcome.UNAUTHORISED),
    (400, -1102, Outcome.INVALID),
    (400, -1106, Outcome.INVALID),
    (400, -1111, Outcome.INVALID),
    (400, -1116, Outcome.INVALID),
    (400, -1121, Outcome.INVALID),
    (400, -4003, Outcome.INVALID),
    (400, -4004, Outcome.INVALID),
    (400, -4005, Outcome.INVALID),
    (400, -4014, Outcome.INVALID),
    (400, -4023, Outcome.INVALID),
    (400, -4140, Outcome.INVALID),
    (400, -2011, Outcome.NOT_FOUND),
    (400, -2013, Outcome.NOT_FOUND),
    (400, -2018, Outcome.INSUFFICIENT_FUNDS),
    (400, -2019, Outcome.INSUFFICIENT_FUNDS),
    (400, -2021, Outcome.WOULD_TRIGGER),
    (400, -2022, Outcome.REDUCE_ONLY_REFUSED),
    (400, -2025, Outcome.TOO_MANY_ORDERS),
    (400, -4045, Outcome.TOO_MANY_ORDERS),
    (400, -2027, Outcome.POSITION_LIMIT),
    (400, -2028, Outcome.POSITION_LIMIT),
    (400, -4161, Outcome.POSITION_LIMIT),
    (400, -4046, Outcome.NO_CHANGE),
    (400, -4059, Outcome.NO_CHANGE),
    (400, -4047, Outcome.MODE_BLOCKED),
    (400, -4048, Outcome.MODE_BLOCKED),
    (400, -4067, Outcome.MODE_BLOCKED),
    (400, -4068, Outcome.MODE_BLOCKED),
    (400, -4061, Outcome.MODE_MISMATCH),
    (400, -4111, Outcome.DUPLICATE),
    (400, -4116, Outcome.DUPLICATE),
    (400, -4120, Outcome.WRONG_ENDPOINT),
    (400, -4130, Outcome.ALREADY_PROTECTED),
    (400, -4509, Outcome.NO_POSITION_YET),
    (400, -4164, Outcome.BELOW_MIN_NOTIONAL),
    (400, -4087, Outcome.RESTRICTED),
    (400, -4088, Outcome.RESTRICTED),
    (400, -4192, Outcome.RESTRICTED),
    (400, -4400, Outcome.RESTRICTED),
    (400, -4401, Outcome.RESTRICTED),
    (400, -9999, Outcome.REJECTED),
    (500, -9999, Outcome.UNKNOWN),
]


@pytest.mark.fault(3, 10)
@pytest.mark.parametrize(("status", "code", "expected"), TABLE)
def test_what_an_answer_means_for_an_order(status: int, code: int | None, expected: Outcome) -> None:
    assert outcome_of(status, code) is expected


def test_every_code_of_the_table_is_tested() -> None:
    assert {code for _, code, _ in TABLE} >= set(BY_CODE)


@pytest.mark.fault(6)
def test_only_orders_that_may_exist_are_asked_for() -> None:
    asked_for = {outcome for outcome in Outcome if outcome.is_unknown}
    assert asked_for == {Outcome.UNKNOWN, Outcome.OVERLOADED, Outcome.DUPLICATE}


def test_only_a_person_can_change_what_no_order_gets_past() -> None:
    for_people = {code for code, outcome in BY_CODE.items() if outcome.is_for_people}
    assert for_people == {-1022, -2014, -2015, -4061, -4087, -4088, -4192, -4400, -4401}
