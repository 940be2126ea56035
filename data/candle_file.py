"""Recorded 1m candles from one Parquet file, checked before anything is decided on them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from core.errors import DataFileError
from core.market import (
    DAY_MS,
    MINUTE_MS,
    QUARTER_MS,
    Booleans,
    Field,
    Floats,
    MarketContext,
    MinuteClosed,
    SymbolAxis,
)
from data.candle_archive import CandleArchive
from data.candle_batch import CandleBlock
from data.candle_rows import VALUE_COLUMNS, dense, read_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class CandleArrays:
    """A whole file: ``open_times`` int64 [T] without gaps; the rest float64 [S, T], NaN where missing."""

    symbols: tuple[str, ...]
    open_times: NDArray[np.int64]
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats


class CandleFile:
    """``core.ports.CandleSource`` over a dense, read-only block of candles.

    ``candles`` is float64 [T, 5, S]: minute, ``core.market.Field``, symbol in alphabetical order.
    """

    def __init__(
        self, *, symbols: tuple[str, ...], start_ms: int, candles: Floats, name: str = "candles"
    ) -> None:
        self._axis = SymbolAxis(symbols)
        self._name = name
        self.start_ms = start_ms
        self.candles = candles
        self.candles.flags.writeable = False

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read and check a file, or all of an archive's folder.

        Raises ``DataFileError`` saying what is wrong, where, and what to do.
        """
        if path.is_dir():
            return cls._of_archive(path)
        rows = read_rows(path)
        return cls(symbols=rows.symbols, start_ms=int(rows.times.min()), candles=dense(rows), name=rows.name)

    @classmethod
    def _of_archive(cls, folder: Path) -> Self:
        archive = CandleArchive(folder)
        days = archive.days()
        if not days:
            raise DataFileError(f"{folder} holds no candles: fill it with download-data.")
        rows = archive.block(MINUTE_MS, days[0], days[-1] + DAY_MS).batch()
        order = sorted(range(len(rows.symbols)), key=rows.symbols.__getitem__)
        start, end = int(rows.times.min()), int(rows.times.max()) + MINUTE_MS
        candles = np.ascontiguousarray(CandleBlock.of(rows, start, end).candles[order].transpose(2, 1, 0))
        return cls(symbols=tuple(sorted(rows.symbols)), start_ms=start, candles=candles, name=str(folder))

    @property
    def symbols(self) -> tuple[str, ...]:
        return self._axis.names

    @property
    def end_ms(self) -> int:
        """When the last minute closes: one past the last open time."""
        return self.start_ms + len(self.candles) * MINUTE_MS

    @property
    def count(self) -> int:
        """How many candles there are."""
        return int(np.count_nonzero(self._present()))

    def minutes(self, start_ms: int, end_ms: int) -> Iterator[MinuteClosed]:
        """Yield every minute that opened in ``[start_ms, end_ms)`` and lies in the file, gaps included.

        Nothing but candles is known of the past: the context is unknown, and every minute was seen
        when it closed.
        """
        context = MarketContext.unknown(len(self.symbols))
        first = max(-((self.start_ms - start_ms) // MINUTE_MS), 0)
        last = min(-((self.start_ms - end_ms) // MINUTE_MS), len(self.candles))
        for index in range(first, last):
            row = self.candles[index]
            open_time = self.start_ms + index * MINUTE_MS
            yield MinuteClosed(
                open_time=open_time,
                axis=self._axis,
                row=row,
                present=~np.isnan(row[Field.CLOSE]),
                context=context,
                seen_at=open_time + MINUTE_MS,
            )

    def check_span(self, start_ms: int, end_ms: int) -> None:
        """Raise ``DataFileError`` where there is nothing to play in ``[start_ms, end_ms)``."""
        if start_ms >= self.end_ms or end_ms <= self.start_ms:
            raise self.nothing_at(start_ms)
        if end_ms <= start_ms:
            raise DataFileError(
                f"{self._name} is played from {_utc(start_ms)}, when most symbols have history enough, and"
                f" --to is {_utc(end_ms)}: choose a later one, or say from where with --from."
            )

    def nothing_at(self, at_ms: int) -> DataFileError:
        return DataFileError(
            f"{self._name} has no candles to play at {_utc(at_ms)}: it holds those from {_utc(self.start_ms)}"
            f" to {_utc(self.end_ms)}, choose a --from inside them."
        )

    def arrays(self) -> CandleArrays:
        """Return the candles symbol by symbol, as views: nothing is copied."""
        by_field = {name: self.candles[:, Field[name.upper()]].T for name in VALUE_COLUMNS}
        times = np.arange(self.start_ms, self.end_ms, MINUTE_MS, dtype=np.int64)
        return CandleArrays(symbols=self.symbols, open_times=times, **by_field)

    def only(self, symbols: Sequence[str]) -> "CandleFile":
        """Return the same minutes of some symbols. Raises ``DataFileError`` for one that is not here."""
        if unknown := sorted(set(symbols) - set(self.symbols)):
            raise DataFileError(f"{self._name} has no {unknown[0]}: it holds {', '.join(self.symbols)}.")
        chosen = tuple(sorted(set(symbols)))
        indices = [self.symbols.index(symbol) for symbol in chosen]
        candles = np.ascontiguousarray(self.candles[:, :, indices])
        return CandleFile(symbols=chosen, start_ms=self.start_ms, candles=candles, name=self._name)

    def first_minute_with_history(self, bars_15m: int = 1400) -> int:
        """Return the first minute (ms) at which most symbols have that many closed 15m bars behind them.

        A 15m bar counts when it began inside the symbol's history and at least one of its minutes is
        there. Raises ``DataFileError`` when the file is too short.
        """
        starts, bars = self._quarters()
        closed = np.cumsum(bars, axis=0)
        most = len(self.symbols) // 2 + 1
        enough = np.flatnonzero(np.count_nonzero(closed >= bars_15m, axis=1) >= most)
        if not len(enough) or int(starts[enough[0]]) + QUARTER_MS >= self.end_ms:
            longest = int(np.sort(closed[-1])[-most]) if len(closed) else 0
            raise DataFileError(
                f"{self._name} holds {longest} 15m bars for most symbols and {bars_15m} are needed before the"
                " first decision: use a longer file, or say from where with --from."
            )
        return int(starts[enough[0]]) + QUARTER_MS

    def _quarters(self) -> tuple[NDArray[np.int64], Booleans]:
        """Return the starts [Q] of all whole 15m bars, and which symbols [Q, S] have them."""
        skipped = -self.start_ms % QUARTER_MS // MINUTE_MS
        whole = max(len(self.candles) - skipped, 0) // 15
        present = self._present()
        bars = present[skipped : skipped + whole * 15].reshape(whole, 15, -1).any(axis=1)
        begun = np.argmax(present, axis=0) * MINUTE_MS + self.start_ms
        first = self.start_ms + skipped * MINUTE_MS
        starts = np.arange(first, first + whole * QUARTER_MS, QUARTER_MS, dtype=np.int64)
        return starts, bars & (starts[:, None] >= begun)

    def _present(self) -> Booleans:
        present: Booleans = ~np.isnan(self.candles[:, Field.CLOSE])
        return present


def _utc(at_ms: int) -> str:
    """Write a time so that ``--from`` can read it."""
    try:
        return f"{datetime.fromtimestamp(at_ms // 1000, UTC):%Y-%m-%dT%H:%M} UTC"
    except (ValueError, OverflowError, OSError):  # no year that a calendar has
        return f"{at_ms} ms"
