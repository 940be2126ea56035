"""JSON records written from integer columns: one compiled loop serves candles, tickers and marks.

A template is JSON text with ``<field>`` where a value goes. Thousands of records a second leave the
simulator, each with a dozen decimals; formatting them one by one in Python would take the core that the
market needs.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from numba import njit
from numpy.typing import NDArray

from exchange.sim.market.candles import Integers

Bytes = NDArray[np.uint8]
Column = Integers | int

TEXT = -1
"""In place of decimals: the value is a row number of the template's texts."""

_ZERO, _DOT, _MINUS = ord("0"), ord("."), ord("-")
_WIDEST_NUMBER = 24


class Texts:
    """Strings that records quote by number, such as the symbols."""

    def __init__(self, texts: Sequence[str]) -> None:
        encoded = [text.encode() for text in texts] or [b""]
        self.width = max(map(len, encoded))
        self.lengths = np.array([len(each) for each in encoded], np.int64)
        padded = b"".join(each.ljust(self.width) for each in encoded)
        self.table: Bytes = np.frombuffer(padded, np.uint8).reshape(len(encoded), self.width).copy()


class Template:
    """A record's shape. Fields are filled by name; a field may occur several times."""

    def __init__(self, text: str, *, texts: Texts | None = None) -> None:
        parts = re.split(r"<(\w+)>", text)
        literals = [part.encode() for part in parts[::2]]
        self.fields = parts[1::2]
        self._texts = texts or Texts([""])
        self._literals: Bytes = np.frombuffer(b"".join(literals), np.uint8)
        self._starts = np.cumsum([0, *map(len, literals)])

    def render(
        self, columns: Mapping[str, Column], *, decimals: Mapping[str, Column], rows: int
    ) -> list[bytes]:
        """Return ``rows`` records. A column is int64 ``[rows]`` or one value for all.

        ``decimals`` says where each field's point goes (default 0), or ``TEXT``.
        """
        buffer, ends = self._fill(columns, decimals, rows)
        whole = buffer.tobytes()
        return [whole[start:end] for start, end in pairwise([0, *ends])]

    def render_joined(
        self, columns: Mapping[str, Column], *, decimals: Mapping[str, Column], rows: int
    ) -> bytes:
        """Return the records of ``render`` run together, as one bytes object."""
        return self._fill(columns, decimals, rows)[0].tobytes()

    def _fill(
        self, columns: Mapping[str, Column], decimals: Mapping[str, Column], rows: int
    ) -> tuple[Bytes, list[int]]:
        values = np.empty((rows, len(self.fields)), np.int64)
        places = np.empty((rows, len(self.fields)), np.int64)
        for number, field in enumerate(self.fields):
            values[:, number] = columns[field]
            places[:, number] = decimals.get(field, 0)
        width = len(self._literals) + len(self.fields) * max(_WIDEST_NUMBER, self._texts.width)
        buffer = np.empty(rows * width, np.uint8)
        ends = np.empty(rows, np.int64)
        end = _write_records(
            buffer,
            ends,
            self._literals,
            self._starts,
            values,
            places,
            self._texts.table,
            self._texts.lengths,
        )
        return buffer[:end], ends.tolist()


@njit(cache=True)
def _write_records(
    buffer: Bytes,
    ends: Integers,
    literals: Bytes,
    starts: Integers,
    values: Integers,
    places: Integers,
    texts: Bytes,
    text_lengths: Integers,
) -> int:
    at = 0
    rows, fields = values.shape
    for row in range(rows):
        for field in range(fields):
            for source in range(starts[field], starts[field + 1]):
                buffer[at] = literals[source]
                at += 1
            if places[row, field] == TEXT:
                text = values[row, field]
                for source in range(text_lengths[text]):
                    buffer[at] = texts[text, source]
                    at += 1
            else:
                at = _write_number(buffer, at, values[row, field], places[row, field])
        for source in range(starts[fields], starts[fields + 1]):
            buffer[at] = literals[source]
            at += 1
        ends[row] = at
    return at


@njit(cache=True)
def _write_number(buffer: Bytes, at: int, value: int, places: int) -> int:
    if value < 0:
        buffer[at] = _MINUS
        at += 1
        value = -value
    digits = 1
    rest = value // 10
    while rest > 0:
        digits += 1
        rest //= 10
    digits = max(digits, places + 1)
    end = at + digits + (1 if places > 0 else 0)
    write = end
    for number in range(digits):
        if number == places and places > 0:
            write -= 1
            buffer[write] = _DOT
        write -= 1
        buffer[write] = _ZERO + value % 10
        value //= 10
    return end
