"""Without an edge in the market there is none in the result, and a cheat is noticed."""

from functools import cache

import numpy as np
import pytest

from benchmarks.null import Outcome, Plan, null_test, outcome, trades
from strategies.kernel.parameters import KernelParameters


@cache
def outcomes() -> dict[str, Outcome]:
    """Small: 40 walks of eight days, on charts young enough to trade after two."""
    return null_test(7, batches=1, count=40, minutes=12_000, parameters=KernelParameters(min_bars_15m=210))


def test_random_walks_earn_nothing() -> None:
    assert outcomes()["all"].trades > 400
    assert outcomes()["all"].is_honest
    assert outcomes()["confident"].is_honest


def test_acting_on_the_blocks_own_candle_is_caught() -> None:
    assert not outcomes()["at_label"].is_honest


def test_five_minutes_of_foresight_are_caught() -> None:
    assert not outcomes()["peeked"].is_honest


def test_the_error_is_clustered_by_walk() -> None:
    twice = [(0, 1.0), (0, 1.0), (1, -1.0), (1, -1.0)]
    once = [(0, 1.0), (1, -1.0)]
    assert outcome(twice).error == pytest.approx(outcome(once).error)


@pytest.mark.parametrize(
    ("candle", "gross"),
    [((100.0, 101.6, 99.5), 1.5), ((100.0, 101.0, 98.9), -1.0), ((100.0, 101.6, 98.9), -1.0)],
)
def test_a_candle_that_spans_stop_and_target_is_a_stop(candle: tuple[float, ...], gross: float) -> None:
    rows = np.array([[*candle, 100.0, 1.0]])[:, :, np.newaxis]
    plan = Plan(walk=0, entry=0, side=1, distance=1.0, reward_risk=1.5)
    assert list(trades([plan], rows)) == [(0, gross)]


def test_a_walk_holds_one_trade_at_a_time() -> None:
    rows = np.tile(np.array([100.0, 100.1, 99.9, 100.0, 1.0])[:, np.newaxis], (10, 1, 1))
    rows[5, 1] = 102.0
    plans = [Plan(walk=0, entry=at, side=1, distance=1.0, reward_risk=1.5) for at in (0, 3, 5, 6)]
    assert [gross for _, gross in trades(plans, rows)] == [1.5, 0.0]
