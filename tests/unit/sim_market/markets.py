"""Small markets for tests."""

import numpy as np

from core.market import MINUTE_MS
from exchange.sim.config import DEFAULT_START_MS
from exchange.sim.market.market import Market
from exchange.sim.market.recorded import Floats, RecordedCandles, RecordedPaths, recorded_universe
from exchange.sim.market.seeded import SeededPaths
from exchange.sim.universe import load_universe


def seeded_market(
    *, symbols: int = 5, seed: int = 1, start_ms: int = DEFAULT_START_MS, history: int = 150
) -> Market:
    instruments = load_universe(symbols)
    return Market(instruments, SeededPaths(instruments, seed=seed, start_ms=start_ms, history_bars=history))


def pass_minutes(market: Market, count: int) -> None:
    for _ in range(count * 60):
        market.step()


def wandering(symbols: int, minutes: int, *, seed: int = 3, decimals: int = 2) -> Floats:
    """Return plausible candles ``[M, 5, S]`` with so many decimals."""
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(0.001 * rng.standard_normal((minutes, symbols)), axis=0))
    opens = np.vstack([close[:1], close[:-1]])
    high = np.maximum(opens, close) * (1 + 0.001 * rng.random((minutes, symbols)))
    low = np.minimum(opens, close) * (1 - 0.001 * rng.random((minutes, symbols)))
    volume = rng.integers(0, 10_000, (minutes, symbols)) / 10
    prices = np.round(np.stack([opens, high, low, close], axis=1), decimals)
    return np.concatenate([prices, volume[:, None]], axis=1)


def recorded(*, symbols: tuple[str, ...] = ("BTCUSDT", "ETHUSDT"), minutes: int = 22_000) -> RecordedCandles:
    start_ms = 1_746_372_780_000  # 3 minutes into a quarter of an hour
    return RecordedCandles(symbols, start_ms - start_ms % MINUTE_MS, wandering(len(symbols), minutes))


def recorded_market(candles: RecordedCandles, *, seed: int = 1, start_ms: int | None = None) -> Market:
    instruments = recorded_universe(candles)
    return Market(instruments, RecordedPaths(candles, instruments, seed=seed, start_ms=start_ms))
