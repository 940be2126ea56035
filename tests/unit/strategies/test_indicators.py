"""Indicators, against TA-Lib and by hand."""

import numpy as np
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st

from core.market import MINUTE_MS, Floats
from strategies.kernel.indicators import bollinger, rsi, volume_rank, volume_ratio
from strategies.kernel.market import MarketKernel
from tests.unit.strategies.markets import START_MS, new_kernel, play, random_walk, recorded

seeds = st.integers(0, 2**32)


def after(rows: Floats) -> tuple[MarketKernel, dict[str, Floats]]:
    kernel = new_kernel()
    play(rows, kernel=kernel)
    names = ("open", "high", "low", "close", "volume")
    return kernel, {name: np.ascontiguousarray(rows[:, place, 0]) for place, name in enumerate(names)}


def check_against_talib(rows: Floats) -> None:
    kernel, candles = after(rows)
    chart, close = kernel.minute[0], candles["close"]
    ranges = candles["high"], candles["low"], close
    for length in (9, 21, 50, 200):
        assert getattr(chart, f"ema_{length}") == pytest.approx(talib.EMA(close, length)[-1], rel=1e-9)
    assert chart.atr == pytest.approx(talib.ATR(*ranges, 14)[-1], rel=1e-9)
    assert rsi(chart) == pytest.approx(talib.RSI(close, 14)[-1], rel=1e-9)
    upper, middle, lower = talib.BBANDS(close, 20, 2, 2)
    mean, deviation = bollinger(chart)
    assert mean == pytest.approx(middle[-1], rel=1e-9)
    assert mean + 2 * deviation == pytest.approx(upper[-1], rel=1e-9)
    assert mean - 2 * deviation == pytest.approx(lower[-1], rel=1e-9)


@settings(max_examples=20)
@given(seed=seeds, minutes=st.integers(201, 600))
def test_indicators_equal_talib_on_random_walks_of_any_length(seed: int, minutes: int) -> None:
    check_against_talib(random_walk(seed, minutes=minutes))


@pytest.mark.parametrize("symbol", ["BTCUSDT", "LAYERUSDT"])
def test_indicators_equal_talib_on_recorded_candles(symbol: str) -> None:
    check_against_talib(recorded(symbol, 3000))


@settings(max_examples=10)
@given(seed=seeds, minutes=st.integers(133, 400))
def test_macd_agrees_with_talib_once_its_seeds_are_forgotten(seed: int, minutes: int) -> None:
    kernel, candles = after(random_walk(seed, minutes=minutes))
    macd, signal, _ = talib.MACD(candles["close"], 12, 26, 9)
    price = candles["close"][-1]
    assert abs(kernel.minute[0].macd - macd[-1]) / price < 1e-6
    assert abs(kernel.minute[0].macd_signal - signal[-1]) / price < 1e-6


def test_macd_seeds_each_average_on_its_own() -> None:
    kernel, candles = after(random_walk(1, minutes=26))
    fast, slow = talib.EMA(candles["close"], 12)[-1], talib.EMA(candles["close"], 26)[-1]
    assert kernel.minute[0].macd == pytest.approx(fast - slow)
    assert kernel.minute[0].macd_signal == kernel.minute[0].macd


def test_the_fifteen_minute_chart_is_that_of_candles_joined_by_hand() -> None:
    rows = random_walk(3, minutes=15 * 220)
    kernel, _ = after(rows)
    quarters = rows[:, :, 0].reshape(220, 15, 5)
    close = np.ascontiguousarray(quarters[:, -1, 3])
    high, low = quarters[:, :, 1].max(axis=1), quarters[:, :, 2].min(axis=1)
    chart = kernel.quarter[0]
    assert chart.bars == 220
    assert chart.volume == pytest.approx(quarters[-1, :, 4].sum())
    assert chart.ema_200 == pytest.approx(talib.EMA(close, 200)[-1], rel=1e-9)
    assert chart.atr == pytest.approx(talib.ATR(high, low, close, 14)[-1], rel=1e-9)


def test_volume_is_measured_against_the_candles_up_to_now() -> None:
    rows = random_walk(4, minutes=100)
    kernel, candles = after(rows)
    volume = candles["volume"]
    assert volume_ratio(kernel.minute[0]) == pytest.approx(volume[-1] / volume[-20:].mean())
    assert volume_rank(kernel.minute[0]) == pytest.approx((volume[-60:] <= volume[-1]).mean())


def test_a_million_bars_leave_no_drift() -> None:
    day = random_walk(5, minutes=1000)[:, :, 0]
    candles = np.tile(day, (1000, 1)).T
    kernel = new_kernel()
    kernel.warm_up_1m(0, candles, START_MS + np.arange(1_000_000) * MINUTE_MS)
    chart, close = kernel.minute[0], np.ascontiguousarray(candles[3, -5000:])
    mean, deviation = bollinger(chart)
    assert chart.bars == 1_000_000
    assert chart.ema_200 == pytest.approx(talib.EMA(close, 200)[-1], rel=1e-12)
    assert (mean, deviation) == pytest.approx((close[-20:].mean(), close[-20:].std()), rel=1e-12)
