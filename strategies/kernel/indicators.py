"""Indicators of one chart, updated by each candle that closes.

Seeds are TA-Lib's, but MACD seeds each of its averages on its own, as TradingView does.
"""

import numpy as np

from core.market import Floats
from strategies.kernel.jit import compiled
from strategies.kernel.parameters import WINDOW
from strategies.kernel.records import Candle, Chart, Prices

ATR_LENGTH = 14
RSI_LENGTH = 14
MACD_FAST, MACD_SLOW, MACD_SIGNAL = 12, 26, 9
BOLLINGER_LENGTH = 20
VOLUME_MEAN_LENGTH = 20
VOLUME_RANK_LENGTH = 60


@compiled
def smoothed(average: float, value: float, seen: int, length: int, weight: float) -> float:
    """Move an average by its ``seen``-th value; the plain mean of the first ``length`` is its seed."""
    share = 1.0 / seen if seen <= length else weight
    return average + share * (value - average)


@compiled
def ema(average: float, value: float, seen: int, length: int) -> float:
    return smoothed(average, value, seen, length, 2.0 / (length + 1))


@compiled
def wilder(average: float, value: float, seen: int, length: int) -> float:
    return smoothed(average, value, seen, length, 1.0 / length)


@compiled
def candle_of(chart: Chart, number: int) -> Candle:
    """Return one of the last ``WINDOW`` candles."""
    return chart.candles[number & (WINDOW - 1)]


@compiled
def push_candle(chart: Chart, number: int, prices: Prices) -> None:
    """Take in the next candle."""
    chart.number = number
    chart.bars += 1
    chart.missed = 0
    chart.events_used = 0
    chart.open, chart.high, chart.low, chart.close, chart.volume = prices
    candle = candle_of(chart, number)
    candle.open, candle.high, candle.low, candle.close, candle.volume = prices


@compiled
def update_indicators(chart: Chart) -> None:
    """Bring every average up to the candle just taken in."""
    close, bars = chart.close, chart.bars
    chart.ema_9 = ema(chart.ema_9, close, bars, 9)
    chart.ema_21 = ema(chart.ema_21, close, bars, 21)
    chart.ema_50 = ema(chart.ema_50, close, bars, 50)
    chart.ema_200_before = chart.ema_200
    chart.ema_200 = ema(chart.ema_200, close, bars, 200)
    update_macd(chart)
    if bars > 1:
        update_ranges(chart)


@compiled
def update_macd(chart: Chart) -> None:
    close, bars = chart.close, chart.bars
    chart.macd_fast = ema(chart.macd_fast, close, bars, MACD_FAST)
    chart.macd_slow = ema(chart.macd_slow, close, bars, MACD_SLOW)
    if bars >= MACD_SLOW:
        chart.macd = chart.macd_fast - chart.macd_slow
        chart.macd_signal = ema(chart.macd_signal, chart.macd, bars - MACD_SLOW + 1, MACD_SIGNAL)


@compiled
def update_ranges(chart: Chart) -> None:
    """ATR and RSI need a candle before; the first one gives no value (as TA-Lib)."""
    seen = chart.bars - 1
    previous_close = candle_of(chart, chart.number - 1).close
    true_range = max(chart.high, previous_close) - min(chart.low, previous_close)
    chart.atr = wilder(chart.atr, true_range, seen, ATR_LENGTH)
    change = chart.close - previous_close
    chart.average_gain = wilder(chart.average_gain, max(change, 0.0), seen, RSI_LENGTH)
    chart.average_loss = wilder(chart.average_loss, max(-change, 0.0), seen, RSI_LENGTH)


@compiled
def trend_side(chart: Chart, min_atr: float) -> int:
    """Return the side of EMA 200 the close is on, 0 within ``min_atr`` ATR of it."""
    distance = chart.close - chart.ema_200
    if abs(distance) <= min_atr * chart.atr:
        return 0
    return 1 if distance > 0.0 else -1


def rsi(chart: Chart) -> float:
    """Relative strength 0–100; 50 where price has not moved at all."""
    moved = chart.average_gain + chart.average_loss
    return 100.0 * chart.average_gain / moved if moved > 0 else 50.0


def bollinger(chart: Chart) -> tuple[float, float]:
    """Return the mean of the last 20 closes and their population deviation."""
    closes = last_values(chart, "close", BOLLINGER_LENGTH)
    return float(closes.mean()), float(closes.std())


def volume_ratio(chart: Chart) -> float:
    """This candle's volume as a multiple of the mean of the 20 up to it; 1 where nothing was traded."""
    mean = float(last_values(chart, "volume", VOLUME_MEAN_LENGTH).mean())
    return chart.volume / mean if mean > 0 else 1.0


def volume_rank(chart: Chart) -> float:
    """Share of the last 60 candles whose volume was not above this one's."""
    return float((last_values(chart, "volume", VOLUME_RANK_LENGTH) <= chart.volume).mean())


def last_values(chart: Chart, field: str, length: int) -> Floats:
    """Return a field of the newest ``length`` candles (fewer while the chart is young), newest first."""
    count = min(length, chart.bars)
    values: Floats = chart.candles[field][(chart.number - np.arange(count)) & (WINDOW - 1)]
    return values
