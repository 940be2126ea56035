"""When a minute is complete: all live symbols have closed it, or the wait has been long enough."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.market import MINUTE_MS, Booleans, Moves


@dataclass(slots=True)
class _Pending:
    arrived: Booleans
    count: int = 0


class MinuteBarrier:
    """Publishes each minute once and in order. Synchronous; whoever owns it minds the deadline.

    ``publish`` gets the minute's open time, who is present, and who dropped out with it.

    A symbol is *live* when whoever listens has all its candles up to the frontier, the last published
    minute. Only live symbols are waited for; one that misses a minute is live no more until its gap has
    been closed.
    """

    def __init__(self, symbols: int, *, publish: Callable[[int, Booleans, Booleans], None]) -> None:
        self._publish = publish
        self._pending: dict[int, _Pending] = {}
        self.live: Booleans = np.zeros(symbols, dtype=np.bool_)
        self.frontier = 0

    def begin(self, frontier: int) -> None:
        """Take ``frontier`` (ms) as published, so that the next minute is the first one waited for."""
        self.frontier = frontier

    def join(self, index: int) -> None:
        """Count a symbol as live from the next minute on."""
        self.live[index] = True

    def leave(self, index: int) -> None:
        """Wait no more for a symbol until it joins again."""
        self.live[index] = False
        self.publish_complete()

    def arrange(self, moves: Moves) -> None:
        """Stand on another axis; who is new is not waited for, and who left no more."""
        self.live = moves.of(self.live, blank=False)
        for pending in self._pending.values():
            pending.arrived = moves.of(pending.arrived, blank=False)
            pending.count = int(np.count_nonzero(pending.arrived))

    def publish_complete(self) -> None:
        """Publish what nobody who is still waited for is missing in."""
        while self._is_complete(self._pending.get(self.frontier + MINUTE_MS)):
            self._publish_next()

    def arrive(self, index: int, open_time: int) -> bool:
        """Note a closed candle beyond the frontier; ``True`` when it is the first of its minute."""
        pending = self._pending.get(open_time)
        is_first = pending is None
        if pending is None:
            pending = _Pending(np.zeros(len(self.live), dtype=np.bool_))
            self._pending[open_time] = pending
        if not pending.arrived[index]:
            pending.arrived[index] = True
            pending.count += 1
        self.publish_complete()
        return is_first

    def forget(self, index: int, open_time: int) -> None:
        """Take an arrival back whose candle is no longer known, so that nobody decides on its absence."""
        pending = self._pending.get(open_time)
        if pending is not None and pending.arrived[index]:
            pending.arrived[index] = False
            pending.count -= 1

    def expire(self, open_time: int) -> None:
        """Publish everything up to this minute, whoever is missing."""
        while self.frontier < open_time:
            self._publish_next()
        self.publish_complete()

    def _is_complete(self, pending: _Pending | None) -> bool:
        if pending is None or pending.count < np.count_nonzero(self.live):
            return False
        return not bool((self.live & ~pending.arrived).any())

    def _publish_next(self) -> None:
        self.frontier += MINUTE_MS
        pending = self._pending.pop(self.frontier, None)
        present = self.live & pending.arrived if pending else np.zeros(len(self.live), dtype=np.bool_)
        dropped = self.live & ~present
        self.live = present.copy()
        self._publish(self.frontier, present, dropped)
