"""Whole stretches of history out of pages that may be short, torn, unsorted or wrong."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.market import Booleans, CandleHistory, Field, Floats
from exchange.limits.weight import Priority

PAGE = 499
"""Candles of one page: 499 for a weight of 2 is the cheapest way to many."""
CHEAP_PAGE = 99
"""The largest page of weight 1."""
_ATTEMPTS = 3


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


def sound(candles: Floats) -> Booleans:
    """Tell the same of each column of ``candles`` [5, n]."""
    opened, high, low, closed, volume = candles
    lows = (low > 0) & (low <= opened) & (low <= closed)
    highs = (opened <= high) & (closed <= high) & (high < np.inf)
    whole: Booleans = lows & highs & (volume >= 0) & (volume < np.inf)
    return whole


async def read_history(
    candles: CandleReader, symbol: str, timeframe_ms: int, *, bars: int, before_ms: int
) -> CandleHistory:
    """Fetch the last ``bars`` candles that closed by ``before_ms``, fewer for a young symbol.

    The result is sorted and without holes. Rows that are missing or can not be true are asked for once more,
    by a page that begins with the first of them: where that one goes on with a later candle, nothing was
    traded and the price stood still. A page that ends too early proves nothing of what would have followed.
    """
    stretch = _Stretch(symbol, timeframe_ms, bars=bars, before_ms=before_ms)
    empty = 0
    while (end := stretch.next_end()) is not None and empty < stretch.doubts:
        limit = min((end - stretch.start) // timeframe_ms + 1, PAGE)
        empty += not stretch.add(await candles.page(symbol, timeframe_ms, limit=limit, end_ms=end))
    while (hole := stretch.next_hole()) is not None:
        stretch.mend(hole, await candles.page(symbol, timeframe_ms, limit=PAGE, start_ms=hole))
    return stretch.history()


class _Stretch:
    """What is known so far of the candles in ``[start, end]``: sorted, each time once."""

    def __init__(self, symbol: str, timeframe_ms: int, *, bars: int, before_ms: int) -> None:
        self._symbol = symbol
        self._timeframe = timeframe_ms
        self.end = before_ms // timeframe_ms * timeframe_ms - timeframe_ms
        self.start = self.end - (bars - 1) * timeframe_ms
        self._times: NDArray[np.int64] = np.empty(0, np.int64)
        self._candles: Floats = np.empty((len(Field), 0))
        self._empty: set[int] = set()
        self._unanswered = 0

    @property
    def doubts(self) -> int:
        """How many pages without news it takes to believe that there is nothing older."""
        return 1 if len(self._times) else 2

    def next_end(self) -> int | None:
        """Return where the next older page should end; ``None`` once nothing older is wanted."""
        oldest = int(self._times[0]) if len(self._times) else self.end + self._timeframe
        return oldest - self._timeframe if oldest > self.start else None

    def add(self, page: CandleHistory) -> bool:
        """Take what is sound of a page; ``False`` when it brought nothing new."""
        wanted = (page.open_times >= self.start) & (page.open_times <= self.end) & sound(page.candles)
        times = np.concatenate([self._times, page.open_times[wanted]])
        candles = np.concatenate([self._candles, page.candles[:, wanted]], axis=1)
        before = len(self._times)
        self._times, first = np.unique(times, return_index=True)
        self._candles = candles[:, first]
        return len(self._times) > before

    def next_hole(self) -> int | None:
        """Return the first time that is missing and not known to have none."""
        if not len(self._times):
            return None
        settled = np.union1d(self._times, np.array(sorted(self._empty), np.int64))
        known = np.append(settled, self.end + self._timeframe)
        after = known[:-1][np.diff(known) > self._timeframe]
        return int(after[0]) + self._timeframe if len(after) else None

    def mend(self, hole: int, page: CandleHistory) -> None:
        """Take a page that was to begin with ``hole``; an empty one is asked for again, but not for ever."""
        later = page.open_times[page.open_times > hole]
        self.add(page)
        if hole in self._times:
            return
        self._unanswered = 0 if len(later) else self._unanswered + 1
        if len(later) or self._unanswered == _ATTEMPTS:
            end = int(later.min()) if len(later) else hole + self._timeframe
            self._empty.update(range(hole, min(end, self.end + self._timeframe), self._timeframe))

    def history(self) -> CandleHistory:
        """Return everything from the oldest known candle on, with prices standing still over holes."""
        times = self._times
        if len(times):
            times = np.arange(times[0], self.end + 1, self._timeframe)
        newest = np.searchsorted(self._times, times, side="right") - 1
        candles = np.ascontiguousarray(self._candles[:, newest])
        stood_still = self._times[newest] != times
        candles[: Field.VOLUME, stood_still] = candles[Field.CLOSE, stood_still]
        candles[Field.VOLUME, stood_still] = 0.0
        return CandleHistory(
            symbol=self._symbol, timeframe_ms=self._timeframe, open_times=times, candles=candles
        )
