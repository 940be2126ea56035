"""Closed candles on disk: cheap to append to, checked when read, and never needed to be whole.

``FOLDER/1m/2026-05-20/part-000042.parquet``: a folder a UTC day, in it small parts in the order of writing
and, once the day is over, one that holds all (``day-…``). Of two candles of one minute the later part's
counts, so a crash between writing a merged part and removing what it merged does no harm. Whatever is
missing or damaged is fetched from the exchange again.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from core.market import DAY_MS, MINUTE_MS, QUARTER_MS
from data.candle_batch import CandleBatch, CandleBlock
from data.candle_shelf import Shelf
from data.parquet_parts import (
    DAMAGE,
    is_part,
    opened_part,
    remove_unfinished,
    set_aside,
    sync_folder,
    unfinished_name,
    write_part,
)

WINDOW: Mapping[int, int] = {QUARTER_MS: 1500, MINUTE_MS: 499}
"""How many of the newest candles of each timeframe a start needs."""

MINUTES_A_PART = 15
"""How many minutes are heard before they are written down."""

_FOLDERS = {MINUTE_MS: "1m", QUARTER_MS: "15m"}
_ROWS_A_GROUP = 65_536  # about 100 minutes of the whole market: what one read skips or takes
_REMEDY = "its candles will be fetched again"
_NOTHING = CandleBatch.none_of(MINUTE_MS).table()


class CandleArchive:
    """One folder of closed candles with one writer. Blocking: call it from a thread.

    Methods that write raise ``OSError`` when the disk will not take more.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def append(self, batches: Sequence[CandleBatch]) -> int:
        """Write candles down, a part for each day and timeframe; returns how many."""
        written = 0
        for timeframe_ms in sorted({batch.timeframe_ms for batch in batches}):
            alike = [batch for batch in batches if batch.timeframe_ms == timeframe_ms]
            for day_ms, candles in CandleBatch.joined(timeframe_ms, alike).by_day(DAY_MS):
                _write(_next_part(self._day(timeframe_ms, day_ms), "part"), candles)
                written += len(candles)
        _give_back_memory()
        return written

    def newest(self, before_ms: int, *, bars: Mapping[int, int] = WINDOW) -> Shelf:
        """Take out the newest candles that closed by ``before_ms``; of unmerged days 15m ones are built."""
        minutes_end = before_ms // MINUTE_MS * MINUTE_MS
        quarters_end = before_ms // QUARTER_MS * QUARTER_MS
        quarters = self.quarters(quarters_end - bars[QUARTER_MS] * QUARTER_MS, quarters_end)
        minutes = self.block(MINUTE_MS, minutes_end - bars[MINUTE_MS] * MINUTE_MS, minutes_end)
        return Shelf([quarters, minutes])

    def quarters(self, start_ms: int, end_ms: int, *, symbols: Sequence[str] | None = None) -> CandleBlock:
        """Read 15m candles as ``block`` does, those of unmerged days built; both ends begin a quarter."""
        quarters = self.block(QUARTER_MS, start_ms, end_ms, symbols=symbols)
        for day in self._in_pieces(MINUTE_MS):
            first, last = max(day, start_ms), min(day + DAY_MS, end_ms)
            if first < last:
                minutes = self.block(MINUTE_MS, first, last, symbols=symbols)
                quarters = quarters.filled_from(minutes.quarters())
        return quarters

    def block(
        self, timeframe_ms: int, start_ms: int, end_ms: int, *, symbols: Sequence[str] | None = None
    ) -> CandleBlock:
        """Read all candles that opened in ``[start_ms, end_ms)``, damaged parts set aside."""
        tables = [_NOTHING, *self._tables(timeframe_ms, start_ms, end_ms)]
        rows = CandleBatch.of_table(timeframe_ms, pa.concat_tables(tables))
        if symbols is None:
            return CandleBlock.of(rows, start_ms, end_ms)
        wanted = CandleBatch.none_of(timeframe_ms, tuple(symbols))
        return CandleBlock.of(CandleBatch.joined(timeframe_ms, [wanted, rows]), start_ms, end_ms).first(
            len(symbols)
        )

    def count(self, start_ms: int, end_ms: int, *, symbols: Sequence[str]) -> int:
        """Count the 1m candles that opened in ``[start_ms, end_ms)``."""
        days = range(start_ms // DAY_MS * DAY_MS, end_ms, DAY_MS)
        spans = ((max(day, start_ms), min(day + DAY_MS, end_ms)) for day in days)
        return sum(len(self.block(MINUTE_MS, *span, symbols=symbols).batch()) for span in spans)

    def oldest(self, start_ms: int, end_ms: int, *, symbols: Sequence[str]) -> int | None:
        """Return when the first 1m candle opened in ``[start_ms, end_ms)``, ``None`` where there is none."""
        for day_ms in range(start_ms // DAY_MS * DAY_MS, end_ms, DAY_MS):
            first, last = max(day_ms, start_ms), min(day_ms + DAY_MS, end_ms)
            times = self.block(MINUTE_MS, first, last, symbols=symbols).batch().times
            if len(times):
                return int(times.min())
        return None

    def days(self, timeframe_ms: int = MINUTE_MS) -> list[int]:
        """Return the starts (ms) of the days of which there are candles, in order."""
        folders = (self.folder / _FOLDERS[timeframe_ms]).glob("????-??-??")
        return sorted(_day_ms(folder.name) for folder in folders if _parts(folder))

    def merge(self, before_ms: int) -> int:
        """Make one part of each day that ended by ``before_ms``, its 15m candles built; returns the days.

        Removes what a crash left half-written, too.
        """
        remove_unfinished(self.folder)
        pieces = {*self._in_pieces(MINUTE_MS), *self._in_pieces(QUARTER_MS)}
        days = [day_ms for day_ms in sorted(pieces) if day_ms + DAY_MS <= before_ms]
        for day_ms in days:
            minutes = self.block(MINUTE_MS, day_ms, day_ms + DAY_MS)
            fetched = self.block(QUARTER_MS, day_ms, day_ms + DAY_MS)
            self._replace(day_ms, fetched.filled_from(minutes.quarters()))
            self._replace(day_ms, minutes)  # last: while its minutes are in pieces a day is merged again
            _give_back_memory()
        return len(days)

    def export(self, path: Path, start_ms: int, end_ms: int, *, symbols: Sequence[str] | None = None) -> int:
        """Write the 1m candles of ``[start_ms, end_ms)`` as one candle file; returns how many.

        A file of that name is replaced, but only by a whole one.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished, written = unfinished_name(path), 0
        with unfinished.open("wb") as file:
            with pq.ParquetWriter(
                file, _NOTHING.schema, compression="zstd", write_page_checksum=True
            ) as writer:
                for day_ms in range(start_ms // DAY_MS * DAY_MS, end_ms, DAY_MS):
                    first, last = max(day_ms, start_ms), min(day_ms + DAY_MS, end_ms)
                    candles = self.block(MINUTE_MS, first, last, symbols=symbols).batch()
                    writer.write_table(candles.table())
                    written += len(candles)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
        sync_folder(path.parent)
        return written

    # --- inside -------------------------------------------------------------------------------------

    def _day(self, timeframe_ms: int, day_ms: int) -> Path:
        day = datetime.fromtimestamp(day_ms / 1000, UTC).strftime("%Y-%m-%d")
        return self.folder / _FOLDERS[timeframe_ms] / day

    def _tables(self, timeframe_ms: int, start_ms: int, end_ms: int) -> Iterator[pa.Table]:
        for day_ms in range(start_ms // DAY_MS * DAY_MS, end_ms, DAY_MS):
            for path in _parts(self._day(timeframe_ms, day_ms)):
                table = _read(path, start_ms, end_ms)
                if table is not None:
                    yield table

    def _in_pieces(self, timeframe_ms: int) -> Iterator[int]:
        """Yield each day that has not been merged since it was last written to."""
        for day_ms in self.days(timeframe_ms):
            parts = _parts(self._day(timeframe_ms, day_ms))
            if len(parts) > 1 or not parts[0].name.startswith("day-"):
                yield day_ms

    def _replace(self, day_ms: int, block: CandleBlock) -> None:
        folder = self._day(block.timeframe_ms, day_ms)
        merged, candles = _parts(folder), block.batch()
        if len(candles):
            _write(_next_part(folder, "day"), candles)
        for path in merged:
            path.unlink()


def _day_ms(name: str) -> int:
    return int(datetime.strptime(f"{name}+0000", "%Y-%m-%d%z").timestamp() * 1000)


def _parts(folder: Path) -> list[Path]:
    """Return a day's parts in the order in which they were written."""
    return sorted((path for path in folder.glob("*.parquet") if is_part(path)), key=_sequence)


def _sequence(path: Path) -> int:
    return int(path.stem.rpartition("-")[2])


def _next_part(folder: Path, kind: str) -> Path:
    """Name the next part; damaged ones keep their numbers, as a name is never used twice."""
    taken = [_sequence(path) for path in folder.glob("*.parquet")]
    return folder / f"{kind}-{max(taken, default=0) + 1:06d}.parquet"


def _write(path: Path, candles: CandleBatch) -> None:
    write_part(
        path,
        candles.table(),
        row_group_size=_ROWS_A_GROUP,
        use_dictionary=["symbol"],
        column_encoding={"open_time": "DELTA_BINARY_PACKED"},
    )


def _read(path: Path, start_ms: int, end_ms: int) -> pa.Table | None:
    """Read the row groups that may hold candles of ``[start_ms, end_ms)``; ``None`` for a damaged part."""
    try:
        with opened_part(path, read_dictionary=["symbol"]) as file:
            if file.schema_arrow != _NOTHING.schema:
                raise pa.ArrowInvalid("its columns are not those of candles")
            return file.read_row_groups(list(_groups(file.metadata, start_ms, end_ms)))
    except FileNotFoundError:
        return None  # merged a moment ago
    except PermissionError:
        raise
    except DAMAGE as error:
        set_aside(path, error, remedy=_REMEDY)
        return None


def _give_back_memory() -> None:
    """Arrow keeps what it once used for the next time, which is a quarter of an hour or a day from now."""
    pa.default_memory_pool().release_unused()


def _groups(metadata: pq.FileMetaData, start_ms: int, end_ms: int) -> Iterator[int]:
    for number in range(metadata.num_row_groups):
        times = metadata.row_group(number).column(1).statistics
        if times is None or not times.has_min_max or (times.min < end_ms and times.max >= start_ms):
            yield number
