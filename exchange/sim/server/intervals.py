"""The candle intervals Binance names, as milliseconds."""

from core.market import DAY_MS, MINUTE_MS

_HOUR_MS = 60 * MINUTE_MS

INTERVALS: dict[str, int] = {
    "1m": MINUTE_MS,
    "3m": 3 * MINUTE_MS,
    "5m": 5 * MINUTE_MS,
    "15m": 15 * MINUTE_MS,
    "30m": 30 * MINUTE_MS,
    "1h": _HOUR_MS,
    "2h": 2 * _HOUR_MS,
    "4h": 4 * _HOUR_MS,
    "6h": 6 * _HOUR_MS,
    "8h": 8 * _HOUR_MS,
    "12h": 12 * _HOUR_MS,
    "1d": DAY_MS,
    "3d": 3 * DAY_MS,
}
"""Weeks and months are refused: the market's memory is shorter."""
