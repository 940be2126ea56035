"""The chain that ties each journal event to all before it, so that damage can be named."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256

from core.journal import Entry, EntryKind
from data.codec import decode_body, encode, encode_body, kind_of
from data.journal_payloads import pack, unpack

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """One row of ``events``; ``seq`` counts from 1 without gaps.

    ``payload`` is as ``data.journal_payloads`` stores it, ``against`` the stored payload of event ``base``.
    """

    seq: int
    at: int
    seen_at: int
    kind: str
    key: str | None
    payload: str | bytes
    prev_hash: str
    hash: str
    base: int | None = None
    against: str | bytes | None = None

    @property
    def text(self) -> str:
        """The payload as it was written. Raises ``ValueError`` where that can not be had any more."""
        return unpack(self.payload, None if self.against is None else unpack(self.against, None))

    def expected_hash(self) -> str:
        """Raises ``ValueError`` as ``text`` does. How a payload is stored does not change the chain."""
        head = encode([self.prev_hash, self.seq, self.at, self.seen_at, self.kind, self.key])
        return sha256(head + self.text.encode()).hexdigest()

    @property
    def is_as_written(self) -> bool:
        """Whether its hash is its own: a damaged number may read as well as the one that was written."""
        try:
            return self.hash == self.expected_hash()
        except ValueError:
            return False

    def entry(self) -> Entry:
        """Raises ``ValueError`` where the payload is not what its kind says."""
        body = decode_body(EntryKind(self.kind), self.text.encode())
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


def packed(event: StoredEvent, base: tuple[int, str | bytes] | None) -> StoredEvent:
    """Return a new event as it is to be stored, given the number and stored payload of what it repeats."""
    against = None if base is None else _readable(base[1])
    payload = pack(event.text, against)
    is_packed = isinstance(payload, bytes)
    return replace(event, payload=payload, base=base[0] if base and against and is_packed else None)


def _readable(stored: str | bytes) -> str | None:
    try:
        return unpack(stored, None)
    except ValueError:  # a damaged intent: what follows it must be written all the same
        return None


def first_damage(events: Iterator[StoredEvent], tail: Tail) -> str | None:
    """Walk the chain from ``tail`` on and name the first event that does not follow from those before it."""
    for event in events:
        if event.seq != tail.seq + 1:
            return f"event {tail.seq + 1} is missing"
        if event.prev_hash != tail.hash or not event.is_as_written:
            return f"event {event.seq} ({event.kind}) has been altered"
        tail = Tail(seq=event.seq, hash=event.hash)
    return None
