"""What is measured on a set-up: the numbers that are graded, stored with the trade and learnt from.

Everything is turned to the side of the trade, so that a long and its mirror measure the same, and bounded, so
that no single candle can dominate.
"""

import math

from core.features import FEATURE_NAMES, FEATURE_VERSION, FeatureVector
from core.market import MINUTE_MS
from strategies.ict_smc.setups import Setup, range_position
from strategies.kernel.indicators import bollinger, rsi, volume_rank, volume_ratio
from strategies.kernel.market import MarketKernel
from strategies.kernel.records import Block, Chart, plain
from strategies.kill_zones import KillZone, kill_zone

Measures = dict[str, float]

NEVER = 240.0
"""Age, in bars, of what has not happened; what is older counts as this old."""


def measure(kernel: MarketKernel, setup: Setup) -> Measures:
    """Measure everything that does not depend on where the stop lies."""
    minute, quarter = kernel.minute[setup.symbol_index], kernel.quarter[setup.symbol_index]
    position = float(range_position(minute, setup.side))
    minute, quarter = plain(minute), plain(quarter)
    block = _block(minute, plain(minute.blocks[setup.block]), setup.side)
    return _surroundings(minute, quarter, setup.side, position=position) | block


def measure_surroundings(minute: Chart, quarter: Chart, side: int) -> Measures:
    """Measure everything that does not depend on a block either."""
    position = float(range_position(minute, side))
    return _surroundings(plain(minute), plain(quarter), side, position=position)


def _surroundings(minute: Chart, quarter: Chart, side: int, *, position: float) -> Measures:
    return {
        "range_position": min(max(position, -1.0), 2.0),
        **_trend(quarter, side),
        **_momentum(minute, quarter, side),
        **_structure(minute, quarter, side),
        **_liquidity(minute, side),
        **_candle(minute, quarter, side),
        **_session(minute),
    }


def feature_vector(measures: Measures) -> FeatureVector:
    """Put measures in the order of the current version; refuse a missing one, and one that is not finite."""
    values = tuple(float(measures[name]) for name in FEATURE_NAMES)
    wrong = [name for name, value in zip(FEATURE_NAMES, values, strict=True) if not math.isfinite(value)]
    if wrong:
        raise ValueError(f"features that are not finite: {', '.join(wrong)}")
    return FeatureVector(version=FEATURE_VERSION, names=FEATURE_NAMES, values=values)


def _trend(quarter: Chart, side: int) -> Measures:
    return {
        "trend_distance_atr": _bounded(side * (quarter.close - quarter.ema_200), quarter.atr, 20.0),
        "trend_slope_atr": _bounded(side * (quarter.ema_200 - quarter.ema_200_before), quarter.atr, 1.0),
        "trend_bars": float(min(quarter.bars, 1400)),
    }


def _momentum(minute: Chart, quarter: Chart, side: int) -> Measures:
    mean, deviation = bollinger(minute)
    return {
        "macd_15m_atr": _bounded(side * (quarter.macd - quarter.macd_signal), quarter.atr, 5.0),
        "ema_gap_15m_atr": _bounded(side * (quarter.ema_9 - quarter.ema_21), quarter.atr, 5.0),
        "rsi_15m": side * (rsi(quarter) - 50.0),
        "macd_1m_atr": _bounded(side * (minute.macd - minute.macd_signal), minute.atr, 5.0),
        "ema_gap_1m_atr": _bounded(side * (minute.ema_9 - minute.ema_21), minute.atr, 5.0),
        "ema_50_1m_atr": _bounded(side * (minute.close - minute.ema_50), minute.atr, 20.0),
        "rsi_1m": side * (rsi(minute) - 50.0),
        "bollinger_1m": _bounded(side * (minute.close - mean), deviation, 5.0),
        "bollinger_width_1m": 4.0 * deviation / minute.close,
    }


def _structure(minute: Chart, quarter: Chart, side: int) -> Measures:
    agrees = minute.msb_side == side
    sides = (minute.bias, minute.msb_side, quarter.bias, quarter.msb_side)
    return {
        "structure_agreement": sum(1.0 + side * each for each in sides) / (2 * len(sides)),
        "msb_agrees": float(agrees),
        "msb_strength": min(float(minute.msb_strength), 10.0) if agrees else 0.0,
        "msb_age": _age(minute, minute.msb_at),
        "bias_1m": float(side * minute.bias),
        "bias_15m": float(side * quarter.bias),
        "msb_15m": float(side * quarter.msb_side),
        "choch_1m": float(side * minute.choch_side),
    }


def _block(minute: Chart, block: Block, side: int) -> Measures:
    height = block.top - block.bottom
    wick = minute.low if side > 0 else minute.high
    near = block.top if side > 0 else block.bottom
    return {
        "block_displacement": min(float(block.displacement), 10.0),
        "block_visits": min(float(block.visits), 10.0),
        "block_age": _age(minute, block.label),
        "block_height_atr": _bounded(height, minute.atr, 10.0),
        "block_depth": _bounded(side * (near - wick), height, 2.0),
        "block_break_strength": min(float(block.strength), 10.0),
        "block_is_breaker": float(block.breaker),
        "block_holds_gap": float(_holds_gap(minute, block, side)),
    }


def _holds_gap(minute: Chart, block: Block, side: int) -> bool:
    """Does an open fair value gap of the same side overlap the block?"""
    gaps = minute.gaps[: minute.gaps_open]
    overlaps = (gaps["bottom"] <= block.top) & (gaps["top"] >= block.bottom)
    return bool((overlaps & (gaps["side"] == side)).any())


def _liquidity(minute: Chart, side: int) -> Measures:
    swept_at = minute.swept_below_at if side > 0 else minute.swept_above_at
    depth = minute.swept_below_depth if side > 0 else minute.swept_above_depth
    return {
        "sweep_age": _age(minute, swept_at),
        "sweep_depth_atr": _bounded(depth, minute.atr, 5.0) if swept_at else 0.0,
    }


def _candle(minute: Chart, quarter: Chart, side: int) -> Measures:
    wick = min(minute.open, minute.close) - minute.low
    if side < 0:
        wick = minute.high - max(minute.open, minute.close)
    return {
        "candle_body_atr": _bounded(side * (minute.close - minute.open), minute.atr, 5.0),
        "candle_wick_atr": _bounded(wick, minute.atr, 5.0),
        "volume_ratio": min(volume_ratio(minute), 20.0),
        "volume_rank": volume_rank(minute),
        "atr_1m": float(minute.atr / minute.close),
        "atr_15m": float(quarter.atr / quarter.close),
    }


def _session(minute: Chart) -> Measures:
    """The kill zone of the moment the candle closed."""
    now = kill_zone((int(minute.number) + 1) * MINUTE_MS)
    return {f"zone_{zone}": float(zone is now) for zone in KillZone}


def _age(minute: Chart, number: int) -> float:
    return min(float(minute.number - number), NEVER) if number else NEVER


def _bounded(value: float, unit: float, limit: float) -> float:
    """Return ``value`` in ``unit`` within ± ``limit``; 0 where the unit is nothing, as on flat candles."""
    return min(max(float(value / unit), -limit), limit) if unit > 0 else 0.0
