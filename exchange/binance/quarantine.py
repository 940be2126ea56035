"""Lists of which one element may be unreadable: the others are not made unreadable by it."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sorted(Generic[T]):
    """What could be read, the symbols of what could not, and how many named not even a symbol."""

    read: tuple[T, ...]
    unreadable: frozenset[str]
    nameless: int


class _Named(msgspec.Struct):
    symbol: str


def sort_out(rows: Sequence[msgspec.Raw], kind: type[T]) -> Sorted[T]:
    """Decode each element by itself."""
    read, unreadable, nameless = list[T](), set[str](), 0
    for row in rows:
        try:
            read.append(msgspec.json.decode(row, type=kind, strict=False))
        except msgspec.DecodeError as fault:
            symbol = _symbol_of(row)
            log.warning("a record of %s can not be read: %s", symbol or "an unknown symbol", fault)
            if symbol:
                unreadable.add(symbol)
            else:
                nameless += 1
    return Sorted(tuple(read), frozenset(unreadable), nameless)


def _symbol_of(row: msgspec.Raw) -> str:
    try:
        return msgspec.json.decode(row, type=_Named).symbol
    except msgspec.DecodeError:
        return ""
