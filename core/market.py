"""The market as one decision sees it: one closed minute of every symbol, and what was known beside it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import IntEnum
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
T = TypeVar("T", bound=np.generic)

MINUTE_MS = 60_000
QUARTER_MS = 15 * MINUTE_MS
DAY_MS = 24 * 60 * MINUTE_MS


def as_decimal(price: float) -> Decimal:
    """Take a float for the shortest decimal that reads back the same, which is what the exchange sent."""
    return Decimal(repr(price))


class Field(IntEnum):
    """Row of a candle array."""

    OPEN = 0
    HIGH = 1
    LOW = 2
    CLOSE = 3
    VOLUME = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """The prices of one candle as money."""

    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketContext:
    """What a decision reads beside candles, one value a symbol, NaN where unknown.

    ``spread`` and ``funding_rate`` are fractions; ``quote_volume_24h`` is in USDT.
    """

    bid: Floats
    ask: Floats
    mark: Floats
    funding_rate: Floats
    quote_volume_24h: Floats

    @property
    def spread(self) -> Floats:
        """(ask − bid) ÷ mid."""
        spread: Floats = (self.ask - self.bid) / ((self.ask + self.bid) / 2)
        return spread

    @classmethod
    def unknown(cls, symbols: int) -> "MarketContext":
        """Return a context in which nothing is known about any symbol."""
        blank = np.full(symbols, np.nan)
        return cls(bid=blank, ask=blank, mark=blank, funding_rate=blank, quote_volume_24h=blank)


@dataclass(frozen=True, slots=True)
class SymbolAxis:
    """The order of symbols along the last axis of every array of a time: who is followed, and where."""

    names: tuple[str, ...]
    _index: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_index", {name: index for index, name in enumerate(self.names)})

    @classmethod
    def of(cls, symbols: Iterable[str]) -> "SymbolAxis":
        """Put symbols in order, each once: the same symbols are always the same axis."""
        return cls(tuple(sorted(set(symbols))))

    def __len__(self) -> int:
        return len(self.names)

    def __contains__(self, symbol: object) -> bool:
        return symbol in self._index

    def index_of(self, symbol: str) -> int | None:
        return self._index.get(symbol)

    def moves_to(self, axis: "SymbolAxis") -> "Moves":
        """Return how columns on this axis come to stand on ``axis``."""
        sources = [self._index.get(name, _NEW) for name in axis.names]
        return Moves(np.array(sources, dtype=np.intp), len(self))


_NEW = -1


@dataclass(frozen=True, slots=True)
class Moves:
    """Where the columns of the next axis come from, of ``before`` columns; −1 for who is new."""

    sources: NDArray[np.intp]
    before: int

    def of(self, values: NDArray[T], blank: float | NDArray[T]) -> NDArray[T]:
        """Return ``values`` with symbols on the last axis as they stand on the next one, newcomers blank."""
        if not self.before:
            return np.full((*values.shape[:-1], len(self.sources)), blank, dtype=values.dtype)
        moved: NDArray[T] = np.take(values, self.sources, axis=-1, mode="clip")
        moved[..., self.sources == _NEW] = blank
        return moved


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisChanged:
    """From the next minute on the market is on ``axis``.

    Who left is to be forgotten; who is new has no past, and its history comes later. Nothing of those who
    stay changes but their place.
    """

    axis: SymbolAxis


@dataclass(frozen=True, slots=True, kw_only=True)
class MinuteClosed:
    """All candles that opened at ``open_time`` (ms) and have closed.

    ``row`` is float64 [5, S] in the order of ``axis``; where ``present`` is false the column is NaN:
    the candle is late or missing, and nobody may trade that symbol on this minute. Arrays are not
    written to after the event is made.
    """

    open_time: int
    axis: SymbolAxis
    row: Floats
    present: Booleans
    context: MarketContext
    seen_at: int

    @property
    def at(self) -> int:
        """The minute's close (ms), when everything in it was first knowable."""
        return self.open_time + MINUTE_MS

    @property
    def symbols(self) -> tuple[str, ...]:
        return self.axis.names

    def index_of(self, symbol: str) -> int | None:
        """Return the symbol's column, ``None`` when this run does not know it."""
        return self.axis.index_of(symbol)

    def candle(self, symbol: str) -> Prices | None:
        """Return the symbol's candle, ``None`` where it is unknown or absent this minute."""
        index = self.axis.index_of(symbol)
        if index is None or not self.present[index]:
            return None
        opened, high, low, close = (as_decimal(price) for price in self.row[: Field.VOLUME, index].tolist())
        return Prices(open=opened, high=high, low=low, close=close)


@dataclass(frozen=True, slots=True, kw_only=True)
class CandleHistory:
    """Fetched history of one symbol and timeframe: ``candles`` float64 [5, n], oldest first, all closed.

    ``starts_over``: what was told of the symbol before has proved wrong and is to be forgotten.
    """

    symbol: str
    timeframe_ms: int
    open_times: NDArray[np.int64]
    candles: Floats
    starts_over: bool = False
