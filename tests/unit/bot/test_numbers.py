"""Numbers as people read them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import numbers


@pytest.mark.parametrize(
    ("value", "tick", "written"),
    [
        ("67420.5", "0.10", "67,420.5"),
        ("67420.5", "1", "67,420"),
        ("0.000012345", "0.0000001", "0.0000123"),
        ("104.999", "0.0010", "104.999"),
        ("1234567", "10", "1,234,567"),
    ],
)
def test_a_price_has_the_decimals_of_its_tick(value: str, tick: str, written: str) -> None:
    assert numbers.price(Decimal(value), Decimal(tick)) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("12.345", "+12.34 USDT"),
        ("-12.345", "−12.34 USDT"),
        ("0", "0.00 USDT"),
        ("-0.004", "0.00 USDT"),
        ("0.004", "0.00 USDT"),
        ("-1234567.8", "−1,234,567.80 USDT"),
    ],
)
def test_money_carries_its_sign_and_zero_has_none(value: str, written: str) -> None:
    assert numbers.signed_usdt(Decimal(value)) == written


def test_fractions_are_written_as_percent_and_multiples_as_r() -> None:
    assert numbers.percent(0.0125) == "1.2%"
    assert numbers.signed_percent(-0.0065) == "−0.65%"
    assert numbers.signed_r(1.618) == "+1.62R"
    assert numbers.signed_r(-0.001) == "0.00R"


@pytest.mark.parametrize(
    ("minutes", "written"), [(0, "0m"), (47, "47m"), (72, "1h 12m"), (3 * 1440 + 125, "3d 2h"), (-5, "0m")]
)
def test_durations_name_their_two_largest_units(minutes: int, written: str) -> None:
    assert numbers.duration(minutes * 60_000) == written


def test_quantities_keep_their_digits_without_trailing_zeros() -> None:
    assert numbers.quantity(Decimal("0.02300")) == "0.023"
    assert numbers.quantity(Decimal(1500000)) == "1,500,000"
    assert numbers.quantity(Decimal(0)) == "0"


def test_a_moment_is_left_to_discord_to_put_into_words() -> None:
    assert numbers.ago(1_764_115_200_999) == "<t:1764115200:R>"


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=8))
def test_a_written_amount_reads_back_within_a_cent(value: Decimal) -> None:
    written = numbers.signed_usdt(value).removesuffix(" USDT").replace(",", "").replace("−", "-")
    assert abs(Decimal(written) - value) <= Decimal("0.005")
