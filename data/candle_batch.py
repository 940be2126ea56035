"""Closed candles to and from the archive: stored as batches of rows, read as blocks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from core.market import MINUTE_MS, QUARTER_MS, CandleHistory, Field, Floats, MinuteClosed
from data.candle_rows import COLUMNS, VALUE_COLUMNS

_MINUTES_A_QUARTER = QUARTER_MS // MINUTE_MS
_VOLUME_DECIMALS = 4  # one more than any contract has; more would not fit the digits of the largest volumes


@dataclass(frozen=True, slots=True, kw_only=True)
class CandleBatch:
    """Candles of one timeframe, in any order: ``codes`` index ``symbols``; ``values`` is float64 [5, n]."""

    timeframe_ms: int
    symbols: tuple[str, ...]
    codes: NDArray[np.int32]
    times: NDArray[np.int64]
    values: Floats

    @classmethod
    def of_minute(cls, minute: MinuteClosed) -> Self:
        """Take the candles of a minute that are there."""
        codes = np.flatnonzero(minute.present).astype(np.int32)
        return cls(
            timeframe_ms=MINUTE_MS,
            symbols=minute.symbols,
            codes=codes,
            times=np.full(len(codes), minute.open_time, dtype=np.int64),
            values=minute.row[:, codes],
        )

    @classmethod
    def of_history(cls, history: CandleHistory) -> Self:
        return cls(
            timeframe_ms=history.timeframe_ms,
            symbols=(history.symbol,),
            codes=np.zeros(len(history.open_times), dtype=np.int32),
            times=history.open_times,
            values=history.candles,
        )

    @classmethod
    def none_of(cls, timeframe_ms: int, symbols: tuple[str, ...] = ()) -> Self:
        """Return no candles, of symbols that may get some."""
        codes, times, values = np.empty(0, np.int32), np.empty(0, np.int64), np.empty((len(Field), 0))
        return cls(timeframe_ms=timeframe_ms, symbols=symbols, codes=codes, times=times, values=values)

    @classmethod
    def of_table(cls, timeframe_ms: int, table: pa.Table) -> Self:
        """Read what ``table`` wrote."""
        if not table.num_rows:
            return cls.none_of(timeframe_ms)
        named = table["symbol"].unify_dictionaries().combine_chunks()
        column = named if isinstance(named, pa.DictionaryArray) else named.dictionary_encode()
        return cls(
            timeframe_ms=timeframe_ms,
            symbols=tuple(column.dictionary.to_pylist()),
            codes=column.indices.to_numpy(zero_copy_only=False).astype(np.int32, copy=False),
            times=table["open_time"].to_numpy(),
            values=np.stack([table[name].to_numpy() for name in VALUE_COLUMNS]),
        )

    @classmethod
    def joined(cls, timeframe_ms: int, batches: Sequence["CandleBatch"]) -> Self:
        """Put batches of one timeframe, at least one, one after another."""
        symbols = tuple(dict.fromkeys(symbol for batch in batches for symbol in batch.symbols))
        place = {symbol: code for code, symbol in enumerate(symbols)}
        return cls(
            timeframe_ms=timeframe_ms,
            symbols=symbols,
            codes=np.concatenate([_recoded(batch, place) for batch in batches]),
            times=np.concatenate([batch.times for batch in batches]),
            values=np.concatenate([batch.values for batch in batches], axis=1),
        )

    def __len__(self) -> int:
        return len(self.times)

    def pick(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> "CandleBatch":
        return replace(
            self, codes=self.codes[chosen], times=self.times[chosen], values=self.values[:, chosen]
        )

    def by_day(self, day_ms: int) -> Iterator[tuple[int, "CandleBatch"]]:
        """Yield each day's start (ms) and its candles."""
        days = self.times // day_ms
        for day in np.unique(days).tolist():
            yield day * day_ms, self.pick(days == day)

    def table(self) -> pa.Table:
        """Return the rows in the order in which they are looked for.

        Of 1m candles a start needs the last hours, so they are sorted by time, then symbol; 15m ones are read
        a symbol at a time, whole days of them.
        """
        keys = (self.codes, self.times) if self.timeframe_ms == MINUTE_MS else (self.times, self.codes)
        order = np.lexsort(keys)
        names = pa.DictionaryArray.from_arrays(
            pa.array(self.codes[order]), pa.array(self.symbols, pa.string())
        )
        values = [pa.array(column[order]) for column in self.values]
        return pa.table([names, pa.array(self.times[order]), *values], names=list(COLUMNS))


