"""The seeded market: the same for the same seed, alive, and without an edge."""

import numpy as np
import pytest

from core.market import MINUTE_MS, QUARTER_MS
from exchange.sim.market.candles import Row, merge
from exchange.sim.market.market import Market
from exchange.sim.market.seeded import Floats
from tests.unit.sim_market.markets import pass_minutes, seeded_market


def returns_of(market: Market) -> Floats:
    closes = market.minutes.since(0)[Row.CLOSE].astype(np.float64)
    return np.diff(np.log(closes), axis=1)


def test_the_same_seed_draws_the_same_market() -> None:
    one, two, other = seeded_market(seed=1), seeded_market(seed=1), seeded_market(seed=2)
    for market in (one, two, other):
        pass_minutes(market, 3)
    assert np.array_equal(one.minutes.since(0), two.minutes.since(0))
    assert not np.array_equal(one.minutes.since(0), other.minutes.since(0))


def test_every_price_is_a_multiple_of_the_tick() -> None:
    market = seeded_market(symbols=60)
    candles = market.minutes.since(0)[: Row.VOLUME]
    assert not (candles % market.scales.tick[:, None]).any()


def test_history_reaches_back_far_enough_on_both_intervals() -> None:
    market = seeded_market(start_ms=1_764_547_200_000 + 7 * MINUTE_MS, history=1500)
    assert market.minutes.since(0).shape[-1] >= 1500
    assert market.quarters.since(0).shape[-1] >= 1500
    assert market.minutes.end_ms == market.now_ms
    assert market.quarters.end_ms == market.now_ms - market.now_ms % QUARTER_MS


def test_a_quarter_is_the_sum_of_its_minutes() -> None:
    market = seeded_market()
    pass_minutes(market, 40)
    open_ms = market.quarters.end_ms - QUARTER_MS
    minutes = market.minutes.since(open_ms)[:, :, :15]
    assert np.array_equal(merge(minutes), market.quarters.since(open_ms)[:, :, 0])


def test_prices_do_not_drift_and_the_past_does_not_tell_the_future() -> None:
    returns = returns_of(seeded_market(symbols=200, history=600))
    scaled = returns / returns.std(axis=1, keepdims=True)
    drift = scaled.mean(axis=1)
    assert abs(drift.mean()) < 4 * 0.6 / np.sqrt(scaled.shape[1])  # symbols share a factor: not independent
    memory = (scaled[:, 1:] * scaled[:, :-1]).mean(axis=1)
    assert abs(memory.mean()) < 0.03


def test_symbols_move_together_and_volatility_clusters() -> None:
    returns = returns_of(seeded_market(symbols=40, history=600))
    together = np.asarray(np.corrcoef(returns))[np.triu_indices(40, 1)]
    assert 0.15 < together.mean() < 0.8
    sizes = np.abs(returns)
    echo = [np.corrcoef(each[10:], each[:-10])[0, 1] for each in sizes]
    assert np.mean(echo) > 0.05


def test_volume_and_volatility_are_of_the_size_the_facts_say() -> None:
    volumes, deviations = [], []
    for seed in range(4):  # the factor's mood lasts a day: one market alone may be calm or wild
        market = seeded_market(symbols=30, seed=seed, history=1500)
        told = np.array([each.daily_quote_volume for each in market.instruments])
        volumes.append(np.median(market.last_day()[Row.QUOTE] / 10_000 / told))
        quarters = np.diff(np.log(market.quarters.since(0)[Row.CLOSE].astype(float)), axis=1).std(axis=1)
        facts = np.array([each.volatility_15m for each in market.instruments])
        deviations.append(np.median(quarters / facts))
    assert np.mean(volumes) == pytest.approx(1, abs=0.3)
    assert np.mean(deviations) == pytest.approx(1, abs=0.25)


def test_history_was_drawn_in_fewer_steps_but_reaches_as_far() -> None:
    market = seeded_market(symbols=150, history=600)
    before = market.minutes.since(0)[:, :, -600:].astype(float)
    start_ms = market.now_ms
    pass_minutes(market, 600)
    after = market.minutes.since(start_ms).astype(float)

    def reach(candles: Floats) -> float:
        bodies = np.abs(candles[Row.CLOSE] - candles[Row.OPEN]).mean(axis=1)
        return float(np.median((candles[Row.HIGH] - candles[Row.LOW]).mean(axis=1) / bodies))

    assert reach(before) == pytest.approx(reach(after), rel=0.05)
