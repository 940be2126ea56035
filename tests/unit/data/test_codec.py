"""What is written comes back as it was, and the same value is always the same bytes."""

from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.journal import Body, EntryKind, IntentRecorded, PositionChanged, PositionClosed, RunStarted
from core.orders import Role
from core.positions import Position
from data.codec import BODIES, decode, decode_body, encode, encode_body, kind_of
from tests.builders import candidate, closed_position, plan, position, ranked
from tests.unit.data.values import values_of

KINDS: list[Any] = list(BODIES.values())
BODIES_DRAWN = st.one_of([values_of(body) for body in KINDS])


def without_arrays(body: Any) -> Any:
    """Arrays have no single truth value, so they are compared on their own."""
    return body.position if isinstance(body, PositionClosed) else body


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=BODIES_DRAWN)
def test_every_body_comes_back_as_it_was_written(body: Body) -> None:
    payload = encode_body(body)
    back = decode_body(kind_of(body), payload)
    assert without_arrays(back) == without_arrays(body)
    assert encode_body(back) == payload
    if isinstance(body, PositionClosed) and isinstance(back, PositionClosed):
        np.testing.assert_array_equal(back.snapshot, body.snapshot)
        assert back.snapshot.shape == body.snapshot.shape


@given(amount=st.decimals(allow_nan=False, allow_infinity=False))
def test_money_keeps_every_digit_and_its_exponent(amount: Decimal) -> None:
    back = decode(encode(replace(position(), funding=amount)), Position).funding
    assert back.as_tuple() == amount.as_tuple()


def test_every_kind_of_entry_has_its_body() -> None:
    assert set(BODIES) == set(EntryKind)


def test_the_order_of_a_mapping_does_not_change_the_bytes() -> None:
    one = {Role.STOP: 1, Role.ENTRY: 2}
    other = MappingProxyType({Role.ENTRY: 2, Role.STOP: 1})
    assert encode(replace(position(), attempts=one)) == encode(replace(position(), attempts=other))


def test_a_frozen_mapping_of_parameters_is_written_like_any_other() -> None:
    body = RunStarted(mode="paper", version="0.1.0", parameters=MappingProxyType({"a": "1"}))
    assert decode_body(EntryKind.RUN, encode_body(body)) == body


def test_numpy_numbers_are_written_as_numbers() -> None:
    wish = replace(candidate(), atr_1m=np.float64(0.1))
    body = IntentRecorded(plan=plan(ranked(wish)))
    back = decode_body(EntryKind.INTENT, encode_body(body))
    assert back == body


def test_a_missing_candle_in_a_snapshot_stays_missing() -> None:
    snapshot = np.array([[1.0, np.nan]] * 5)
    back = decode_body(
        EntryKind.TRADE, encode_body(PositionClosed(position=closed_position(), snapshot=snapshot))
    )
    assert isinstance(back, PositionClosed)
    np.testing.assert_array_equal(back.snapshot, snapshot)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_json_does_not_know_is_refused_while_writing(number: float) -> None:
    wish = replace(candidate(), atr_1m=number)
    with pytest.raises(ValueError, match="atr_1m"):
        encode_body(IntentRecorded(plan=plan(ranked(wish))))


def test_an_infinite_candle_is_refused_while_writing() -> None:
    with pytest.raises(ValueError, match="infinite"):
        encode_body(PositionClosed(position=closed_position(), snapshot=np.full((5, 1), np.inf)))


def test_an_older_payload_takes_the_defaults_of_newer_fields() -> None:
    payload = encode_body(PositionChanged(position=position()))
    older = payload.replace(b'"probes":0,', b"")
    assert older != payload
    assert decode_body(EntryKind.POSITION, older) == PositionChanged(position=position())


def test_a_report_that_is_none_of_ours_is_named() -> None:
    with pytest.raises(ValueError, match="Rumour is not one of"):
        decode_body(EntryKind.REPORT, b'{"book":"real","report":{"Rumour":{}}}')
