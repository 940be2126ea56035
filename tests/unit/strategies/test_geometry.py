"""Stop and target: the furthest of four, reward by confidence, room to the pool ahead."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies.ict_smc.geometry import POOL_TOO_NEAR, STOP_TOO_FAR, exits, reward_risk, stop_distance
from strategies.ict_smc.parameters import IctSmcParameters

PARAMETERS = IctSmcParameters()
sides = st.sampled_from([1, -1])


def chart(
    *, close: float = 100.0, atr: float = 0.1, above: float | None = None, below: float | None = None
) -> Any:
    return SimpleNamespace(
        close=close,
        atr=atr,
        pools_above=int(above is not None),
        pool_above=above,
        pools_below=int(below is not None),
        pool_below=below,
    )


def block(side: int, *, far: float) -> Any:
    return SimpleNamespace(side=side, bottom=far, top=far)


@pytest.mark.parametrize(
    ("far", "atr_1m", "atr_15m", "distance"),
    [
        (99.9, 0.1, 0.1, 0.5),  # five round trips of 0.1 %
        (99.9, 0.1, 0.8, 0.8),  # the noise of 15m
        (99.9, 0.6, 0.1, 0.9),  # one and a half ATR of 1m
        (98.5, 0.1, 0.1, 1.51),  # beyond the block
    ],
)
def test_the_stop_lies_at_the_furthest_of_four(
    far: float, atr_1m: float, atr_15m: float, distance: float
) -> None:
    minute, quarter = chart(atr=atr_1m), chart(atr=atr_15m)
    assert stop_distance(minute, quarter, block(1, far=far), PARAMETERS) == pytest.approx(distance)
    assert stop_distance(minute, quarter, block(-1, far=200.0 - far), PARAMETERS) == pytest.approx(distance)


@pytest.mark.parametrize(("confidence", "expected"), [(40, 1.0), (70, 1.0), (85, 1.5), (100, 2.0)])
def test_reward_grows_with_confidence(confidence: float, expected: float) -> None:
    assert reward_risk(confidence, PARAMETERS) == pytest.approx(expected)


def test_without_a_pool_ahead_the_target_pays_what_confidence_asks() -> None:
    out = exits(chart(), 1, 0.5, 85.0, PARAMETERS)
    assert (out.stop, out.target, out.refusal) == (99.5, 100.75, None)


def test_a_pool_on_the_way_draws_the_target_to_just_before_it() -> None:
    out = exits(chart(above=100.7), 1, 0.5, 85.0, PARAMETERS)
    assert out.target == pytest.approx(100.69)
    assert out.reward_risk == pytest.approx(1.38)
    assert out.refusal is None


def test_a_pool_within_one_r_forbids_the_trade() -> None:
    assert exits(chart(above=100.49), 1, 0.5, 85.0, PARAMETERS).refusal == POOL_TOO_NEAR
    assert exits(chart(below=99.49), -1, 0.5, 85.0, PARAMETERS).refusal is None


def test_a_stop_beyond_three_percent_forbids_the_trade() -> None:
    assert exits(chart(), 1, 3.01, 85.0, PARAMETERS).refusal == STOP_TOO_FAR
    assert exits(chart(), 1, 2.99, 85.0, PARAMETERS).refusal is None


@given(
    side=sides,
    distance=st.floats(0.5, 3.0),
    confidence=st.floats(0, 100),
    ahead=st.none() | st.floats(0.01, 10.0),
)
def test_stop_and_target_always_stand_on_their_own_sides(
    side: int, distance: float, confidence: float, ahead: float | None
) -> None:
    pool = None if ahead is None else 100.0 + side * ahead
    out = exits(chart(above=pool, below=pool), side, distance, confidence, PARAMETERS)
    assert side * (100.0 - out.stop) == pytest.approx(distance)
    assert side * (out.target - 100.0) == pytest.approx(out.reward_risk * distance)
    assert 1.0 - 1e-9 <= out.reward_risk <= 2.0 + 1e-9
