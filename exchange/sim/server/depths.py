"""Order books over the wire: the snapshot of REST, the partial books, and the updates between snapshots."""

from typing import Any

import msgspec

from exchange.sim.market.candles import Integers
from exchange.sim.market.market import Market
from exchange.sim.server.payloads import Payloads

_Levels = dict[str, list[list[str]]]
_Prices = tuple[set[str], set[str]]
_GONE = "0"


class Depths:
    """Numbers every state of a book by its market time, so that snapshots and updates fit together.

    An update carries every level that stands, and a quantity of 0 for each price that somebody was shown
    since the last push and that stands no more. Who applies updates to a snapshot thus holds the whole book.
    """

    def __init__(self, market: Market, payloads: Payloads) -> None:
        self._market = market
        self._payloads = payloads
        self._shown: dict[int, _Prices] = {}
        self._pushed: dict[int, _Prices] = {}

    def snapshot(self, index: int, *, count: int) -> bytes:
        """Return the answer of /depth; ``lastUpdateId`` fits the updates of the stream."""
        now, book = self._market.now_ms, self._payloads.depth(index, count=count)
        bids, asks = self._shown.setdefault(index, (set(), set()))
        bids.update(price for price, _ in book["bids"])
        asks.update(price for price, _ in book["asks"])
        return msgspec.json.encode({"lastUpdateId": now, "E": now, "T": now, **book})

    def partial(self, who: Integers, *, count: int) -> list[bytes]:
        """Return the best levels of each book, as ``@depth5``, ``10`` and ``20`` send them."""
        return [
            self._event(index, self._payloads.depth(index, count=count), since_ms=self._market.now_ms - 1)
            for index in who.tolist()
        ]

    def updates(self, who: Integers, *, since_ms: int) -> list[bytes]:
        """Return what changed in each book since the last push, which was at ``since_ms``."""
        return [self._update(index, since_ms) for index in who.tolist()]

    def pushed(self) -> None:
        """Forget what was shown before this push, but for what the push itself has shown."""
        self._shown, self._pushed = self._pushed, {}

    def _update(self, index: int, since_ms: int) -> bytes:
        book = self._payloads.depth(index, count=_ALL_LEVELS)
        prices = _prices(book["bids"]), _prices(book["asks"])
        self._pushed[index] = prices
        for side, now, before in zip(("bids", "asks"), prices, self._shown.get(index, prices), strict=True):
            book[side] += [[price, _GONE] for price in sorted(before - now)]
        return self._event(index, book, since_ms=since_ms)

    def _event(self, index: int, book: _Levels, *, since_ms: int) -> bytes:
        now = self._market.now_ms
        event: dict[str, Any] = {
            "e": "depthUpdate",
            "E": now,
            "T": now,
            "s": self._market.instruments[index].symbol,
            "U": since_ms + 1,
            "u": now,
            "pu": since_ms,
            "b": book["bids"],
            "a": book["asks"],
        }
        return msgspec.json.encode(event)


_ALL_LEVELS = 1000


def _prices(levels: list[list[str]]) -> set[str]:
    return {price for price, _ in levels}
