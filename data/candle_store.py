"""The latest closed candles of every symbol in ring arrays, for charts, snapshots and correlation."""

import numpy as np
from numpy.typing import NDArray

from core.market import MINUTE_MS, QUARTER_MS, CandleHistory, Field, Floats, MinuteClosed, Moves, SymbolAxis


class _Ring:
    """Bars float64 [slots, fields, S]: bar number n lives in slot n mod slots, NaN where it is missing."""

    def __init__(self, slots: int, fields: int, symbols: int) -> None:
        self._values = np.full((slots, fields, symbols), np.nan)
        self._numbers = np.full(slots, -1, dtype=np.int64)
        self._newest = -1

    @property
    def slots(self) -> int:
        return len(self._numbers)

    def arrange(self, moves: Moves) -> None:
        self._values = moves.of(self._values, np.nan)

    def write(self, number: int, values: Floats, symbol: int | None = None) -> None:
        """Write bar ``number`` of one symbol, or of all; one older than the ring reaches is passed over."""
        if number <= self._newest - len(self._numbers):
            return
        slot = number % len(self._numbers)
        if self._numbers[slot] != number:
            self._numbers[slot] = number
            self._values[slot] = np.nan
        if symbol is None:
            self._values[slot] = values
        else:
            self._values[slot, :, symbol] = values
        self._newest = max(self._newest, number)

    def write_many(self, numbers: NDArray[np.int64], values: Floats, symbol: int) -> None:
        """Write bars of one symbol, ``values`` [fields, n], as far back as the ring reaches."""
        reach = len(self._numbers)
        for number, column in zip(numbers[-reach:].tolist(), values[:, -reach:].T, strict=True):
            self.write(number, column, symbol)

    def last(self, symbol: int | None, bars: int) -> tuple[NDArray[np.int64], Floats]:
        """Return bar numbers [n] and values [fields, n] of the newest ``bars`` slots, oldest first."""
        wanted = np.arange(max(self._newest - min(bars, len(self._numbers)), -1) + 1, self._newest + 1)
        slots = wanted % len(self._numbers)
        values = np.full((self._values.shape[1], len(wanted)), np.nan)
        if symbol is not None:
            held = self._numbers[slots] == wanted
            values[:, held] = self._values[slots[held], :, symbol].T
        return wanted, values


class CandleStore:
    """Written by the trader alone: fetched histories, then each closed minute.

    Who is not followed, or no longer, has no candles.
    """

    def __init__(self, axis: SymbolAxis, *, minutes: int = 512, quarters: int = 128) -> None:
        self._axis = axis
        self._minutes = _Ring(minutes, len(Field), len(axis))
        self._quarters = _Ring(quarters, 1, len(axis))

    @property
    def reach(self) -> int:
        """How many minutes are kept."""
        return self._minutes.slots

    def arrange(self, axis: SymbolAxis) -> None:
        """Keep candles of the symbols of ``axis``: who stays keeps them, who is new has none yet."""
        moves = self._axis.moves_to(axis)
        self._axis = axis
        self._minutes.arrange(moves)
        self._quarters.arrange(moves)

    def load(self, history: CandleHistory) -> None:
        """Take in fetched candles of one known symbol."""
        symbol = self._index(history.symbol)
        numbers = history.open_times // history.timeframe_ms
        if history.timeframe_ms == QUARTER_MS:
            self._quarters.write_many(numbers, history.candles[Field.CLOSE][None], symbol)
        else:
            self._minutes.write_many(numbers, history.candles, symbol)

    def append(self, minute: MinuteClosed) -> None:
        """Take in one closed minute; the one that ends a quarter of an hour gives its 15m close."""
        self._minutes.write(minute.open_time // MINUTE_MS, minute.row)
        if minute.at % QUARTER_MS == 0:
            self._quarters.write(minute.open_time // QUARTER_MS, minute.row[Field.CLOSE][None])

    def snapshot_1m(self, symbol: str, bars: int) -> Floats:
        """Return the newest candles, float64 [5, n ≤ bars], oldest first, without the missing ones."""
        candles = self.recent_1m(symbol, bars)[1]
        return candles[:, ~np.isnan(candles[Field.CLOSE])]

    def recent_1m(self, symbol: str, bars: int) -> tuple[NDArray[np.int64], Floats]:
        """Return open times (ms) [n] and candles [5, n], NaN where missing."""
        numbers, candles = self._minutes.last(self._axis.index_of(symbol), bars)
        return numbers * MINUTE_MS, candles

    def closes_15m(self, symbol: str, bars: int) -> Floats:
        """Return the newest 15m closes [bars], oldest first, NaN where missing."""
        closes = self._quarters.last(self._axis.index_of(symbol), bars)[1][0]
        return np.concatenate([np.full(bars - len(closes), np.nan), closes])

    def _index(self, symbol: str) -> int:
        index = self._axis.index_of(symbol)
        if index is None:
            raise KeyError(f"{symbol} is not followed")
        return index
