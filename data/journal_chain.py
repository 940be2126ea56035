"""The chain that ties each journal event to all before it, so that damage can be named."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256

from core.journal import Entry, EntryKind
from data.codec import decode_body, encode, encode_body, kind_of

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """One row of ``events``; ``seq`` counts from 1 without gaps."""

    seq: int
    at: int
    seen_at: int
    kind: str
    key: str | None
    payload: str
    prev_hash: str
    hash: str

    def expected_hash(self) -> str:
        head = encode([self.prev_hash, self.seq, self.at, self.seen_at, self.kind, self.key])
        return sha256(head + self.payload.encode()).hexdigest()

    def entry(self) -> Entry:
        """Raises ``ValueError`` where the payload is not what its kind says."""
        body = decode_body(EntryKind(self.kind), self.payload.encode())
        return Entry(body=body, at=self.at, seen_at=self.seen_at, key=self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """Where the chain ends."""

    seq: int = 0
    hash: str = GENESIS


def link(tail: Tail, entry: Entry) -> StoredEvent:
    """Return the event that follows ``tail``. Raises ``ValueError`` for what could not be read back."""
    event = StoredEvent(
        seq=tail.seq + 1,
        at=entry.at,
        seen_at=entry.seen_at,
        kind=kind_of(entry.body),
        key=entry.key,
        payload=encode_body(entry.body).decode(),
        prev_hash=tail.hash,
        hash="",
    )
    return replace(event, hash=event.expected_hash())


def first_damage(events: Iterator[StoredEvent], tail: Tail) -> str | None:
    """Walk the chain from ``tail`` on and name the first event that does not follow from those before it."""
    for event in events:
        if event.seq != tail.seq + 1:
            return f"event {tail.seq + 1} is missing"
        if event.prev_hash != tail.hash or event.hash != event.expected_hash():
            return f"event {event.seq} ({event.kind}) has been altered"
        tail = Tail(seq=event.seq, hash=event.hash)
    return None
