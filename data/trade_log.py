"""The trade log: one Parquet row a closed position, derived from the journal and rebuilt from it at will."""

import logging
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import blake2b
from itertools import groupby, islice
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from core.errors import DataFileError
from core.trades import TradeRecord
from data.journal_events import Naming
from data.journal_reader import JournalReader
from data.parquet_parts import remove_unfinished, sync_folder
from data.trade_columns import COLUMNS, columns_for, money, table_of
from data.trade_parts import finish_replacing, parts_in, parts_set_aside, read_part, write_part

log = logging.getLogger(__name__)

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
        """Add one row a record, or replace the row it amends; a few milliseconds for each closing day."""
        newest = {each.position.position_id: each for each in records}.values()
        with self._translated():
            self._learn(columns_for(records))
            for day, closed in groupby(sorted(newest, key=_closed_on), key=_closed_on):
                self._write_day(day, list(closed))

    def missing(self, records: Iterable[TradeRecord]) -> list[TradeRecord]:
        """Return those of the records that have no row yet, or another one."""
        known = self._known()
        return [
            each for each in records if known.get(each.position.position_id) != money(each.position.funding)
        ]

    def catch_up(self, journal: JournalReader) -> int:
        """Add the journal's trades that are missing here, as after a crash, and return how many."""
        known = self._known()

        def is_missing(trade_id: str, funding: Decimal) -> bool:
            return known.get(trade_id) != money(funding)

        found = journal.trades_where(is_missing, damaged=_name)
        return self._write_all(replace(each, amends=each.position.position_id in known) for each in found)

    def rebuild(
        self, journal: JournalReader, *, damaged: Naming | None = None, kept: Naming | None = None
    ) -> int:
        """Make the whole log anew from the journal, beside the old one until it is complete.

        Returns the number of rows. A trade that can not be read is named to ``damaged``, and a row that the
        journal does not tell, perhaps the only record of its trade, is taken over and named to ``kept``.
        """
        fresh, old = _fresh(self._folder), _old(self._folder)
        with self._translated():
            shutil.rmtree(fresh, ignore_errors=True)
        beside = TradeLog(fresh)
        unreadable: list[str] = []
        rows = beside._write_all(journal.trades_where(lambda *_: True, damaged=unreadable.append))
        for each in unreadable:
            (damaged or _name)(each)
        untold = list(beside._take_over(self))
        for trade_id in untold:
            (kept or _name_kept)(trade_id)
        if unreadable or untold:
            beside._keep_aside(self)
        beside.compact()
        with self._translated():
            self._folder.rename(old)
            fresh.rename(self._folder)
            sync_folder(self._folder.parent)
            shutil.rmtree(old)
        self._columns = beside._columns
        return rows + len(untold)

    def compact(self) -> int:
        """Merge each day's parts into one, for many small files open slowly; returns how many there were."""
        with self._translated():
            return sum(self._merge(folder) for folder in sorted(self._folder.glob("closed_date=*")))

    def _known(self) -> dict[str, Decimal]:
        """Return the funding of every trade by its id: the rest of a row never changes."""
        rows = read_trades(self._folder, columns=["trade_id", "funding"])
        return dict(zip(rows["trade_id"].to_pylist(), rows["funding"].to_pylist(), strict=True))

    def _write_all(self, trades: Iterable[TradeRecord]) -> int:
        rows = 0
        for batch in _batches(trades):
            self.write(batch)
            rows += len(batch)
        return rows

    def _take_over(self, other: "TradeLog") -> Iterator[str]:
        """Write the rows of another log that this one lacks, as they are; yields the ids of their trades."""
        known = pa.array(self._known(), pa.string())
        with self._translated():
            for day in sorted(other._folder.glob("closed_date=*")):
                rows = _rows_in(day)
                lacking = rows.filter(pc.invert(pc.is_in(rows["trade_id"], value_set=known)))
                if lacking.num_rows:
                    self._learn(lacking.schema)
                    ids = lacking["trade_id"].to_pylist()
                    write_part(_part_of(self._folder / day.name, ids), lacking)
                    yield from ids

    def _keep_aside(self, other: "TradeLog") -> None:
        """Keep damaged parts where the journal does not tell all: nothing else may hold their rows."""
        with self._translated():
            for part in parts_set_aside(other._folder):
                place = self._folder / part.relative_to(other._folder)
                place.parent.mkdir(exist_ok=True)
                shutil.copy2(part, place)

    def _write_day(self, day: date, records: Sequence[TradeRecord]) -> None:
        folder, table = self._folder / f"closed_date={day}", table_of(records, self._columns)
        if any(record.amends for record in records):
            self._merge(folder, newest=table)
            return
        write_part(_part_of(folder, [record.position.position_id for record in records]), table)

    def _merge(self, folder: Path, newest: pa.Table | None = None) -> int:
        """Put a day's parts into one, ``newest`` rows instead of older ones; returns how many there were."""
        parts = parts_in(folder)
        if len(parts) < 2 and newest is None:
            return 0
        tables = {path.name: table for path in parts if (table := read_part(path)) is not None}
        together = [*([] if newest is None else [newest]), *tables.values()]
        rows = _each_once(pa.concat_tables(together, promote_options="default"))
        name = f"merged-{_digest(' '.join([*tables, str(rows['funding'].to_pylist())]))}.parquet"
        write_part(folder / name, rows, replaces=sorted(tables.keys() - {name}))
        finish_replacing(folder)
        return len(parts)

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
                f"The trade log {self._folder} can not be written ({error}): put that right;"
                " the next trade that closes, or the next start, brings what is missing from the journal."
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
    rows = _rows_in(folder, wanted)
    return rows if columns is None else rows.select([name for name in columns if name in rows.column_names])


def _rows_in(folder: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Return the rows of a log, or of one of its days, each once and in the order of closing."""
    tables = [table for path in parts_in(folder) if (table := read_part(path, columns=columns)) is not None]
    if not tables:
        tables = [COLUMNS.empty_table() if columns is None else COLUMNS.empty_table().select(columns)]
    rows = _each_once(pa.concat_tables(tables, promote_options="default"))
    return rows.sort_by([("closed_at", "ascending"), ("trade_id", "ascending")])


def _batches(trades: Iterable[TradeRecord]) -> Iterator[list[TradeRecord]]:
    remaining = iter(trades)
    while batch := list(islice(remaining, _BATCH)):
        yield batch


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
    return datetime.fromtimestamp(record.position.ended_at / 1000, UTC).date()


def _name(damage: str) -> None:
    log.error("left out of the trade log, because it can not be read: %s", damage)


def _name_kept(trade_id: str) -> None:
    log.warning("kept in the trade log, though the journal does not tell it: %s", trade_id)


def _part_of(folder: Path, trade_ids: Sequence[str]) -> Path:
    ids = "\n".join(trade_ids)
    return folder / f"part-{_digest(ids)}.parquet"


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=8).hexdigest()
