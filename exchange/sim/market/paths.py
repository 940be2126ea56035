"""The port between the market and whatever moves it: one minute of prices at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from exchange.sim.market.candles import FIELDS, Integers, Row
from exchange.sim.market.scales import Scales

POINTS_A_BAR = 60
"""Prices a minute: one a second."""


@dataclass(frozen=True, slots=True)
class Path:
    """One bar of every symbol as it is traded.

    ``points`` is int64 ``[P, S]`` (0: not traded), with P = 60 for a minute that is played; ``volume`` lots
    and ``quote`` 0.0001 USDT, both ``[S]``, of the whole bar.
    """

    points: Integers
    volume: Integers
    quote: Integers

    def candle(self, until: int | None = None) -> Integers:
        """Return the candle ``[6, S]`` that the points make, up to and including number ``until``."""
        count = len(self.points)
        until = count - 1 if until is None else until
        candle = np.empty((FIELDS, self.points.shape[1]), np.int64)
        candle[Row.OPEN] = self.points[0]
        candle[Row.HIGH] = self.points[: until + 1].max(0)
        candle[Row.LOW] = self.points[: until + 1].min(0)
        candle[Row.CLOSE] = self.points[until]
        candle[Row.VOLUME] = self.volume * (until + 1) // count
        candle[Row.QUOTE] = self.quote * (until + 1) // count
        return candle


@dataclass(frozen=True, slots=True)
class History:
    """Closed candles before minute 0, each ``[6, S]``: ``quarter_bars`` of 15m, then ``minute_bars`` of 1m.

    The 1m candles begin on a quarter of an hour, where the 15m candles end; the market derives later ones.
    """

    quarter_bars: int
    minute_bars: int
    candles: Iterator[Integers]


class PathSource(Protocol):
    """Moves the market. ``start_ms`` is the first minute that ``next_minute`` returns."""

    @property
    def scales(self) -> Scales: ...

    @property
    def start_ms(self) -> int: ...

    def history(self) -> History: ...

    def next_minute(self) -> Path | None:
        """Return the next minute, or nothing when the recording has ended."""
        ...