def _recoded(batch: CandleBatch, place: dict[str, int]) -> NDArray[np.int32]:
    codes: NDArray[np.int32] = np.array([place[symbol] for symbol in batch.symbols], np.int32)[batch.codes]
    return codes


@dataclass(frozen=True, slots=True, kw_only=True)
class CandleBlock:
    """Candles of many symbols on one axis of time: float64 [S, 5, T] from ``start_ms``, NaN where missing."""

    timeframe_ms: int
    start_ms: int
    symbols: tuple[str, ...]
    candles: Floats

    @classmethod
    def of(cls, batch: CandleBatch, start_ms: int, end_ms: int) -> Self:
        """Lay out what opened in ``[start_ms, end_ms)``; of two candles of one time the later row counts."""
        bars = (end_ms - start_ms) // batch.timeframe_ms
        slots = (batch.times - start_ms) // batch.timeframe_ms
        inside = (slots >= 0) & (slots < bars)
        places = (batch.codes * np.int64(bars) + slots)[inside]
        candles = np.full((len(Field), len(batch.symbols) * bars), np.nan)
        for field, values in zip(candles, batch.values, strict=True):
            field[places] = values[inside]
        return cls(
            timeframe_ms=batch.timeframe_ms,
            start_ms=start_ms,
            symbols=batch.symbols,
            candles=candles.reshape(len(Field), -1, bars).transpose(1, 0, 2),
        )

    def first(self, count: int) -> "CandleBlock":
        """Return the first symbols alone."""
        return replace(self, symbols=self.symbols[:count], candles=self.candles[:count])

    def filled_from(self, other: "CandleBlock") -> "CandleBlock":
        """Return a block in which candles of ``other`` stand where ours are missing."""
        symbols = tuple(dict.fromkeys((*self.symbols, *other.symbols)))
        place = {symbol: index for index, symbol in enumerate(symbols)}
        bars = self.candles.shape[2]
        candles = np.full((len(symbols), len(Field), bars), np.nan)
        candles[: len(self.symbols)] = self.candles
        offset = (other.start_ms - self.start_ms) // self.timeframe_ms
        first, last = max(offset, 0), min(offset + other.candles.shape[2], bars)
        for index, symbol in enumerate(other.symbols):
            ours = candles[place[symbol], :, first:last]
            missing = np.isnan(ours[Field.CLOSE])
            ours[:, missing] = other.candles[index, :, first - offset : last - offset][:, missing]
        return replace(self, symbols=symbols, candles=candles)

    def batch(self) -> CandleBatch:
        """Return the candles that are there as rows."""
        codes, slots = np.nonzero(~np.isnan(self.candles[:, Field.CLOSE]))
        return CandleBatch(
            timeframe_ms=self.timeframe_ms,
            symbols=self.symbols,
            codes=codes.astype(np.int32),
            times=self.start_ms + slots * self.timeframe_ms,
            values=np.ascontiguousarray(self.candles[codes, :, slots].T),
        )

    def quarters(self) -> "CandleBlock":
        """Put 1m candles together to 15m ones, as the exchange does; missing where any minute is.

        ``start_ms`` must begin a quarter of an hour. Volumes are sums of decimals, so what binary fractions
        add in the last digits is rounded away, and the result equals the exchange's own candle.
        """
        whole = self.candles.shape[2] // _MINUTES_A_QUARTER
        minutes = self.candles[:, :, : whole * _MINUTES_A_QUARTER]
        minutes = minutes.reshape(len(self.symbols), len(Field), whole, _MINUTES_A_QUARTER)
        bars = np.empty((len(self.symbols), len(Field), whole))
        bars[:, Field.OPEN] = minutes[:, Field.OPEN, :, 0]
        bars[:, Field.HIGH] = minutes[:, Field.HIGH].max(axis=2)
        bars[:, Field.LOW] = minutes[:, Field.LOW].min(axis=2)
        bars[:, Field.CLOSE] = minutes[:, Field.CLOSE, :, -1]
        bars[:, Field.VOLUME] = _as_decimals(minutes[:, Field.VOLUME].sum(axis=2))
        incomplete = np.isnan(minutes[:, Field.CLOSE]).any(axis=2)
        bars.transpose(0, 2, 1)[incomplete] = np.nan
        return CandleBlock(
            timeframe_ms=QUARTER_MS, start_ms=self.start_ms, symbols=self.symbols, candles=bars
        )


def _as_decimals(sums: Floats) -> Floats:
    whole = sums == np.rint(sums)
    decimals: Floats = np.where(whole, sums, np.round(sums, _VOLUME_DECIMALS))
    return decimals
