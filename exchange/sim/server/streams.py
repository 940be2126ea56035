"""The names of streams: which channel, which symbol, and over which of the three routes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from exchange.sim.server.intervals import INTERVALS


class Route(StrEnum):
    """Since April 2026 Binance delivers each stream over its own address; the old one is silent for most."""

    PUBLIC = "public"
    MARKET = "market"
    PRIVATE = "private"
    UNROUTED = ""

    def delivers(self, channel: str) -> bool:
        """Whether this address carries the channel; the unrouted one still carries the public streams."""
        if self is Route.UNROUTED:
            return channel in _PUBLIC
        return self is (Route.PUBLIC if channel in _PUBLIC else Route.MARKET)


@dataclass(frozen=True, slots=True)
class Stream:
    """One subscription: ``index`` is the symbol's number, or ``None`` for the whole market.

    ``as_array`` sends the whole market in one message rather than in one a symbol.
    """

    name: str
    channel: str
    index: int | None
    as_array: bool = False


_PUBLIC = frozenset({"bookTicker", "trade", "depth", "depth5", "depth10", "depth20"})
_OF_SYMBOL = frozenset({"aggTrade", "markPrice", "miniTicker", "ticker", "forceOrder", *_PUBLIC})
_WHOLE = {
    "!markPrice@arr": ("markPrice", True),
    "!markPrice@arr@1s": ("markPrice", True),
    "!miniTicker@arr": ("miniTicker", True),
    "!ticker@arr": ("ticker", True),
    "!bookTicker": ("bookTicker", False),
    "!forceOrder@arr": ("forceOrder", False),  # one order a message, whatever its name says
    "!contractInfo": ("contractInfo", False),
}
WHEN_IT_HAPPENS = frozenset({"forceOrder", "contractInfo"})
"""Channels that speak when something happens, not several times a second."""

_NAME = re.compile(r"([^@!]+)@([A-Za-z0-9]+?)(?:_(\w+))?(?:@(\d+m?s))?")


def parse_stream(name: str, index_of: Mapping[str, int]) -> Stream | None:
    """Return the stream a client names, or nothing: Binance accepts what does not exist, in silence."""
    if name in _WHOLE:
        channel, as_array = _WHOLE[name]
        return Stream(name, channel, None, as_array)
    match = _NAME.fullmatch(name)
    if match is None or match[1].upper() not in index_of:
        return None
    found = _channel(match[2], match[3])
    return Stream(name, found, index_of[match[1].upper()]) if found else None


def kline_interval(channel: str) -> str | None:
    """Return the interval of a candle channel."""
    return channel.removeprefix("kline_") if channel.startswith("kline_") else None


def _channel(kind: str, detail: str | None) -> str | None:
    if kind == "kline":
        return f"kline_{detail}" if detail in INTERVALS else None
    return kind if kind in _OF_SYMBOL and detail is None else None
