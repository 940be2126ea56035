"""The truth on disk: one SQLite file of chained events, and what they add up to."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Never, Self

from core.errors import EntryUnwritable, JournalError
from core.journal import DamageFound, Entry
from core.positions import Position, Source
from core.risk_state import RiskState
from core.trades import TradeRecord, TradeResult
from data.journal_chain import Tail, link, packed
from data.journal_projections import base_of, project
from data.journal_reader import JournalReader
from data.journal_schema import DAMAGE, fault, open_writer
from data.journal_witness import Witness

_INSERT = (
    "INSERT INTO events (seq, at, seen_at, kind, key, payload, prev_hash, hash, base)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_LOOKED_AT = 1000
"""Newest events that are checked at each start; ``trades --verify`` checks all."""


class SqliteJournal:
    """``core.ports.Journal`` in one file, for one writer; readers open a ``JournalReader`` beside it.

    A commit reaches the disk before ``append`` returns (WAL, synchronous=FULL). After a failed sync
    nobody knows what the disk holds, so the journal then refuses to go on until it is opened anew.
    ``durable=False`` is for what can be had again, a replay: its commits outlive the process, not the power.
    What a start finds missing or altered, or a question finds unreadable, becomes an event itself, and
    ``damage`` tells of it. What can not be read is left out, but for the state of a real position.
    """

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        self._path = path
        self._connection = open_writer(path, durable=durable)
        self._reader = JournalReader(path, connection=self._connection)
        self._broken: str | None = None
        self._witness = Witness(path, durable=durable)
        try:
            self._tail = self._reader.last()
            self._record_damage()
        except JournalError:
            self.close()
            raise

    @property
    def path(self) -> Path:
        return self._path

    def append(self, entries: Sequence[Entry]) -> None:
        """Commit all entries in one durable transaction, or none; known keys are skipped.

        Raises ``JournalError``: nothing of the call was recorded then.
        """
        if not entries:
            return
        with self._transaction():
            self._demand_sole_writer()
            tail = self._tail
            for entry in entries:
                tail = self._record(tail, entry)
        self._tail = tail
        self._witness.note(tail)

    def live_positions(self) -> Sequence[Position]:
        """Return the last recorded state of every position that has not closed.

        Raises ``JournalError`` where no state of a real one can be read: it must not be forgotten.
        """
        return self._reader.live_positions(self._name, lost=self._give_up)

    def closed_trades(self) -> Iterator[TradeRecord]:
        """Yield every closed position in the order of closing."""
        return self._reader.closed_trades()

    def newest_trades(self, source: Source, limit: int) -> Sequence[TradeRecord]:
        """Return the ``limit`` positions of one book that closed last, in the order of closing."""
        return self._reader.newest_trades(source, limit, self._name)

    def results(self) -> Iterator[TradeResult]:
        """Yield how every closed position ended, in the order of closing."""
        return self._reader.results(self._name)

    def damage(self) -> str:
        """Return what was found lost or altered and nobody was halted for yet, empty where nothing was.

        To be asked last: the other questions find damage.
        """
        return self._reader.damage()

    def risk_state(self) -> RiskState | None:
        """Return the last recorded memory of the risk gate, ``None`` in a journal that has none."""
        return self._reader.risk_state(self._name)

    def given_up(self, limit: int) -> Sequence[Position]:
        """Return the last ``limit`` real positions that ended with nothing filled, in the order of ending."""
        return self._reader.given_up(limit, self._name)

    def position_ids(self, limit: int) -> Sequence[str]:
        """Return the ids of the ``limit`` positions that changed last, closed ones among them."""
        return self._reader.position_ids(limit)

    def reader(self) -> JournalReader:
        """Return a reader with a connection of its own, for another thread or a long look."""
        return JournalReader(self._path)

    def close(self) -> None:
        self._witness.close()
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _record(self, tail: Tail, entry: Entry) -> Tail:
        if entry.key is not None and self._knows(entry.key):
            return tail
        event = packed(link(tail, entry), base_of(self._connection, entry.body))
        row = (
            event.seq,
            event.at,
            event.seen_at,
            event.kind,
            event.key,
            event.payload,
            event.prev_hash,
            event.hash,
            event.base,
        )
        self._connection.execute(_INSERT, row)
        project(self._connection, event, entry.body)
        return Tail(seq=event.seq, hash=event.hash)

    def _record_damage(self) -> None:
        at = self._reader.last_at()
        if missing := self._reader.missing_since(self._witness.seen):
            self.append([Entry(body=DamageFound(what=missing), at=at, seen_at=at)])
        if altered := self._reader.first_damage(after=max(self._tail.seq - _LOOKED_AT, 0)):
            self._name(altered)

    def _name(self, damage: str) -> None:
        """Write down, once, what is not as it was written."""
        at = self._reader.last_at()
        self.append([Entry(body=DamageFound(what=damage), at=at, seen_at=at, key=damage)])

    def _give_up(self, lost: str) -> Never:
        raise JournalError(
            f"The journal {self._path} is damaged: {lost}. Its stop rests at the exchange. Start with the"
            " last good copy of the journal; where there is none, close by hand what this account holds, move"
            " the journal away, and start again."
        )

    def _knows(self, key: str) -> bool:
        return self._connection.execute("SELECT 1 FROM events WHERE key = ?", (key,)).fetchone() is not None

    def _demand_sole_writer(self) -> None:
        if self._reader.last() != self._tail:
            raise JournalError(
                f"Another process has written to the journal {self._path}: stop one of the two, then restart."
            )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        if self._broken is not None:
            raise JournalError(self._broken)
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            yield
            self._connection.execute("COMMIT")
        except DAMAGE as error:
            trouble = fault(self._path, error)
            if _is_doubtful(getattr(error, "sqlite_errorcode", 0)):
                self._broken = str(trouble)
            raise trouble from error
        except (ValueError, TypeError) as error:
            raise EntryUnwritable(
                f"An entry can not be written to the journal {self._path}: {error}."
            ) from error
        finally:
            self._roll_back()

    def _roll_back(self) -> None:
        """End what a failure left open; SQLite may have ended it by itself."""
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")


def _is_doubtful(code: int) -> bool:
    """Whether the disk may hold something else than SQLite believes; a refused write left nothing."""
    return code & 0xFF in _DISTRUST and code != sqlite3.SQLITE_IOERR_WRITE


_DISTRUST = frozenset({sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
