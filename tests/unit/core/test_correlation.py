"""Correlations of returns, and honesty about those that can not be told."""

from math import isnan

import numpy as np
import pytest

from core.correlation import NOTHING_KNOWN, Correlations, correlate
from core.market import Floats

BARS = 96
NAMES = ("A", "B", "C")


def walks(seed: int = 1, *, bars: int = BARS + 1) -> Floats:
    """Make closes of three independent random walks."""
    steps = np.random.default_rng(seed).normal(0, 0.01, (bars, 3))
    closes: Floats = 100 * np.exp(np.cumsum(steps, axis=0))
    return closes


def correlated(closes: Floats) -> Correlations:
    return correlate(NAMES, closes, bars=BARS)


def test_agrees_with_numpy() -> None:
    closes = walks()
    oracle = np.corrcoef(np.diff(np.log(closes), axis=0), rowvar=False)
    assert np.allclose(correlated(closes).matrix, oracle, atol=1e-12)


def test_the_same_moves_are_one_and_opposite_moves_minus_one() -> None:
    closes = walks()
    closes[:, 1] = closes[:, 0] * 7
    closes[:, 2] = 1 / closes[:, 0]
    known = correlated(closes)
    assert known.between("A", "B") == pytest.approx(1)
    assert known.between("A", "C") == pytest.approx(-1)
    assert known.between("C", "A") == known.between("A", "C")


def test_only_the_last_bars_count() -> None:
    closes = walks(bars=300)
    assert np.array_equal(correlated(closes).matrix, correlated(closes[-BARS - 1 :]).matrix)


def test_too_little_history_tells_nothing() -> None:
    assert isnan(correlated(walks(bars=BARS)).between("A", "B"))


def test_a_gap_or_a_flat_line_hides_its_own_symbol_only() -> None:
    closes = walks()
    closes[50, 0] = np.nan
    closes[:, 1] = 3.0
    known = correlated(closes)
    assert all(isnan(known.between(name, other)) for name in "AB" for other in "ABC")
    assert known.between("C", "C") == pytest.approx(1)


def test_strangers_are_unknown() -> None:
    assert isnan(NOTHING_KNOWN.between("A", "B"))
    assert isnan(correlated(walks()).between("A", "Z"))
