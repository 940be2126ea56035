"""Swing points, against an implementation written from the definition alone."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.market import Floats
from strategies.kernel.events import Kind
from strategies.kernel.parameters import KernelParameters
from tests.unit.strategies.markets import Ohlc, hand_made, play, random_walk, recorded, told


def naive_swings(rows: Floats, length: int) -> list[tuple[int, int, int]]:
    """Leg rule, word for word: (side, label, known)."""
    highs, lows = rows[:, 1, 0], rows[:, 2, 0]
    leg, points = None, []
    for now in range(length, len(rows)):
        label = now - length
        is_high = highs[label] > highs[label + 1 : now + 1].max()
        is_low = lows[label] < lows[label + 1 : now + 1].min()
        turned = "down" if is_high else "up" if is_low else leg
        if turned != leg:
            points.append((1 if turned == "down" else -1, label, now))
        leg = turned
    return points


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32), length=st.sampled_from([2, 5, 20]), coarse=st.booleans())
def test_swing_points_follow_the_leg_rule(seed: int, length: int, coarse: bool) -> None:
    rows = random_walk(seed, minutes=400)
    rows = rows.round(1) if coarse else rows  # many equal highs and lows
    events = play(rows, parameters=KernelParameters(internal_leg=length))
    assert [event[1:] for event in told(events, Kind.INTERNAL_POINT)] == naive_swings(rows, length)


@pytest.mark.parametrize(("kind", "length"), [(Kind.INTERNAL_POINT, 5), (Kind.SWING_POINT, 20)])
def test_both_scales_follow_the_leg_rule_on_recorded_candles(kind: Kind, length: int) -> None:
    rows = recorded("XRPUSDT", 2000)
    assert [event[1:] for event in told(play(rows), kind)] == naive_swings(rows, length)


def test_highs_and_lows_alternate() -> None:
    sides = [event[1] for event in told(play(random_walk(7, minutes=2000)), Kind.INTERNAL_POINT)]
    assert len(sides) > 50
    assert all(before == -after for before, after in pairwise(sides))


def test_equal_highs_for_hundreds_of_bars_are_no_swing_point() -> None:
    flat: Ohlc = (100.0, 101.0, 99.0, 100.0)
    assert told(play(hand_made([flat] * 300)), Kind.INTERNAL_POINT, Kind.SWING_POINT) == []
