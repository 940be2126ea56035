"""Confidence intervals that hold what they promise, and never promise what they can not know."""

import numpy as np
import pytest

from core.rng import seeded
from ml.evidence import improvement_of, mean_of
from tests.builders import DAY, HOUR, T0


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    held = 0
    for seed in range(60):
        rng = seeded(seed)
        days = np.repeat(np.arange(40), 5)
        values = rng.normal(size=40)[days] + rng.normal(size=200)  # a day's trades share the day's luck
        estimate = mean_of(values, T0 + days * DAY, seed=seed)
        held += estimate.low <= 0 <= estimate.high
    assert 51 <= held <= 60


def test_noise_is_no_evidence_and_says_so() -> None:
    estimate = mean_of(seeded(3).normal(size=300), T0 + np.arange(300) * HOUR)
    assert not estimate.is_edge
    assert str(estimate).endswith("over 300 trades, no evidence of edge")


def test_a_clear_gain_and_a_clear_loss_are_named() -> None:
    at = T0 + np.arange(300) * HOUR
    gain = seeded(3).normal(1.0, 1.0, size=300)
    assert str(mean_of(gain, at)).endswith("evidence of edge")
    assert mean_of(gain, at).is_edge
    assert str(mean_of(-gain, at)).endswith("evidence of loss")


def test_an_hour_of_trades_is_never_evidence() -> None:
    estimate = mean_of(np.ones(500), T0 + np.arange(500) * 1000)
    assert (estimate.mean, estimate.count) == (1.0, 500)
    assert np.isnan(estimate.low)
    assert not estimate.is_edge


def test_a_filter_that_knows_is_told_from_one_that_guesses() -> None:
    rng = seeded(5)
    values, at = rng.normal(size=400), T0 + np.arange(400) * HOUR
    assert improvement_of(values, values > 0, at).is_edge
    assert not improvement_of(values, rng.random(400) > 0.5, at).is_edge


def test_a_filter_that_keeps_nothing_or_all_shows_nothing() -> None:
    values, at = np.arange(100.0), T0 + np.arange(100) * HOUR
    assert improvement_of(values, np.zeros(100, dtype=np.bool_), at).count == 0
    everything = improvement_of(values, np.ones(100, dtype=np.bool_), at)
    assert (everything.mean, everything.low, everything.high) == pytest.approx((0, 0, 0))


def test_a_mean_of_few_hours_says_that_it_has_no_interval() -> None:
    estimate = mean_of(np.array([0.5, -1.0]), np.array([0, 60_000]))
    assert "nan" not in str(estimate)
    assert "too few hours" in str(estimate)
