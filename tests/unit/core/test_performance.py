"""Sums of closed trades, and the doubt that is left."""

from decimal import Decimal

import numpy as np
import pytest

from core.parameters import OutcomeParameters
from core.performance import Evidence, evidence, mean_interval, performance_of, student_975
from core.views import Performance
from tests.builders import trade


def of(*gross_rs: float) -> Performance:
    return performance_of([trade(gross_r=each) for each in gross_rs], OutcomeParameters())


def test_nothing_closed_says_nothing() -> None:
    assert of() == Performance()
    assert evidence(of()) is Evidence.NONE


def test_sums_by_hand() -> None:
    # 1 R is 10 USDT. Net: 20 − 1 + 0.5 = 19.5, −10 − 1 = −11, 0.5 − 1 = −0.5 (−0.05 R: a scratch).
    performance = performance_of(
        [
            trade(gross_r=2.0, costs="1", funding="0.5"),
            trade(gross_r=-1.0, costs="1"),
            trade(gross_r=0.05, costs="1"),
        ],
        OutcomeParameters(),
    )
    assert (performance.closed, performance.wins, performance.losses, performance.scratches) == (3, 1, 1, 1)
    assert performance.gross_pnl == Decimal("10.5")
    assert performance.fees == Decimal(3)
    assert performance.funding == Decimal("0.5")
    assert performance.net_pnl == Decimal("8.0")
    assert performance.win_rate == 0.5
    assert performance.profit_factor == pytest.approx(19.5 / 11.5)
    assert performance.mean_net_r == pytest.approx(0.8 / 3)
    assert (performance.best_r, performance.worst_r) == (1.95, -1.1)


@pytest.mark.parametrize(
    ("gross_r", "counts"),
    [(0.11, (1, 0, 0)), (0.1, (0, 0, 1)), (0.0, (0, 0, 1)), (-0.1, (0, 0, 1)), (-0.11, (0, 1, 0))],
)
def test_a_tenth_of_the_risk_decides_nothing(gross_r: float, counts: tuple[int, int, int]) -> None:
    performance = of(gross_r)
    assert (performance.wins, performance.losses, performance.scratches) == counts


def test_the_profit_factor_counts_money_however_little() -> None:
    assert of(0.05, -1.0).profit_factor == pytest.approx(0.05)


def test_without_losses_there_is_no_profit_factor_and_without_decisions_no_win_rate() -> None:
    assert of(1.0, 2.0).profit_factor is None
    assert of(0.0).win_rate is None


def test_one_trade_has_no_interval() -> None:
    assert of(5.0).net_r_low is None
    assert evidence(of(5.0)) is Evidence.NONE


def test_the_interval_by_hand() -> None:
    # 1, 2, 3, 4, 5: mean 3, deviation 1.5811, t(4) 2.7764: half-width 2.7764 × 1.5811 / √5 = 1.9632.
    interval = mean_interval([1.0, 2.0, 3.0, 4.0, 5.0])
    assert interval == pytest.approx((3 - 1.9632, 3 + 1.9632), abs=1e-4)


def test_two_trades_leave_a_great_deal_of_doubt() -> None:
    assert mean_interval([0.0, 2.0]) == pytest.approx((1 - 12.7062, 1 + 12.7062))


@pytest.mark.parametrize(
    ("degrees", "quantile"),
    [(1, 12.7062), (2, 4.30265), (4, 2.77645), (5, 2.57058), (9, 2.26216), (29, 2.04523), (1000, 1.96234)],
)
def test_students_quantile_agrees_with_the_tables(degrees: int, quantile: float) -> None:
    expected_error = 1e-5 if degrees < 5 else 0.8 / degrees**4 + 2e-6
    assert abs(student_975(degrees) / quantile - 1) <= expected_error


def test_the_interval_covers_the_true_mean_about_nineteen_times_in_twenty() -> None:
    draws = np.random.default_rng(7).normal(0.0, 1.0, (2_000, 8))
    covered = 0
    for row in draws:
        low, high = mean_interval(row.tolist())
        covered += low is not None and high is not None and low <= 0.0 <= high
    assert 0.935 <= covered / len(draws) <= 0.965


@pytest.mark.parametrize(
    ("gross_rs", "verdict"),
    [
        ([1.0, 1.1, 0.9, 1.0], Evidence.EDGE),
        ([-1.0, -1.1, -0.9, -1.0], Evidence.LOSS),
        ([1.0, -1.0, 1.0, -0.9], Evidence.NONE),
        ([0.0, 0.0, 0.0, 0.0], Evidence.NONE),
    ],
)
def test_an_edge_is_claimed_only_where_zero_lies_outside(gross_rs: list[float], verdict: Evidence) -> None:
    assert evidence(of(*gross_rs)) is verdict
