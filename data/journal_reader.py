"""Reading the journal, while another process may be writing it."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

from core.errors import JournalError
from core.journal import (
    Body,
    DamageFound,
    Entry,
    EntryKind,
    IntentRecorded,
    PositionChanged,
    PositionClosed,
    RiskChanged,
)
from core.positions import Position, Source
from core.risk_state import RiskState
from core.trades import TradeRecord, TradeResult
from data.journal_chain import StoredEvent, Tail, first_damage
from data.journal_schema import DAMAGE, fault, open_reader

_PAGE = 256
_COLUMNS = ("seq", "at", "seen_at", "kind", "key", "payload", "prev_hash", "hash", "base")
_SELECT = ", ".join(f"events.{name}" for name in _COLUMNS)
_EVENTS = f"SELECT {_SELECT}, bases.payload FROM events LEFT JOIN events AS bases ON bases.seq = events.base"  # noqa: S608


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
        seqs = self._all("SELECT seq FROM positions WHERE stage <> 'closed' ORDER BY seq")
        return [_position_in(self._body(seq)) for (seq,) in seqs]

    def closed_trades(self) -> Iterator[TradeRecord]:
        """Yield every closed position in the order of closing, reading a few hundred at a time."""
        for event in self._events("JOIN trades ON trades.seq = events.seq"):
            with self._translated():
                body = event.entry().body
            yield _trade_in(body)

    def newest_trades(self, source: Source, limit: int) -> Sequence[TradeRecord]:
        """Return the ``limit`` positions of one book that closed last, in the order of closing."""
        query = "SELECT seq FROM trades WHERE source = ? ORDER BY seq DESC LIMIT ?"
        seqs = self._all(query, source.value, limit)
        return [_trade_in(self._body(seq)) for (seq,) in reversed(seqs)]

    def trades_where(
        self, is_wanted: Callable[[str, Decimal], bool], *, damaged: Callable[[str], None]
    ) -> Iterator[TradeRecord]:
        """Yield the closed positions of which id and funding are wanted, in the order of closing.

        One that can not be read is named to ``damaged`` and left out.
        """
        for seq, trade_id, funding in self._pages("SELECT seq, trade_id, funding FROM trades"):
            with self._translated():
                amount = Decimal(funding)
            if not is_wanted(trade_id, amount):
                continue
            try:
                yield _trade_in(self._body(seq))
            except JournalError as fault:
                damaged(f"event {seq} ({trade_id}): {fault}")

    def results(self) -> Iterator[TradeResult]:
        """Yield how every closed position ended, in the order of closing: what there is to learn from all."""
        for _, source, confidence, gross_r in self._pages(
            "SELECT seq, source, confidence, gross_r FROM trades"
        ):
            with self._translated():
                result = TradeResult(
                    source=Source(source), confidence=float(confidence), gross_r=float(gross_r)
                )
            yield result

    def risk_state(self) -> RiskState | None:
        """Return the last recorded memory of the risk gate, ``None`` in a journal that has none."""
        # Written out, not bound: only so can SQLite tell that the index of risk events answers it.
        rows = self._all("SELECT seq FROM events WHERE kind = 'risk' ORDER BY seq DESC LIMIT 1")
        body = self._body(rows[0][0]) if rows else None
        return body.state if isinstance(body, RiskChanged) else None

    def given_up(self, limit: int) -> Sequence[Position]:
        """Return the last ``limit`` real positions that ended with nothing filled, in the order of ending."""
        query = (
            "SELECT seq FROM positions WHERE source = 'real' AND stage = 'closed'"
            " AND position_id NOT IN (SELECT trade_id FROM trades) ORDER BY seq DESC LIMIT ?"
        )
        return [_position_in(self._body(seq)) for (seq,) in reversed(self._all(query, limit))]

    def position_ids(self, limit: int) -> Sequence[str]:
        """Return the ids of the ``limit`` positions that changed last, closed ones too, but no shadows."""
        query = "SELECT position_id FROM positions WHERE source <> 'shadow' ORDER BY seq DESC LIMIT ?"
        rows = self._all(query, limit)
        return [position_id for (position_id,) in rows]

    def damage(self) -> str:
        """Return what was found lost or altered with no risk state after it: nobody was halted for it yet."""
        rows = self._all("SELECT seq FROM events WHERE kind = 'damage' ORDER BY seq DESC LIMIT 1")
        risk = self._all("SELECT seq FROM events WHERE kind = 'risk' ORDER BY seq DESC LIMIT 1")
        if not rows or (risk and risk[0] > rows[0]):
            return ""
        body = self._body(rows[0][0])
        return body.what if isinstance(body, DamageFound) else ""

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

    def equity(self) -> Sequence[tuple[int, Decimal]]:
        """Return (market ms, equity in USDT) of every scanned minute."""
        rows = self._all("SELECT at, equity FROM equity ORDER BY at")
        with self._translated():
            return [(at, Decimal(equity)) for at, equity in rows]

    def last(self) -> Tail:
        """Return where the chain ends."""
        rows = self._all("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1")
        return Tail(seq=rows[0][0], hash=rows[0][1]) if rows else Tail()

    def hash_of(self, seq: int) -> str | None:
        """Return the hash of one event, ``None`` where there is no such event."""
        rows = self._all("SELECT hash FROM events WHERE seq = ?", seq)
        return rows[0][0] if rows else None

    def net_pnl(self, source: Source) -> Decimal:
        """Return what all closed positions of one book have brought, in USDT."""
        rows = self._all("SELECT net_pnl FROM trades WHERE source = ?", source.value)
        return sum((Decimal(net) for (net,) in rows), Decimal(0))

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

    def _body(self, seq: int) -> Body:
        (row,) = self._all(f"{_EVENTS} WHERE events.seq = ?", seq)
        with self._translated():
            return _event_of(row).entry().body

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
        except (ValueError, TypeError, ArithmeticError) as error:
            raise JournalError(f"The journal {self._path} can not be read: {error}.") from error


def _event_of(row: Sequence[Any]) -> StoredEvent:
    return StoredEvent(**dict(zip((*_COLUMNS, "against"), row, strict=True)))


def _position_in(body: Body) -> Position:
    match body:
        case IntentRecorded(plan=plan):
            return Position(plan=plan)
        case PositionChanged(position=position) | PositionClosed(position=position):
            return position
        case _:
            raise JournalError(f"The journal is damaged: a {type(body).__name__} is said to tell a position.")


def _trade_in(body: Body) -> TradeRecord:
    if not isinstance(body, PositionClosed):
        raise JournalError(f"The journal is damaged: a {type(body).__name__} is said to tell a trade.")
    return TradeRecord(position=body.position, snapshot=body.snapshot)
