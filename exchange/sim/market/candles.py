"""Candles as integer arrays: six fields, symbols, time, each price a whole number of points.

A *point* is the last decimal of a symbol's price (``10 ** -price_decimals`` USDT), a *lot* the last decimal
of its quantity; quote volume counts 0.0001 USDT. Integers keep every price on its tick, and a bar of
fifteen minutes exactly the sum of its parts. A candle that does not exist has an open of 0.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
QUOTE_DECIMALS = 4
_SLACK = 480  # candles appended between two compactions
_NEVER = np.iinfo(np.int64).max


class Row(IntEnum):
    """First axis of every candle array."""

    OPEN = 0
    HIGH = 1
    LOW = 2
    CLOSE = 3
    VOLUME = 4
    QUOTE = 5


FIELDS = len(Row)


def merge(candles: Integers) -> Integers:
    """Aggregate candles ``[6, ..., n]`` along time to ``[6, ...]``, skipping those that do not exist."""
    opens = candles[Row.OPEN]
    present = opens > 0
    merged = np.empty(candles.shape[:-1], np.int64)
    first = present.argmax(-1)[..., None]
    last = (opens.shape[-1] - 1 - present[..., ::-1].argmax(-1))[..., None]
    merged[Row.OPEN] = np.take_along_axis(opens, first, -1)[..., 0]
    merged[Row.CLOSE] = np.take_along_axis(candles[Row.CLOSE], last, -1)[..., 0]
    merged[Row.HIGH] = candles[Row.HIGH].max(-1)
    merged[Row.LOW] = np.where(present, candles[Row.LOW], _NEVER).min(-1)
    merged[Row.VOLUME :] = candles[Row.VOLUME :].sum(-1)
    merged[:, ~present.any(-1)] = 0
    return merged


def regroup(candles: Integers, *, offset: int, factor: int) -> Integers:
    """Aggregate ``[6, n]`` into bars of ``factor`` candles; the first is number ``offset`` of its bar."""
    trailing = -(offset + candles.shape[-1]) % factor
    padded = np.pad(candles, ((0, 0), (offset, trailing)))
    return merge(padded.reshape(FIELDS, -1, factor))


@dataclass(frozen=True, slots=True)
class Bars:
    """Consecutive candles of one symbol: ``rows`` is ``[6, n]``, the first opened at ``first_ms``."""

    interval_ms: int
    first_ms: int
    rows: Integers

    @property
    def open_times(self) -> Integers:
        return self.first_ms + self.interval_ms * np.arange(self.rows.shape[-1], dtype=np.int64)

    def existing(self) -> tuple[Integers, Integers]:
        """Return open times ``[m]`` and rows ``[6, m]`` of the candles that exist."""
        present = self.rows[Row.OPEN] > 0
        return self.open_times[present], self.rows[:, present]


class CandleStore:
    """The most recent closed candles of every symbol on one interval, without a hole in time."""

    def __init__(self, *, symbols: int, interval_ms: int, keep: int, first_ms: int) -> None:
        self.interval_ms = interval_ms
        self._keep = keep
        self._candles = np.zeros((FIELDS, symbols, keep + _SLACK), np.int64)
        self._first_ms = first_ms
        self._size = 0

    @property
    def first_ms(self) -> int:
        return self._first_ms

    @property
    def end_ms(self) -> int:
        """Open time of the candle that comes next."""
        return self._first_ms + self._size * self.interval_ms

    def append(self, candles: Integers) -> None:
        """Add the next closed candle ``[6, S]`` of every symbol."""
        if self._size == self._candles.shape[-1]:
            self._forget()
        self._candles[:, :, self._size] = candles
        self._size += 1

    def since(self, start_ms: int) -> Integers:
        """Return ``[6, S, n]``, a view of the candles that opened at ``start_ms`` or later."""
        start = max(0, -(-(start_ms - self._first_ms) // self.interval_ms))
        return self._candles[:, :, min(start, self._size) : self._size]

    def of(self, index: int) -> Bars:
        """Return every stored candle of one symbol."""
        return Bars(self.interval_ms, self._first_ms, self._candles[:, index, : self._size])

    def _forget(self) -> None:
        self._candles[:, :, : self._keep] = self._candles[:, :, self._size - self._keep : self._size]
        self._first_ms += (self._size - self._keep) * self.interval_ms
        self._size = self._keep
