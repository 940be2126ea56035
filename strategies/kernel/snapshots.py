"""The kernel's state as bytes, and back: only ever into the same layout under the same rules."""

import json
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from strategies.kernel.parameters import Rules
from strategies.kernel.records import Chart, Forming, Records, array_of
from strategies.kernel.step import Market

_LENGTH = 8  # bytes that say how long the header is


class Saved(NamedTuple):
    """What a snapshot holds."""

    symbols: tuple[str, ...]
    minute: int
    tables: tuple[Records, ...]


def tables(market: Market) -> tuple[Records, Records, Records]:
    """Return the arrays that make up the state, in a fixed order."""
    return market.minute, market.quarter, market.forming


def pack(market: Market, *, symbols: tuple[str, ...], minute: int) -> bytes:
    header = json.dumps(
        _kind((market.minute_rules, market.quarter_rules)) | {"symbols": symbols, "minute": minute}
    )
    content = b"".join(table.tobytes() for table in tables(market))
    encoded = header.encode()
    return len(encoded).to_bytes(_LENGTH, "big") + encoded + zlib.compress(content, level=1)


def unpack(snapshot: bytes, *, rules: tuple[Rules, Rules]) -> Saved:
    """Raise ``ValueError`` for bytes that are damaged, of another layout, or made under other rules."""
    try:
        start = _LENGTH + int.from_bytes(snapshot[:_LENGTH], "big")
        header = json.loads(snapshot[_LENGTH:start])
        content = zlib.decompress(snapshot[start:])
    except (UnicodeDecodeError, json.JSONDecodeError, zlib.error) as damage:
        raise ValueError("the snapshot of the kernel is damaged") from damage
    if {key: header.get(key) for key in ("layout", "rules")} != _kind(rules):
        raise ValueError("the snapshot of the kernel was made by another version or under other rules")
    symbols = tuple(header["symbols"])
    return Saved(symbols=symbols, minute=header["minute"], tables=tuple(_split(content, len(symbols))))


def _kind(rules: tuple[Rules, Rules]) -> dict[str, object]:
    layout = zlib.crc32(repr([table.dtype for table in _blank(0)]).encode())
    return {"layout": layout, "rules": [list(each) for each in rules]}


def _blank(symbols: int) -> tuple[Records, Records, Records]:
    return array_of(Chart, symbols), array_of(Chart, symbols), array_of(Forming, symbols)


def _split(content: bytes, symbols: int) -> Iterator[Records]:
    start = 0
    for table in _blank(symbols):
        yield np.frombuffer(content, dtype=table.dtype, count=symbols, offset=start).view(np.recarray)
        start += table.nbytes
