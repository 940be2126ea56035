"""Ticks, steps and brackets."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.instruments import Instrument
from tests.builders import instrument

STEPS = st.sampled_from(["0.00001", "0.001", "0.01", "0.1", "1", "10", "0.005"])
AMOUNTS = st.decimals("0", "1000000000", places=8)

INSTRUMENT = instrument(tick="0.05", step="0.1")


@pytest.mark.fault(50)
@given(value=AMOUNTS, step=STEPS)
def test_a_rounded_quantity_is_a_multiple_of_the_step_less_than_one_step_below(
    value: Decimal, step: str
) -> None:
    rounded = instrument(step=step).round_quantity(value)
    assert rounded % Decimal(step) == 0
    assert 0 <= value - rounded < Decimal(step)


@pytest.mark.fault(50)
@given(price=AMOUNTS, tick=STEPS)
def test_a_price_lies_between_its_neighbours_on_the_tick(price: Decimal, tick: str) -> None:
    contract = instrument(tick=tick)
    below, above = contract.price_at_or_below(price), contract.price_at_or_above(price)
    assert below <= price <= above
    assert above - below in {Decimal(0), Decimal(tick)}
    assert contract.price_nearest(price) in {below, above}
    assert abs(contract.price_nearest(price) - price) <= Decimal(tick) / 2


@pytest.mark.parametrize("method", ["price_at_or_below", "price_at_or_above", "price_nearest"])
def test_a_price_on_the_tick_stays_where_it_is(method: str) -> None:
    assert getattr(INSTRUMENT, method)(Decimal("100.15")) == Decimal("100.15")


@pytest.mark.parametrize(
    ("notional", "floor"),
    [("0.01", "0"), ("50000", "0"), ("50000.01", "50000"), ("250000", "50000"), ("9000000", "250000")],
)
def test_a_bracket_holds_its_cap_but_not_its_floor_and_the_last_holds_all_above(
    notional: str, floor: str
) -> None:
    assert instrument().bracket_of(Decimal(notional)).floor == Decimal(floor)


def test_unknown_brackets_are_not_unlimited() -> None:
    unknown = instrument(ladder=())
    assert unknown.max_notional(1) == 0
    with pytest.raises(LookupError, match="SOLUSDT"):
        unknown.bracket_of(Decimal(1))


@pytest.mark.parametrize(
    ("leverage", "most"),
    [
        (76, "0"),
        (75, "50000"),
        (26, "50000"),
        (25, "250000"),
        (11, "250000"),
        (10, "1000000"),
        (1, "1000000"),
    ],
)
def test_higher_leverage_allows_a_smaller_position(leverage: int, most: str) -> None:
    assert instrument().max_notional(leverage) == Decimal(most)


def test_maintenance_margin_has_no_jump_between_brackets() -> None:
    contract: Instrument = instrument()
    for lower, upper in zip(contract.brackets, contract.brackets[1:], strict=False):
        at_edge = [lower.cap * each.maintenance_margin_rate - each.cum for each in (lower, upper)]
        assert at_edge[0] == at_edge[1]
