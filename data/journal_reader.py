"""Reading the journal, while another process may be writing it."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

from core.errors import JournalError
from core.journal import Entry, EntryKind, PositionClosed, RiskChanged
from core.positions import Position
from core.risk_state import RiskState
from core.trades import TradeRecord
from data.codec import decode
from data.journal_chain import StoredEvent, Tail, first_damage
from data.journal_schema import fault, open_reader

_PAGE = 256
_COLUMNS = ("seq", "at", "seen_at", "kind", "key", "payload", "prev_hash", "hash")
_SELECT = ", ".join(f"events.{name}" for name in _COLUMNS)


class JournalReader:
    """Questions to a journal. Every method raises ``JournalError`` where the file can not answer."""

    def __init__(self, path: Path, *, connection: sqlite3.Connection | None = None) -> None:
        self._path = path
        self._connection = connection or open_reader(path)

    @property
    def path(self) -> Path:
        return self._path

    def live_positions(self) -> Sequence[Position]:
        """Return the last recorded state of every position that has not closed, oldest change first."""
        rows = self._all("SELECT state FROM positions WHERE stage <> 'closed' ORDER BY seq")
        with self._translated():
            return [decode(state.encode(), Position) for (state,) in rows]

    def closed_trades(self) -> Iterator[TradeRecord]:
        """Yield every closed position in the order of closing, reading a few hundred at a time."""
        for event in self._events("JOIN trades USING (seq)"):
            with self._translated():
                body = event.entry().body
            if isinstance(body, PositionClosed):
                yield TradeRecord(position=body.position, snapshot=body.snapshot)

    def risk_state(self) -> RiskState | None:
        """Return the last recorded memory of the risk gate, ``None`` in a journal that has none."""
        # Written out, not bound: only so can SQLite tell that the index of risk events answers it.
        rows = self._all("SELECT payload FROM events WHERE kind = 'risk' ORDER BY seq DESC LIMIT 1")
        with self._translated():
            return decode(rows[0][0].encode(), RiskChanged).state if rows else None

    def position_ids(self, limit: int) -> Sequence[str]:
        """Return the ids of the ``limit`` positions that changed last, closed ones among them."""
        rows = self._all("SELECT position_id FROM positions ORDER BY seq DESC LIMIT ?", limit)
        return [position_id for (position_id,) in rows]

    def entries(self, *kinds: EntryKind) -> Iterator[Entry]:
        """Yield what was written, in order; all kinds where none is named."""
        for event in self._events():
            if not kinds or event.kind in kinds:
                with self._translated():
                    entry = event.entry()
                yield entry

    def counts(self) -> dict[EntryKind, int]:
        """Return how many entries there are of each kind that occurs."""
        return {
            EntryKind(kind): n for kind, n in self._all("SELECT kind, count(*) FROM events GROUP BY kind")
        }

    def equity(self) -> Sequence[tuple[int, Decimal]]:
        """Return (market ms, equity in USDT) of every scanned minute."""
        return [
            (at, Decimal(equity)) for at, equity in self._all("SELECT at, equity FROM equity ORDER BY at")
        ]

    def last(self) -> Tail:
        """Return where the chain ends."""
        rows = self._all("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1")
        return Tail(seq=rows[0][0], hash=rows[0][1]) if rows else Tail()

    def verify(self) -> int:
        """Return how many events the unbroken chain has; the ``JournalError`` names the first damaged one.

        A chain whose newest events are gone altogether is unbroken; ``last`` tells how far it reaches.
        """
        damage = first_damage(self._events(), Tail())
        if damage is not None:
            raise JournalError(f"The journal {self._path} is damaged: {damage}.")
        return self.last().seq

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _events(self, join: str = "") -> Iterator[StoredEvent]:
        """Page by number: no transaction stays open while the caller thinks, and memory stays bounded."""
        query = f"SELECT {_SELECT} FROM events {join} WHERE events.seq > ? ORDER BY events.seq LIMIT ?"  # noqa: S608
        last = -1
        while page := self._all(query, last, _PAGE):
            for row in page:
                yield StoredEvent(**dict(zip(_COLUMNS, row, strict=True)))
            last = page[-1][0]

    def _all(self, query: str, *values: object) -> list[Any]:
        with self._translated():
            return self._connection.execute(query, values).fetchall()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise fault(self._path, error) from error
        except ValueError as error:
            raise JournalError(f"The journal {self._path} can not be read: {error}.") from error
