"""Breaks of structure: BOS, CHoCH, the amplitude filter, and the mirror image."""

import numpy as np
import pytest

from strategies.kernel.events import Kind
from strategies.kernel.parameters import KernelParameters
from tests.unit.strategies.markets import RALLY, Ohlc, mirrored, of, play, random_walk, story, told

BREAKS = (Kind.BOS, Kind.CHOCH, Kind.MSB)


def test_the_first_close_beyond_a_swing_high_is_a_break_and_strong_when_it_reaches_far() -> None:
    assert of(BREAKS, story(*RALLY)) == [(Kind.BOS, 1, 2, 8), (Kind.MSB, 1, 2, 8)]


def test_a_wick_beyond_the_level_breaks_nothing() -> None:
    wick: Ohlc = (103.8, 107.5, 103.7, 105.0)
    assert of(BREAKS, story(*RALLY[:8], wick)) == []


@pytest.mark.parametrize(("high", "strong"), [(106.60, True), (106.57, False)])
def test_the_amplitude_filter_asks_for_a_third_of_the_previous_leg(high: float, strong: bool) -> None:
    events = of(BREAKS, story(*RALLY[:8], (103.8, high, 103.7, 106.0)))  # 105 + 0.33 × 4.8 = 106.584
    assert ((Kind.MSB, 1, 2, 8) in events) is strong
    assert (Kind.BOS, 1, 2, 8) in events


def test_a_weak_break_stays_weak_however_far_price_runs_later() -> None:
    weak: Ohlc = (103.8, 106.0, 103.7, 105.5)
    run: Ohlc = (105.5, 115.0, 105.4, 114.0)
    assert of([Kind.MSB], story(*RALLY[:8], weak, run)) == []


def test_a_level_breaks_once() -> None:
    back: Ohlc = (107.0, 107.5, 104.0, 104.5)
    again: Ohlc = (104.5, 107.2, 104.4, 107.0)
    assert len(of([Kind.BOS], story(*RALLY[:9], back, again))) == 1


def test_a_close_below_the_last_low_turns_the_bias() -> None:
    fall: Ohlc = (103.5, 103.6, 97.0, 98.5)
    assert of(BREAKS, story(*RALLY, fall))[-2:] == [(Kind.CHOCH, -1, 5, 12), (Kind.MSB, -1, 5, 12)]


def test_a_short_market_is_the_long_one_upside_down() -> None:
    turned = [(kind, -side, label, known) for kind, side, label, known in story(*RALLY)]
    assert story(*mirrored(RALLY)) == turned


@pytest.mark.parametrize("seed", range(5))
def test_every_rule_is_the_same_upside_down(seed: int) -> None:
    """With long legs: a candle that stands both above and below all since is a high, never a low."""
    rows, legs = random_walk(seed, minutes=1500), KernelParameters(internal_leg=16)
    flipped = 200.0 - rows[:, [0, 2, 1, 3, 4]]
    flipped[:, 4] = rows[:, 4]
    upright = sorted(
        (kind, side, label, known) for kind, side, label, known in told(play(rows, parameters=legs), *Kind)
    )
    turned = sorted(
        (kind, -side, label, known)
        for kind, side, label, known in told(play(flipped, parameters=legs), *Kind)
    )
    assert upright == turned


def test_every_break_is_of_a_swing_point_known_before_and_each_msb_is_a_break() -> None:
    events = told(play(random_walk(3, minutes=3000)), *Kind)
    points = {(side, label): known for _, side, label, known in of([Kind.INTERNAL_POINT], events)}
    breaks = of([Kind.BOS, Kind.CHOCH], events)
    assert len(breaks) > 50
    assert all(points[side, label] < known for _, side, label, known in breaks)
    strong = {event[1:] for event in of([Kind.MSB], events)}
    assert strong < {event[1:] for event in breaks}


def test_longer_legs_find_fewer_breaks() -> None:
    rows = random_walk(9, minutes=3000)
    counts = [
        len(of([Kind.BOS, Kind.CHOCH], told(play(rows, parameters=KernelParameters(internal_leg=n)), *Kind)))
        for n in (3, 5, 9)
    ]
    assert list(np.argsort(counts)) == [2, 1, 0]
