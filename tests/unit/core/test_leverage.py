"""Leverage is earned by a record, and liquidation is where Binance puts it."""

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.leverage import (
    TrackRecord,
    earned_leverage,
    liquidation_distance,
    liquidation_is_far,
    track_record,
)
from core.parameters import LeverageParameters, OutcomeParameters
from core.positions import Source
from core.signals import Side
from core.trades import TradeRecord
from tests.builders import instrument, plan, trade

PARAMETERS = LeverageParameters()
RATES = st.floats(0, 1)


def record_of(gross_rs: Sequence[float], *, source: Source = Source.REAL) -> TrackRecord:
    return summary([trade(plan(source=source), gross_r=each) for each in gross_rs])


def summary(trades: Sequence[TradeRecord]) -> TrackRecord:
    return track_record(trades, outcome=OutcomeParameters(), parameters=PARAMETERS)


def earned(win_rate: float, break_even: float = 0.5, *, closed: int = 100) -> int:
    return earned_leverage(TrackRecord(closed=closed, win_rate=win_rate, break_even=break_even), PARAMETERS)


def test_without_trades_the_record_is_even() -> None:
    assert summary([]) == TrackRecord(closed=0, win_rate=0.5, break_even=0.5)


def test_a_record_is_drawn_to_the_priors() -> None:
    # 24 wins of 1.5 R and 16 losses of 1 R.
    # win rate   (24 + 10) / (40 + 20)            = 0.566667
    # mean win   (24 × 1.5 + 20 × 1.25) / 44      = 1.386364
    # mean loss  (16 × 1.0 + 20 × 1.25) / 36      = 1.138889
    # break-even 1.138889 / (1.386364 + 1.138889) = 0.451
    record = record_of([1.5] * 24 + [-1.0] * 16)
    assert record.closed == 40
    assert record.win_rate == pytest.approx(0.566667, abs=1e-6)
    assert record.break_even == pytest.approx(0.451, abs=1e-6)
    # 3 + 17 × (0.566667 − 0.451) / 0.20 = 12.83
    assert earned_leverage(record, PARAMETERS) == 12


def test_scratches_count_as_closed_but_decide_nothing() -> None:
    record = record_of([0.1, -0.1, 0.0] * 10)
    assert record == TrackRecord(closed=30, win_rate=0.5, break_even=0.5)


def test_only_the_last_hundred_trades_count() -> None:
    assert record_of([-1.0] * 50 + [1.0] * 100) == record_of([1.0] * 100)


@pytest.mark.parametrize("source", [Source.VIRTUAL, Source.TWIN])
def test_only_real_trades_count(source: Source) -> None:
    assert record_of([1.0] * 50, source=source).closed == 0


@pytest.mark.parametrize(("closed", "leverage"), [(0, 3), (19, 3), (20, 20)])
def test_leverage_is_lowest_until_twenty_have_closed(closed: int, leverage: int) -> None:
    assert earned(0.9, closed=closed) == leverage


@pytest.mark.parametrize(
    ("win_rate", "leverage"),
    [
        (0.30, 3),
        (0.50, 3),
        (0.51, 3),  # 3 + 17 × 0.05 = 3.85
        (0.60, 11),  # 3 + 17 × 0.5 = 11.5
        (0.6999, 19),
        (0.70, 20),
        (0.99, 20),
    ],
)
def test_leverage_is_linear_above_break_even_and_rounds_down(win_rate: float, leverage: int) -> None:
    assert earned(win_rate) == leverage


@given(one=RATES, other=RATES, break_even=RATES)
def test_leverage_never_falls_with_the_win_rate_nor_rises_with_break_even(
    one: float, other: float, break_even: float
) -> None:
    low, high = sorted((one, other))
    assert 3 <= earned(low, break_even) <= earned(high, break_even) <= 20
    assert earned(break_even, low) >= earned(break_even, high)


def test_with_even_payoffs_every_loss_turned_into_a_win_earns_at_least_as_much() -> None:
    earned_by_wins = [
        earned_leverage(record_of([1.25] * wins + [-1.25] * (60 - wins)), PARAMETERS) for wins in range(61)
    ]
    assert earned_by_wins == sorted(earned_by_wins)
    assert earned_by_wins[0] == earned_by_wins[30] == 3
    assert earned_by_wins[-1] == 20


@pytest.mark.parametrize(
    ("side", "notional", "distance"),
    [
        (Side.LONG, "10000", "0.0909"),  # (0.1 − 0.01) / 0.99
        (Side.SHORT, "10000", "0.0891"),  # (0.1 − 0.01) / 1.01
        (Side.LONG, "100000", "0.0867"),  # (0.1 − 0.02 + 500/100,000) / 0.98
    ],
)
def test_liquidation_is_where_the_bracket_puts_it(side: Side, notional: str, distance: str) -> None:
    at = liquidation_distance(instrument(), side, leverage=10, notional=Decimal(notional))
    assert round(at, 4) == Decimal(distance)


@given(
    side=st.sampled_from(Side),
    leverage=st.integers(3, 20),
    notional=st.decimals("10", "900000", places=2),
)
def test_at_the_liquidation_price_what_is_left_is_the_maintenance_margin(
    side: Side, leverage: int, notional: Decimal
) -> None:
    contract = instrument()
    distance = liquidation_distance(contract, side, leverage=leverage, notional=notional)
    bracket = contract.bracket_of(notional)
    left = notional / leverage - notional * distance
    then = notional * (1 - side * distance)
    assert left == pytest.approx(then * bracket.maintenance_margin_rate - bracket.cum, abs=Decimal("1e-15"))


@pytest.mark.parametrize(
    ("stop", "liquidation", "far"),
    [
        ("98", "96", True),
        ("98", "96.01", False),
        ("103", "106", True),
        ("103", "105.99", False),
        ("99", "0", True),  # Binance's word for a position that can not be liquidated
    ],
)
def test_the_venues_liquidation_price_is_checked_against_the_stop(
    stop: str, liquidation: str, *, far: bool
) -> None:
    checked = liquidation_is_far(
        entry=Decimal(100), stop=Decimal(stop), liquidation=Decimal(liquidation), parameters=PARAMETERS
    )
    assert checked is far
