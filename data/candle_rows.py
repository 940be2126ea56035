"""From a Parquet file of candles to rows that are candles: every check a recording must pass."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from core.errors import DataFileError
from core.market import MINUTE_MS, Field, Floats

log = logging.getLogger(__name__)

VALUE_COLUMNS = tuple(each.name.lower() for each in Field)
COLUMNS = ("symbol", "open_time", *VALUE_COLUMNS)

_EARLIEST_MS, _LATEST_MS = 1_230_768_000_000, 4_102_444_800_000  # 2009 to 2100: outside, the unit is wrong
_SPARSEST = 50  # minutes an axis may have for each candle it holds, before it is taken for a mistake
_ALWAYS_FITS = 5_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CandleRows:
    """Candles one by one: ``codes`` index ``symbols``, ``values`` is float64 [5, n].

    ``numbers`` are the rows' places in the file, counted from 0.
    """

    name: str
    symbols: tuple[str, ...]
    codes: NDArray[np.int64]
    times: NDArray[np.int64]
    values: Floats
    numbers: NDArray[np.int64]

    def pick(self, chosen: Any) -> "CandleRows":
        return CandleRows(
            name=self.name,
            symbols=self.symbols,
            codes=self.codes[chosen],
            times=self.times[chosen],
            values=self.values[:, chosen],
            numbers=self.numbers[chosen],
        )

    def fault(self, index: int, what: str) -> DataFileError:
        symbol = self.symbols[self.codes[index]]
        return DataFileError(
            f"{self.name}, row {self.numbers[index]} ({symbol} at {self.times[index]}): {what}."
        )


def read_rows(path: Path) -> CandleRows:
    """Read a file's candles by symbol and time, each once.

    Raises ``DataFileError`` saying what is wrong, where, and what to do.
    """
    rows = _sorted(_columns(path))
    _refuse_impossible_times(rows)
    _refuse_impossible_prices(rows)
    return _without_duplicates(rows)


def _columns(path: Path) -> CandleRows:
    table = _open(path)
    if not table.num_rows:
        raise DataFileError(f"{path} holds no candles: choose a file with rows.")
    named = pc.dictionary_encode(table["symbol"].cast(pa.string())).combine_chunks()
    names = named.dictionary.to_pylist()
    symbols = tuple(sorted(names))
    place = np.array([symbols.index(name) for name in names], dtype=np.int64)
    return CandleRows(
        name=str(path),
        symbols=symbols,
        codes=place[named.indices.to_numpy()],
        times=table["open_time"].to_numpy(),
        values=np.stack([table[name].cast(pa.float64()).to_numpy() for name in VALUE_COLUMNS]),
        numbers=np.arange(table.num_rows, dtype=np.int64),
    )


def _open(path: Path) -> pa.Table:
    if not path.is_file():
        raise DataFileError(f"There is no candle file at {path}: check the path.")
    try:
        schema = pq.read_schema(path)
        _refuse_wrong_columns(path, schema)
        table = pq.read_table(path, columns=list(COLUMNS), partitioning=None)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataFileError(
            f"{path} can not be read as Parquet. A candle file has a row for each minute of a symbol, and"
            f" columns {', '.join(COLUMNS)}; download-data --out FILE.parquet makes one."
        ) from error
    for name in COLUMNS:
        if table[name].null_count:
            row = int(np.flatnonzero(table[name].is_null().to_numpy())[0])
            raise DataFileError(f"{path}, row {row}: {name} is empty: leave the whole row out instead.")
    return table


def _refuse_wrong_columns(path: Path, schema: pa.Schema) -> None:
    for name in COLUMNS:
        if name not in schema.names:
            raise DataFileError(f"{path} has no column {name}: a candle file has {', '.join(COLUMNS)}.")
        found, wanted = schema.field(name).type, _wanted(name)
        if not _fits(name, found):
            raise DataFileError(
                f"{path}: column {name} holds {found}, not {wanted}: export it again as {wanted}."
            )


def _wanted(name: str) -> str:
    return {"symbol": "text", "open_time": "int64 milliseconds"}.get(name, "float64")


def _fits(name: str, found: pa.DataType) -> bool:
    if name == "symbol":
        text = found.value_type if pa.types.is_dictionary(found) else found
        return bool(
            pa.types.is_string(text) or pa.types.is_large_string(text) or pa.types.is_string_view(text)
        )
    if name == "open_time":
        return bool(pa.types.is_int64(found))
    return bool(pa.types.is_floating(found) or pa.types.is_integer(found))


def _refuse_impossible_times(rows: CandleRows) -> None:
    if len(outside := np.flatnonzero((rows.times < _EARLIEST_MS) | (rows.times > _LATEST_MS))):
        raise rows.fault(outside[0], "open_time is not in milliseconds since 1970: convert it")
    if len(crooked := np.flatnonzero(rows.times % MINUTE_MS)):
        raise rows.fault(crooked[0], "open_time does not begin a minute: use 1m candles")


def _refuse_impossible_prices(rows: CandleRows) -> None:
    prices, volume = rows.values[: Field.VOLUME], rows.values[Field.VOLUME]
    for name, price in zip(VALUE_COLUMNS, prices, strict=False):
        if len(bad := np.flatnonzero(~(np.isfinite(price) & (price > 0)))):
            raise rows.fault(bad[0], f"{name} is {price[bad[0]]:g}, not a price: leave that row out")
    if len(bad := np.flatnonzero(~(np.isfinite(volume) & (volume >= 0)))):
        raise rows.fault(bad[0], f"volume is {volume[bad[0]]:g}: leave that row out")
    opened, high, low, close = prices
    if len(bad := np.flatnonzero((high < np.maximum(opened, close)) | (low > np.minimum(opened, close)))):
        raise rows.fault(bad[0], "open and close do not lie between low and high: leave that row out")


def _sorted(rows: CandleRows) -> CandleRows:
    """Bring rows into the order of symbol and time; the order in a file means nothing."""
    ahead = (rows.codes[1:] > rows.codes[:-1]) | (
        (rows.codes[1:] == rows.codes[:-1]) & (rows.times[1:] >= rows.times[:-1])
    )
    return rows if ahead.all() else rows.pick(np.lexsort((rows.times, rows.codes)))


def _without_duplicates(rows: CandleRows) -> CandleRows:
    again = np.flatnonzero((np.diff(rows.codes) == 0) & (np.diff(rows.times) == 0)) + 1
    if not len(again):
        return rows
    conflicts = again[(rows.values[:, again] != rows.values[:, again - 1]).any(axis=0)]
    if len(conflicts):
        raise rows.fault(conflicts[0], "two different candles of the same minute: keep the right one")
    log.warning("%s: %d candles occur twice, word for word; each counts once", rows.name, len(again))
    keep = np.ones(len(rows.times), dtype=np.bool_)
    keep[again] = False
    return rows.pick(keep)


def dense(rows: CandleRows) -> Floats:
    """Return the candles as float64 [T, 5, S] from the first to the last minute, NaN where there is none.

    Raises ``DataFileError`` when the rows are so far apart that the block would be all but empty.
    """
    start, end = int(rows.times.min()), int(rows.times.max())
    minutes = (end - start) // MINUTE_MS + 1
    if minutes * len(rows.symbols) > max(_SPARSEST * len(rows.times), _ALWAYS_FITS):
        raise DataFileError(
            f"{rows.name} spans {minutes:,} minutes of {len(rows.symbols)} symbols with only"
            f" {len(rows.times):,} candles: split it into files without such gaps."
        )
    candles = np.full((minutes, len(VALUE_COLUMNS), len(rows.symbols)), np.nan)
    candles[(rows.times - start) // MINUTE_MS, :, rows.codes] = rows.values.T
    return candles
