"""What each parameter of the kernel means."""

from collections.abc import Mapping
from types import MappingProxyType

MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "internal_leg": "candles to the right that confirm an internal swing point of 1m",
        "swing_leg": "candles to the right that confirm a swing point of 1m, the larger scale",
        "quarter_leg": "candles to the right that confirm a swing point of 15m",
        "msb_min_leg_fraction": "reach of a strong break beyond its level, as a share of the previous leg",
        "msb_min_atr": "reach of a strong break beyond its level, in ATR; the larger of both counts",
        "ob_min_displacement": "body of the candle after an order block, as a multiple of the block's",
        "ob_validation_bars": "candles after an order block that may not trade beyond its far side",
        "ob_max_age": "candles after which an order block expires",
        "ob_search_bars": "how many candles before a break its order block is looked for",
        "equal_level_atr": "how near two swing points share a pool of liquidity, in ATR",
        "gap_min_atr": "narrowest fair value gap, in ATR",
        "trend_min_atr": "nearer to EMA200 of 15m than that is no trend, in ATR of 15m",
        "min_bars_1m": "1m candles below which a symbol is not ready",
        "min_bars_15m": "15m candles below which a symbol is not ready",
    }
)
"""By field."""
