"""The trade log: one Parquet row a closed position, derived from the journal and rebuilt from it at will."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from hashlib import blake2b
from itertools import groupby
from pathlib import Path

import pyarrow as pa

from core.errors import DataFileError
from core.ports import Journal
from core.trades import TradeRecord
from data.parquet_parts import remove_unfinished, sync_folder
from data.trade_columns import COLUMNS, columns_for, table_of
from data.trade_parts import finish_replacing, parts_in, read_part, write_part

_ALL_COLUMNS = "0-columns.parquet"  # no rows; the first name, from which Arrow's readers learn the columns
_BATCH = 1000


class TradeLog:
    """``core.ports.TradeSink`` in a folder that any Arrow reader opens, one sub-folder a closing day (UTC).

    A part is named after its rows: writing the same records twice leaves one copy. Every method raises
    ``DataFileError`` where the folder can not be used; nothing is lost then, the journal has it all.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with self._translated():
            _undo_unfinished_rebuild(folder)
            folder.mkdir(parents=True, exist_ok=True)
            remove_unfinished(folder)
            finish_replacing(folder)
            self._columns = _known_columns(folder)
            self._learn(COLUMNS)

    @property
    def folder(self) -> Path:
        return self._folder

    def write(self, records: Sequence[TradeRecord]) -> None:
        """Add one row a record; a few milliseconds for each closing day among them."""
        with self._translated():
            self._learn(columns_for(records))
            for day, closed in groupby(sorted(records, key=_closed_on), key=_closed_on):
                self._write_day(day, list(closed))

    def catch_up(self, journal: Journal) -> int:
        """Add the journal's trades that are missing here, as after a crash, and return how many."""
        known = set(read_trades(self._folder, columns=["trade_id"])["trade_id"].to_pylist())
        missing = (trade for trade in journal.closed_trades() if trade.position.position_id not in known)
        return self._write_all(missing)

    def rebuild(self, journal: Journal) -> int:
        """Make the whole log anew from the journal, beside the old one until it is complete.

        Returns the number of rows.
        """
        fresh, old = _fresh(self._folder), _old(self._folder)
        with self._translated():
            shutil.rmtree(fresh, ignore_errors=True)
        log = TradeLog(fresh)
        rows = log._write_all(journal.closed_trades())
        with self._translated():
            self._folder.rename(old)
            fresh.rename(self._folder)
            sync_folder(self._folder.parent)
            shutil.rmtree(old)
        self._columns = log._columns
        return rows

    def compact(self) -> None:
        """Merge each day's parts into one: thousands of small files are slow to open."""
        with self._translated():
            for folder in sorted(self._folder.glob("closed_date=*")):
                self._merge(folder)

    def _write_all(self, trades: Iterator[TradeRecord]) -> int:
        rows = 0
        batch: list[TradeRecord] = []
        for trade in trades:
            batch.append(trade)
            rows += 1
            if len(batch) == _BATCH:
                self.write(batch)
                batch.clear()
        self.write(batch)
        return rows

    def _write_day(self, day: date, records: Sequence[TradeRecord]) -> None:
        ids = "\n".join(record.position.position_id for record in records)
        path = self._folder / f"closed_date={day}" / f"part-{_digest(ids)}.parquet"
        write_part(path, table_of(records, self._columns))

    def _merge(self, folder: Path) -> None:
        parts = parts_in(folder)
        if len(parts) < 2:
            return
        tables = {path.name: table for path in parts if (table := read_part(path)) is not None}
        rows = _each_once(pa.concat_tables(tables.values(), promote_options="default"))
        write_part(folder / f"merged-{_digest(' '.join(tables))}.parquet", rows, replaces=list(tables))
        finish_replacing(folder)

    def _learn(self, columns: pa.Schema) -> None:
        """Let every reader know of new columns before the first row that has them."""
        known = pa.unify_schemas([self._columns, columns])
        path = self._folder / _ALL_COLUMNS
        if known.equals(self._columns) and path.exists():
            return
        write_part(path, known.empty_table())
        self._columns = known

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (OSError, pa.ArrowException) as error:
            raise DataFileError(
                f"The trade log {self._folder} can not be written ({error}): put that right, then rebuild it."
            ) from error


def read_trades(folder: Path, *, columns: Sequence[str] | None = None) -> pa.Table:
    """Return every closed position once, in the order of closing, with all columns any part has.

    Damaged parts are set aside with a warning. Raises ``DataFileError`` when there is no trade log.
    """
    if not _is_log(folder):
        raise DataFileError(
            f"There is no trade log at {folder}: check the path, or let the trader run first."
        )
    wanted = None if columns is None else list(dict.fromkeys([*columns, "trade_id", "closed_at"]))
    tables = [table for path in parts_in(folder) if (table := read_part(path, columns=wanted)) is not None]
    if not tables:
        tables = [COLUMNS.empty_table() if wanted is None else COLUMNS.empty_table().select(wanted)]
    rows = _each_once(pa.concat_tables(tables, promote_options="default"))
    ordered = rows.sort_by([("closed_at", "ascending"), ("trade_id", "ascending")])
    return (
        ordered
        if columns is None
        else ordered.select([name for name in columns if name in ordered.column_names])
    )


def _each_once(rows: pa.Table) -> pa.Table:
    """Drop rows that a crash or a repeated write left twice, keeping the first."""
    first: dict[str, int] = {}
    for index, name in enumerate(rows["trade_id"].to_pylist()):
        first.setdefault(name, index)
    return rows if len(first) == rows.num_rows else rows.take(pa.array(first.values()))


def _known_columns(folder: Path) -> pa.Schema:
    """Return every column the log has; the rows know them too, should their list be lost."""
    path = folder / _ALL_COLUMNS
    listed = read_part(path) if path.exists() else None
    if listed is not None:
        return listed.schema
    return read_trades(folder).schema if _is_log(folder) else COLUMNS


def _is_log(folder: Path) -> bool:
    """Whether this is a trade log: in any other folder nothing may be set aside."""
    return (folder / _ALL_COLUMNS).exists() or any(folder.glob("closed_date=*/"))


def _undo_unfinished_rebuild(folder: Path) -> None:
    old = _old(folder)
    if old.exists() and not folder.exists():
        old.rename(folder)
    for leftover in (old, _fresh(folder)):
        shutil.rmtree(leftover, ignore_errors=True)


def _fresh(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.new")


def _old(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.old")


def _closed_on(record: TradeRecord) -> date:
    """Return the UTC day it closed on; the planned one for a record that was never told when."""
    position = record.position
    at = position.plan.planned_at if position.closed_at is None else position.closed_at
    return datetime.fromtimestamp(at / 1000, UTC).date()


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=8).hexdigest()
