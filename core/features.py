"""The named numbers a decision was made on, stored beside its outcome."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureVector:
    """Finite values by name, in the fixed order of ``version``: what is scored is what is stored."""

    version: str
    names: tuple[str, ...]
    values: tuple[float, ...]

    def __getitem__(self, name: str) -> float:
        return self.values[self.names.index(name)]


FEATURE_VERSION = "1"
"""Changes with every change of a feature's name, order, or meaning; rows of different versions never mix."""

FEATURE_NAMES = (
    "confidence",
    "reward_risk",
    "stop_distance",
    "room_r",
    "trend_distance_atr",
    "trend_slope_atr",
    "trend_bars",
    "macd_15m_atr",
    "ema_gap_15m_atr",
    "rsi_15m",
    "macd_1m_atr",
    "ema_gap_1m_atr",
    "ema_50_1m_atr",
    "rsi_1m",
    "bollinger_1m",
    "bollinger_width_1m",
    "structure_agreement",
    "msb_agrees",
    "msb_strength",
    "msb_age",
    "bias_1m",
    "bias_15m",
    "msb_15m",
    "choch_1m",
    "block_displacement",
    "block_visits",
    "block_age",
    "block_height_atr",
    "block_depth",
    "block_break_strength",
    "block_is_breaker",
    "block_holds_gap",
    "sweep_age",
    "sweep_depth_atr",
    "range_position",
    "candle_body_atr",
    "candle_wick_atr",
    "volume_ratio",
    "volume_rank",
    "atr_1m",
    "atr_15m",
    "zone_asia",
    "zone_london",
    "zone_new_york_am",
    "zone_london_close",
)
"""Signed ones are turned to the side of the trade; ages are in minutes, distances in ATR or R."""
