"""Candidates: each gate, what they carry, and how often they come."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest

from core.features import FEATURE_NAMES
from core.market import DAY_MS, MINUTE_MS, Floats
from core.signals import Candidate
from strategies.ict_smc import IctSmc, IctSmcParameters
from strategies.ict_smc.setups import find_setups
from strategies.kernel.events import Kind
from strategies.kernel.market import MarketKernel
from strategies.kernel.parameters import KernelParameters
from tests.unit.strategies.markets import START_MS, new_kernel, random_walk, recorded

YOUNG = KernelParameters(min_bars_15m=100)


def lived(rows: Floats) -> tuple[list[Candidate], MarketKernel]:
    kernel, strategy = new_kernel(rows.shape[2], YOUNG), IctSmc()
    found: list[Candidate] = []
    for minute, row in enumerate(rows):
        kernel.step(START_MS + minute * MINUTE_MS, row, np.ones(rows.shape[2], dtype=np.bool_))
        found += strategy.candidates(kernel, START_MS + minute * MINUTE_MS)
    return found, kernel


@cache
def candidates() -> Sequence[Candidate]:
    return lived(random_walk(21, minutes=6000, symbols=8))[0]


def test_candidates_come_a_few_a_day_and_on_both_sides() -> None:
    days = 8 * (6000 - 1500) * MINUTE_MS / DAY_MS
    assert 4.0 / 3 < len(candidates()) / days < 4.0 * 3
    assert {candidate.side for candidate in candidates()} == {1, -1}


def test_a_candidate_carries_finite_features_in_the_order_of_their_version() -> None:
    for candidate in candidates():
        assert candidate.features.names == FEATURE_NAMES
        assert np.isfinite(candidate.features.values).all()
        assert candidate.features["confidence"] == candidate.confidence
        assert candidate.features["stop_distance"] == candidate.stop_distance


def test_stop_and_target_enclose_the_price() -> None:
    for candidate in candidates():
        assert candidate.side * (candidate.price - candidate.stop) > 0
        assert candidate.side * (candidate.target - candidate.price) > 0
        assert candidate.stop_distance > 0.00499
        assert candidate.confidence == pytest.approx(sum(factor.points for factor in candidate.factors))


def test_the_gates_agree_with_the_features() -> None:
    for candidate in candidates():
        features = candidate.features
        assert features["trend_distance_atr"] > 0.1
        assert features["msb_agrees"] or features["bias_15m"] == features["choch_1m"] == 1.0
        assert features["range_position"] <= 0.5 or features["sweep_age"] <= 20
        assert features["block_displacement"] >= 1.2


def test_the_block_was_known_before_its_candidate_closed_above_its_middle() -> None:
    for candidate in candidates():
        (zone,) = candidate.zones
        assert zone.labelled_at < zone.known_at <= candidate.at
        assert candidate.side * (candidate.price - (zone.low + zone.high) / 2) > 0


def test_there_is_one_candidate_a_block_and_one_a_symbol_a_minute() -> None:
    blocks = [(each.symbol, each.zones[0].labelled_at, each.zones[0].kind) for each in candidates()]
    moments = [(each.symbol, each.at) for each in candidates()]
    assert len(blocks) == len(set(blocks))
    assert len(moments) == len(set(moments))


def test_too_little_history_gives_no_setup() -> None:
    kernel = new_kernel(8, KernelParameters(min_bars_15m=600))
    rows = random_walk(21, minutes=3000, symbols=8)
    for minute, row in enumerate(rows):
        kernel.step(START_MS + minute * MINUTE_MS, row, np.ones(8, dtype=np.bool_))
        assert not find_setups(kernel, IctSmcParameters())


def test_recorded_candles_look_as_the_rules_promise() -> None:
    """Triple validation passes about 40 % of blocks, the amplitude filter about a quarter of breaks."""
    rows = np.concatenate([recorded(symbol, 6000) for symbol in ("BTCUSDT", "SOLUSDT", "XRPUSDT")], axis=2)
    counts = dict.fromkeys(Kind, 0)
    kernel = new_kernel(3)
    for minute, row in enumerate(rows):
        kernel.step(START_MS + minute * MINUTE_MS, row, np.ones(3, dtype=np.bool_))
        for event in kernel.events():
            counts[event.kind] += event.timeframe_ms == MINUTE_MS
    blocks = counts[Kind.BLOCK] + counts[Kind.BLOCK_REJECTED]
    breaks = counts[Kind.BOS] + counts[Kind.CHOCH]
    assert 0.3 < counts[Kind.BLOCK] / blocks < 0.5
    assert 0.15 < counts[Kind.MSB] / breaks < 0.35
