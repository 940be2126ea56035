"""The journal's events one by one, as they were written or named where they are not."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

from core.errors import JournalError
from core.journal import Body, Entry, EntryKind
from data.journal_chain import StoredEvent, Tail, first_damage
from data.journal_schema import DAMAGE, fault, open_reader

T = TypeVar("T")
Naming = Callable[[str], None]
"""Hears what can not be read."""

_PAGE = 256
_COLUMNS = ("seq", "at", "seen_at", "kind", "key", "payload", "prev_hash", "hash", "base")
_SELECT = ", ".join(f"events.{name}" for name in _COLUMNS)
_EVENTS = f"SELECT {_SELECT}, bases.payload FROM events LEFT JOIN events AS bases ON bases.seq = events.base"  # noqa: S608
_NOT_AS_WRITTEN = (ValueError, TypeError, ArithmeticError)


class Unreadable(JournalError):
    """One record is not what was written: ``what`` names it. The others can be read all the same."""

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(f"The journal {path} is damaged: {what}.")
        self.what = what


class EventReader:
    """A connection to a journal. Every method raises ``JournalError`` where the file can not answer."""

    def __init__(self, path: Path, *, connection: sqlite3.Connection | None = None) -> None:
        self._path = path
        self._connection = connection or open_reader(path)

    @property
    def path(self) -> Path:
        return self._path

    def events(self) -> Iterator[StoredEvent]:
        """Yield every event as it is stored, in order."""
        return self._events()

    def rows(self, query: str) -> Iterator[tuple[object, ...]]:
        """Yield the rows of a question of one's own."""
        with self._translated():
            yield from self._connection.execute(query)

    def entries(self, *kinds: EntryKind) -> Iterator[Entry]:
        """Yield what was written, in order; all kinds where none is named."""
        for event in self._events():
            if not kinds or event.kind in kinds:
                with self._translated():
                    entry = event.entry()
                yield entry

    def counts(self) -> dict[EntryKind, int]:
        """Return how many entries there are of each kind that occurs."""
        rows = self._all("SELECT kind, count(*) FROM events GROUP BY kind")
        with self._translated():
            return {EntryKind(kind): n for kind, n in rows}

    def last(self) -> Tail:
        """Return where the chain ends."""
        rows = self._all("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1")
        return Tail(seq=rows[0][0], hash=rows[0][1]) if rows else Tail()

    def hash_of(self, seq: int) -> str | None:
        """Return the hash of one event, ``None`` where there is no such event."""
        rows = self._all("SELECT hash FROM events WHERE seq = ?", seq)
        return rows[0][0] if rows else None

    def last_at(self) -> int:
        """Return the market time (ms) of the newest event, 0 where there is none."""
        rows = self._all("SELECT at FROM events ORDER BY seq DESC LIMIT 1")
        at: int = rows[0][0] if rows else 0
        return at

    def first_damage(self, *, after: int = 0) -> str:
        """Name the first event after number ``after`` that does not follow from those before it."""
        start = Tail(seq=after, hash=self.hash_of(after) or "") if after else Tail()
        return first_damage(self._events(after=after), start) or ""

    def missing_since(self, seen: Tail | None) -> str:
        """Name what is gone since a witness saw the chain end at ``seen``."""
        if seen is None or self.hash_of(seen.seq) == seen.hash:
            return ""
        reached = self.last().seq
        if reached < seen.seq:
            return f"events {reached + 1} to {seen.seq} are missing"
        return f"event {seen.seq} is not the one that was written"

    def verify(self) -> int:
        """Return how many events the unbroken chain has; the ``JournalError`` names the first damaged one.

        That the newest events are gone altogether can not be seen from here: see ``data.journal_witness``.
        """
        if damage := self.first_damage():
            raise JournalError(f"The journal {self._path} is damaged: {damage}.")
        return self.last().seq

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _readable(
        self, rows: Iterable[tuple[int]], told: Callable[[Body], T], damaged: Naming
    ) -> Iterator[T]:
        """Yield what events, given by number, tell; those that can not be read are named instead."""
        for (seq,) in rows:
            try:
                yield self._told(seq, told)
            except Unreadable as fault:
                damaged(fault.what)

    def _told(self, seq: int, told: Callable[[Body], T]) -> T:
        """Return what one event tells; raises ``Unreadable``."""
        rows = self._all(f"{_EVENTS} WHERE events.seq = ?", seq)
        if not rows:
            raise Unreadable(self._path, f"event {seq} is missing")
        event = _event_of(rows[0])
        unreadable = Unreadable(self._path, f"event {seq} ({event.kind}) can not be read")
        if not event.is_as_written:
            raise unreadable
        try:
            return told(event.entry().body)
        except _NOT_AS_WRITTEN as error:
            raise unreadable from error

    def _events(self, join: str = "", *, after: int = 0) -> Iterator[StoredEvent]:
        """Page by number: no transaction stays open while the caller thinks, and memory stays bounded."""
        return map(_event_of, self._pages(f"{_EVENTS} {join}", seq="events.seq", after=after))

    def _pages(self, query: str, *, seq: str = "seq", after: int = 0) -> Iterator[Any]:
        """Yield rows in the order of ``seq``, which must be their first column."""
        paged = f"{query} WHERE {seq} > ? ORDER BY {seq} LIMIT ?"
        while page := self._all(paged, after, _PAGE):
            yield from page
            after = page[-1][0]

    def _all(self, query: str, *values: object) -> list[Any]:
        with self._translated():
            return self._connection.execute(query, values).fetchall()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except DAMAGE as error:
            raise fault(self._path, error) from error
        except _NOT_AS_WRITTEN as error:
            raise JournalError(f"The journal {self._path} can not be read: {error}.") from error


def _event_of(row: Sequence[Any]) -> StoredEvent:
    return StoredEvent(**dict(zip((*_COLUMNS, "against"), row, strict=True)))
