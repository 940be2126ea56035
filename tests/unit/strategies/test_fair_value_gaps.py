"""Fair value gaps: known at their third candle, equal to smartmoneyconcepts' shifted to it."""

import contextlib
import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.market import MINUTE_MS, Floats
from strategies.kernel.events import Kind
from strategies.kernel.parameters import KernelParameters
from tests.unit.strategies.markets import (
    Ohlc,
    minute_of,
    of,
    play,
    random_walk,
    recorded,
    story,
    told,
)

GAPS = (Kind.GAP, Kind.GAP_FILLED, Kind.GAP_EXPIRED)
LEAP: tuple[Ohlc, ...] = (
    (100.0, 101.0, 99.9, 100.9),
    (100.9, 103.0, 100.4, 102.9),
    (102.9, 103.5, 102.0, 103.2),
)


def oracle(rows: Floats) -> list[tuple[int, int, float, float]]:
    """Return smartmoneyconcepts' gaps from bar 15 on as (side, middle bar, bottom, top)."""
    with contextlib.redirect_stdout(io.StringIO()):
        import pandas as pd
        from smartmoneyconcepts import smc
    frame = pd.DataFrame(rows[:, :4, 0], columns=["open", "high", "low", "close"])
    gaps: Any = smc.fvg(frame)
    found = gaps[gaps["FVG"].notna() & (gaps.index >= 14)]
    return [(int(row.FVG), int(row.Index), row.Bottom, row.Top) for row in found.itertuples()]


@pytest.mark.parametrize("source", ["walk", "recorded"])
def test_gaps_equal_those_of_smartmoneyconcepts_shifted_to_the_bar_they_are_known_at(source: str) -> None:
    rows = random_walk(2, minutes=1500) if source == "walk" else recorded("ETHUSDT", 1500)
    events = play(rows, parameters=replace(KernelParameters(), gap_min_atr=0.0))
    ours = [event for event in events if event.kind is Kind.GAP and event.timeframe_ms == MINUTE_MS]
    assert all(event.known == event.label + MINUTE_MS for event in ours)
    named = [(event.side, minute_of(event.label), event.low, event.high) for event in ours]
    theirs = oracle(rows)
    assert len(theirs) > 100
    assert [gap[:2] for gap in named] == [gap[:2] for gap in theirs]
    np.testing.assert_allclose([gap[2:] for gap in named], [gap[2:] for gap in theirs], rtol=1e-6)


def test_a_gap_is_known_at_its_third_candle() -> None:
    assert of(GAPS, story(*LEAP)) == [(Kind.GAP, 1, 1, 2)]


def test_a_gap_narrower_than_a_quarter_of_atr_is_none() -> None:
    narrow = (*LEAP[:2], (102.9, 103.5, 101.2, 103.2))
    assert of(GAPS, story(*narrow)) == []


def test_a_gap_is_filled_when_it_is_traded_through_and_not_when_it_is_touched() -> None:
    touch: Ohlc = (103.2, 103.3, 101.5, 101.6)
    through: Ohlc = (101.6, 101.7, 101.0, 101.1)
    assert of(GAPS, story(*LEAP, touch))[-1] == (Kind.GAP, 1, 1, 2)
    assert (Kind.GAP_FILLED, 1, 1, 4) in story(*LEAP, touch, through)


def test_every_gap_ends_at_most_once() -> None:
    events = told(play(random_walk(4, minutes=3000)), *GAPS)
    ends = [event[1:3] for event in of([Kind.GAP_FILLED, Kind.GAP_EXPIRED], events)]
    assert len(ends) == len(set(ends))
    assert set(ends) <= {event[1:3] for event in of([Kind.GAP], events)}
