"""What each parameter of the strategy means."""

from collections.abc import Mapping
from types import MappingProxyType

MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "enabled": "whether the strategy looks for candidates at all",
        "trend_full_bars": "15m candles from which EMA200 is exact and the trend counts in full",
        "trend_young_share": "what is left of the trend's grade below that",
        "sweep_max_age": "candles for which a sweep counts as location",
        "discount_limit": "deepest place in the swing range that counts as location, 0.5 is its middle",
        "stop_block_atr": "stop beyond the block's far side, in ATR of 1m",
        "stop_atr_1m": "nearest stop, in ATR of 1m",
        "stop_atr_15m": "nearest stop, in ATR of 15m",
        "round_trip_cost": "taker fees of entry and exit, as a share of price",
        "stop_cost_multiple": "nearest stop, as a multiple of those fees",
        "max_stop_distance": "farthest stop, as a share of price; beyond it there is no trade",
        "confidence_low": "the confidence that asks for the lowest reward",
        "reward_risk_low": "reward for the risk at that confidence",
        "reward_risk_high": "reward for the risk at confidence 100",
        "min_room": "nearest opposite pool, as a multiple of the risk; nearer there is no trade",
        "room_margin_atr": "how far before an opposite pool the target lies, in ATR of 1m",
        "weights.structure": "points for structure: strength of the MSB, agreement of 1m and 15m",
        "weights.order_block": "points for the block: displacement, freshness, height",
        "weights.liquidity": "points for liquidity: the last sweep, and room to the opposite pool",
        "weights.trend": "points for distance and slope of EMA200 on 15m",
        "weights.macd": "points for MACD on 15m",
        "weights.ema": "points for EMA 9 and 21 on 15m",
        "weights.volume": "points for the volume of the deciding candle",
        "weights.premium": "points for a cheap place in the swing range",
        "grades.msb_strength": "reach of the last MSB, as a multiple of what is required",
        "grades.structure_agreement": "share of biases and MSBs on 1m and 15m that agree",
        "grades.block_displacement": "body of the candle after the block, as a multiple of the block's",
        "grades.block_visits": "returns into the block, this one included",
        "grades.block_height_atr": "height of the block in ATR",
        "grades.sweep_age": "candles since the last sweep; 240 is never",
        "grades.sweep_depth_atr": "how far the sweep went beyond its pool, in ATR",
        "grades.room_r": "room to the opposite pool, in R",
        "grades.trend_distance_atr": "distance to EMA200 of 15m, in ATR of 15m",
        "grades.trend_slope_atr": "slope of EMA200 of 15m a candle, in ATR of 15m",
        "grades.macd_15m_atr": "MACD less its signal on 15m, in ATR of 15m",
        "grades.ema_gap_15m_atr": "EMA 9 less EMA 21 on 15m, in ATR of 15m",
        "grades.volume_rank": "share of the last 60 candles with less volume",
        "grades.range_position": "place in the swing range: 0 is its cheap end for this side",
    }
)
"""By field; ``weights`` and ``grades`` are named as parts of the strategy's parameters."""
