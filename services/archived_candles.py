"""Pages of candles out of the archive as far as it reaches; the exchange is asked only for what is newer."""

from typing import Protocol

import numpy as np

from core.market import CandleHistory
from exchange.limits.weight import Priority
from services.candle_pages import CandleReader


class CandleShelf(Protocol):
    """Candles at hand; ``data.candle_shelf`` holds those of an archive."""

    def history(self, symbol: str, timeframe_ms: int, *, start_ms: int, end_ms: int) -> CandleHistory: ...


class ArchivedCandles:
    """A ``CandleReader`` in front of another one: a start after a pause costs the pause alone.

    Only pages counted back from an end come off the shelf. Who asks from a start on is mending a hole, and
    what mends it must come from the exchange.
    """

    def __init__(self, exchange: CandleReader, shelf: CandleShelf) -> None:
        self._exchange = exchange
        self._shelf = shelf

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
        if start_ms is None and end_ms is not None:
            known = self._shelf.history(
                symbol, timeframe_ms, start_ms=end_ms - (limit - 1) * timeframe_ms, end_ms=end_ms
            )
            if len(known.open_times):
                return await self._with_news(known, end_ms=end_ms, priority=priority)
        return await self._exchange.page(
            symbol, timeframe_ms, limit=limit, start_ms=start_ms, end_ms=end_ms, priority=priority
        )

    async def _with_news(self, known: CandleHistory, *, end_ms: int, priority: Priority) -> CandleHistory:
        newer = int(known.open_times[-1]) + known.timeframe_ms
        missing = (end_ms - newer) // known.timeframe_ms + 1
        if missing <= 0:
            return known
        news = await self._exchange.page(
            known.symbol, known.timeframe_ms, limit=missing, start_ms=newer, end_ms=end_ms, priority=priority
        )
        return CandleHistory(
            symbol=known.symbol,
            timeframe_ms=known.timeframe_ms,
            open_times=np.concatenate([known.open_times, news.open_times]),
            candles=np.concatenate([known.candles, news.candles], axis=1),
        )
