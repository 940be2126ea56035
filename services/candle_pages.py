"""Whole stretches of history out of pages that may be short, torn, unsorted or wrong."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.market import CandleHistory, Field, Floats
from exchange.limits.weight import Priority

PAGE = 499
"""Candles of one page: 499 for a weight of 2 is the cheapest way to many."""


class CandleReader(Protocol):
    """Reads one page of candles; see ``exchange.binance.candles``."""

    async def page(
        self,
        symbol: str,
        timeframe_ms: int,
        *,
        limit: int,
        start_ms: int | None = None,
        end_ms: int | None = None,
        priority: Priority = Priority.SCAN,
    ) -> CandleHistory: ...


def is_sound(candle: tuple[float, ...]) -> bool:
    """Tell whether prices are positive and in order and the volume not negative; NaN is never sound."""
    opened, high, low, closed, volume = candle
    return 0 < low <= opened <= high < np.inf and low <= closed <= high and 0 <= volume < np.inf


async def read_history(
    candles: CandleReader, symbol: str, timeframe_ms: int, *, bars: int, before_ms: int
) -> CandleHistory:
    """Fetch the last ``bars`` candles that closed by ``before_ms``, fewer for a young symbol.

    The result is sorted and without holes. Rows that are missing or can not be true are asked for once
    more; where the exchange has none either, nothing was traded and the price stood still.
    """
    stretch = _Stretch(symbol, timeframe_ms, bars=bars, before_ms=before_ms)
    empty = 0
    while (end := stretch.next_end()) is not None and empty < stretch.doubts:
        limit = min((end - stretch.start) // timeframe_ms + 1, PAGE)
        empty += not stretch.add(await candles.page(symbol, timeframe_ms, limit=limit, end_ms=end))
    for hole in stretch.holes():
        stretch.add(await candles.page(symbol, timeframe_ms, limit=PAGE, start_ms=hole))
    return stretch.history()


class _Stretch:
    """What is known so far of the candles in ``[start, end]``."""

    def __init__(self, symbol: str, timeframe_ms: int, *, bars: int, before_ms: int) -> None:
        self._symbol = symbol
        self._timeframe = timeframe_ms
        self.end = before_ms // timeframe_ms * timeframe_ms - timeframe_ms
        self.start = self.end - (bars - 1) * timeframe_ms
        self._known: dict[int, tuple[float, ...]] = {}

    def next_end(self) -> int | None:
        """Return where the next older page should end; ``None`` once nothing older is wanted."""
        oldest = min(self._known, default=self.end + self._timeframe)
        return oldest - self._timeframe if oldest > self.start else None

    @property
    def doubts(self) -> int:
        """How many pages without news it takes to believe that there is nothing older."""
        return 1 if self._known else 2

    def add(self, page: CandleHistory) -> bool:
        """Take what is sound of a page; ``False`` when it brought nothing new."""
        before = len(self._known)
        for open_time, candle in zip(page.open_times.tolist(), page.candles.T.tolist(), strict=True):
            if self.start <= open_time <= self.end and is_sound(tuple(candle)):
                self._known.setdefault(open_time, tuple(candle))
        return len(self._known) > before

    def holes(self) -> list[int]:
        """Return the first missing time of each hole."""
        known = np.array(sorted(self._known), dtype=np.int64)
        ends = known[:-1][np.diff(known) > self._timeframe].tolist()
        newest = [known[-1].item()] if len(known) and known[-1] < self.end else []
        return [before + self._timeframe for before in ends + newest]

    def history(self) -> CandleHistory:
        if not self._known:
            empty: NDArray[np.int64] = np.empty(0, np.int64)
            return self._made(empty, np.empty((len(Field), 0)))
        times = range(min(self._known), self.end + 1, self._timeframe)
        rows: list[tuple[float, ...]] = []
        for open_time in times:
            rows.append(self._known[open_time] if open_time in self._known else _standing_still(rows[-1]))
        return self._made(np.array(times, np.int64), np.ascontiguousarray(np.array(rows).T))

    def _made(self, open_times: NDArray[np.int64], candles: Floats) -> CandleHistory:
        return CandleHistory(
            symbol=self._symbol, timeframe_ms=self._timeframe, open_times=open_times, candles=candles
        )


def _standing_still(before: tuple[float, ...]) -> tuple[float, ...]:
    close = before[Field.CLOSE]
    return close, close, close, close, 0.0
