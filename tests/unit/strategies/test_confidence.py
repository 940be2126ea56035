"""Confidence: piecewise-linear grades, named factors, and the feature vector."""

import math
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.features import FEATURE_NAMES
from strategies.ict_smc.confidence import PARTS, confidence_of, factors_of, grade
from strategies.ict_smc.measures import Measures, feature_vector
from strategies.ict_smc.parameters import Grades, IctSmcParameters, Weights

measures = st.fixed_dictionaries(
    {name: st.floats(-300, 300) for name in FEATURE_NAMES if name not in {"confidence", "reward_risk"}}
)
KNOTS = [getattr(Grades(), field.name) for field in fields(Grades)]


@given(measures)
def test_confidence_lies_between_nothing_and_a_hundred(measured: Measures) -> None:
    factors = factors_of(measured, IctSmcParameters())
    assert all(0.0 <= factor.grade <= 1.0 for factor in factors)
    assert 0.0 <= confidence_of(factors) <= 100.0


def test_the_weights_sum_to_a_hundred_and_the_shares_of_each_factor_to_one() -> None:
    weights = Weights()
    assert sum(getattr(weights, field.name) for field in fields(Weights)) == 100.0
    assert set(PARTS) == {field.name for field in fields(Weights)}
    assert all(math.isclose(sum(share for _, share in parts), 1.0) for parts in PARTS.values())


def test_every_graded_measure_is_a_stored_feature() -> None:
    graded = {name for parts in PARTS.values() for name, _ in parts}
    assert graded == {field.name for field in fields(Grades)}
    assert graded <= set(FEATURE_NAMES)


@pytest.mark.parametrize("knots", KNOTS)
def test_a_grade_passes_through_its_knots_and_is_level_beyond_them(
    knots: tuple[tuple[float, float], ...],
) -> None:
    assert [at for at, _ in knots] == sorted(at for at, _ in knots)
    assert all(grade(knots, at) == pytest.approx(value) for at, value in knots)
    assert grade(knots, -1e9) == knots[0][1]
    assert grade(knots, 1e9) == knots[-1][1]


def test_a_grade_is_linear_between_its_knots() -> None:
    assert grade(((0.0, 0.0), (10.0, 1.0)), 2.5) == 0.25


@given(measures)
def test_each_factor_explains_itself_with_the_numbers_it_was_graded_on(measured: Measures) -> None:
    for factor in factors_of(measured, IctSmcParameters()):
        assert factor.reason == f"why.{factor.name}"
        assert dict(factor.numbers) == {name: measured[name] for name, _ in PARTS[factor.name]}


@given(measures, st.integers(600, 1399))
def test_a_young_trend_counts_half(measured: Measures, bars: int) -> None:
    old, young = measured | {"trend_bars": 1400.0}, measured | {"trend_bars": float(bars)}
    whole, half = (
        {factor.name: factor.points for factor in factors_of(each, IctSmcParameters())}
        for each in (old, young)
    )
    assert half["trend"] == pytest.approx(whole["trend"] / 2)
    assert half | {"trend": 0.0} == whole | {"trend": 0.0}


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_a_feature_that_is_not_finite_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="macd_15m_atr"):
        feature_vector(dict.fromkeys(FEATURE_NAMES, 0.0) | {"macd_15m_atr": wrong})
