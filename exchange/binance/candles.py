"""Pages of candles over REST."""

import msgspec
import numpy as np

from core.clock import Clock
from core.market import MINUTE_MS, QUARTER_MS, CandleHistory
from core.rng import Rng
from exchange.binance import rest
from exchange.binance.rest import BinanceRest
from exchange.limits.retries import ReadRetries
from exchange.limits.weight import Priority

_INTERVALS = {MINUTE_MS: "1m", QUARTER_MS: "15m"}


class _Row(msgspec.Struct, array_like=True, gc=False):
    open_time: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class BinanceCandles:
    """Reads history a page at a time; repeated when the exchange stays silent."""

    def __init__(self, api: BinanceRest, *, clock: Clock, rng: Rng) -> None:
        self._api = api
        self._retries = ReadRetries(clock=clock, rng=rng, attempts=5, patience=float("inf"))

    async def page(
        self,
        symbol: str,
        timeframe_ms: int,
        *,
        limit: int,
        start_ms: int | None = None,
        end_ms: int | None = None,
        priority: Priority = Priority.SCAN,
    ) -> CandleHistory:
        """Fetch at most ``limit`` candles that opened in ``[start_ms, end_ms]``, the newest if not bounded.

        The newest may still be forming; only the caller knows what time it is at the exchange.
        """
        parameters: dict[str, str | int | bool] = {
            "symbol": symbol,
            "interval": _INTERVALS[timeframe_ms],
            "limit": limit,
        }
        if start_ms is not None:
            parameters["startTime"] = start_ms
        if end_ms is not None:
            parameters["endTime"] = end_ms
        rows = await self._retries.run(
            lambda: self._api.call(rest.klines(limit), parameters, priority=priority, reply=list[_Row])
        )
        return _history(symbol, timeframe_ms, rows)


def _history(symbol: str, timeframe_ms: int, rows: list[_Row]) -> CandleHistory:
    # Open times fit a float exactly (they are below 2⁵³), so that one array can hold whole rows.
    table = np.array(list(map(msgspec.structs.astuple, rows)), dtype=np.float64).reshape(-1, 6).T
    return CandleHistory(
        symbol=symbol,
        timeframe_ms=timeframe_ms,
        open_times=table[0].astype(np.int64),
        candles=np.ascontiguousarray(table[1:]),
    )
