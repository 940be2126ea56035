"""Parameters that can not be are refused by name."""

from dataclasses import replace
from typing import Any

import pytest

from strategies.ict_smc import IctSmcParameters
from strategies.ict_smc.parameters import Grades, Knots, Weights
from strategies.kernel.parameters import KernelParameters


@pytest.mark.parametrize(
    "wrong",
    [{"internal_leg": 0}, {"swing_leg": 63}, {"quarter_leg": 99}, {"ob_search_bars": 64}, {"ob_max_age": 5}],
)
def test_a_chart_is_not_asked_for_more_than_it_remembers(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must lie between"):
        replace(KernelParameters(), **wrong)


def test_weights_that_do_not_sum_to_a_hundred_are_refused() -> None:
    with pytest.raises(ValueError, match="sum to 100"):
        IctSmcParameters(weights=Weights(volume=6.0))


@pytest.mark.parametrize(
    "knots", [((1.0, 0.0), (0.0, 1.0)), ((0.0, 0.0), (0.0, 1.0)), ((0.0, 0.0), (1.0, 1.1))]
)
def test_knots_that_grade_nothing_are_refused(knots: Knots) -> None:
    with pytest.raises(ValueError, match="ascend"):
        IctSmcParameters(grades=Grades(volume_rank=knots))


@pytest.mark.parametrize(
    "wrong", [{"reward_risk_low": 3.0}, {"confidence_low": 100.0}, {"max_stop_distance": 0.0}]
)
def test_a_number_out_of_its_range_is_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        IctSmcParameters(**wrong)
