"""The newest candles of every symbol, taken out of the archive for a start."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.market import CandleHistory, Field, Floats
from data.candle_batch import CandleBatch, CandleBlock


class Shelf:
    """Holds one block of time a timeframe, each symbol for itself: what was handed out can be dropped."""

    def __init__(self, blocks: Sequence[CandleBlock]) -> None:
        self._start = {block.timeframe_ms: block.start_ms for block in blocks}
        self._candles: dict[tuple[str, int], Floats] = {
            (symbol, block.timeframe_ms): block.candles[index].copy()
            for block in blocks
            for index, symbol in enumerate(block.symbols)
        }

    def history(self, symbol: str, timeframe_ms: int, *, start_ms: int, end_ms: int) -> CandleHistory:
        """Return what is here of the candles that opened in ``[start_ms, end_ms]``, holes left out."""
        times = np.arange(start_ms, end_ms + 1, timeframe_ms, dtype=np.int64)
        candles = self._at(symbol, timeframe_ms, times)
        there = ~np.isnan(candles[Field.CLOSE])
        return CandleHistory(
            symbol=symbol,
            timeframe_ms=timeframe_ms,
            open_times=times[there],
            candles=np.ascontiguousarray(candles[:, there]),
        )

    def news(self, history: CandleHistory) -> CandleBatch:
        """Return the candles of ``history`` that are not here, or not so."""
        known = self._at(history.symbol, history.timeframe_ms, history.open_times)
        return CandleBatch.of_history(history).pick((known != history.candles).any(axis=0))

    def forget(self, symbol: str) -> None:
        """Drop a symbol whose start is over."""
        for timeframe_ms in self._start:
            self._candles.pop((symbol, timeframe_ms), None)

    def __len__(self) -> int:
        """Count the candles."""
        return sum(int(np.count_nonzero(~np.isnan(each[Field.CLOSE]))) for each in self._candles.values())

    def _at(self, symbol: str, timeframe_ms: int, times: NDArray[np.int64]) -> Floats:
        candles = np.full((len(Field), len(times)), np.nan)
        held = self._candles.get((symbol, timeframe_ms))
        if held is not None:
            slots = (times - self._start[timeframe_ms]) // timeframe_ms
            inside = (slots >= 0) & (slots < held.shape[1])
            candles[:, inside] = held[:, slots[inside]]
        return candles
