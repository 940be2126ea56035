"""Closed 1m candles on their way to a decision, addressed by time, in whatever order they come."""

import numpy as np
from numpy.typing import NDArray

from core.market import MINUTE_MS, CandleHistory, Field, Floats, Moves, SymbolAxis
from services.candle_pages import is_sound, sound

_FIELDS = len(Field)
_NEVER = -1


class CandleBuffer:
    """The last ``minutes`` of every symbol; NaN where a candle is missing."""

    def __init__(self, axis: SymbolAxis, *, minutes: int = 600) -> None:
        self._axis = axis
        self._candles = np.full((minutes, _FIELDS, len(axis)), np.nan)
        self._times = np.full(minutes, _NEVER, dtype=np.int64)

    def arrange(self, axis: SymbolAxis, moves: Moves) -> None:
        """Stand on another axis; who is new has no candles yet."""
        self._axis = axis
        self._candles = moves.of(self._candles, np.nan)

    def put(self, index: int, open_time: int, candle: tuple[float, ...]) -> None:
        """Store one closed candle; one that can not be true, or older than we reach back, is passed over."""
        if not is_sound(candle):
            return
        slot = self._slot(open_time)
        held = self._times[slot]
        if held > open_time:
            return
        if held < open_time:
            self._times[slot] = open_time
            self._candles[slot] = np.nan
        self._candles[slot, :, index] = candle

    def put_history(self, index: int, history: CandleHistory) -> None:
        """Store what of ``history`` is sound and not older than we reach back."""
        kept = sound(history.candles) & (self._times[self._slots(history.open_times)] <= history.open_times)
        times = history.open_times[kept][-len(self._times) :]
        slots = self._slots(times)
        fresh = self._times[slots] < times
        self._times[slots[fresh]] = times[fresh]
        self._candles[slots[fresh]] = np.nan
        self._candles[slots, :, index] = history.candles[:, kept][:, -len(self._times) :].T

    def has(self, index: int, open_time: int) -> bool:
        slot = self._slot(open_time)
        return bool(self._times[slot] == open_time and not np.isnan(self._candles[slot, Field.CLOSE, index]))

    def drop(self, index: int, open_time: int) -> None:
        """Forget one candle."""
        if self.has(index, open_time):
            self._candles[self._slot(open_time), :, index] = np.nan

    def candle(self, index: int, open_time: int) -> Floats | None:
        """Return a copy of one candle [5], ``None`` where it is missing."""
        if not self.has(index, open_time):
            return None
        candle: Floats = self._candles[self._slot(open_time), :, index].copy()
        return candle

    def row(self, open_time: int) -> Floats:
        """Return a copy of one minute of all symbols, [5, S]."""
        slot = self._slot(open_time)
        if self._times[slot] != open_time:
            return np.full((_FIELDS, len(self._axis)), np.nan)
        row: Floats = self._candles[slot].copy()
        return row

    def first_missing(self, index: int, start_ms: int, end_ms: int) -> int | None:
        """Return the first minute in ``[start_ms, end_ms]`` this symbol lacks, ``None`` when whole."""
        times = np.arange(start_ms, end_ms + 1, MINUTE_MS)
        slots = self._slots(times)
        missing = (self._times[slots] != times) | np.isnan(self._candles[slots, Field.CLOSE, index])
        return int(times[missing.argmax()]) if missing.any() else None

    def history(self, index: int, start_ms: int, end_ms: int) -> CandleHistory:
        """Return the candles that opened in ``[start_ms, end_ms]``; the range must be whole."""
        times = np.arange(start_ms, end_ms + 1, MINUTE_MS)
        candles = self._candles[times // MINUTE_MS % len(self._times), :, index].T
        return CandleHistory(
            symbol=self._axis.names[index],
            timeframe_ms=MINUTE_MS,
            open_times=times,
            candles=np.ascontiguousarray(candles),
        )

    @property
    def reach_ms(self) -> int:
        """How far back from the newest minute candles are kept."""
        return len(self._times) * MINUTE_MS

    def _slots(self, open_times: NDArray[np.int64]) -> NDArray[np.int64]:
        return open_times // MINUTE_MS % len(self._times)

    def _slot(self, open_time: int) -> int:
        return open_time // MINUTE_MS % len(self._times)
