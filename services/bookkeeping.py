"""Rows of closed trades on their way to the trade log: off the loop, and not lost to a fault there."""

import asyncio
import logging
from collections import deque
from threading import Lock

from core.clock import Clock
from core.ports import TradeSink
from core.trades import TradeRecord

log = logging.getLogger(__name__)


class Bookkeeper:
    """Buffers closed trades and writes them in batches.

    The journal already holds every row, so a sink that fails costs nothing but time: rows wait, and the
    trade log can be rebuilt from the journal whenever.
    """

    def __init__(self, sink: TradeSink, clock: Clock, *, every_seconds: float = 1.0) -> None:
        self._sink = sink
        self._clock = clock
        self._every_seconds = every_seconds
        self._waiting: deque[TradeRecord] = deque()
        self._writing = Lock()  # cancelling a task does not stop the thread it waits for

    def keep(self, record: TradeRecord) -> None:
        self._waiting.append(record)

    async def run(self) -> None:
        """Write what waits, once in a while, until cancelled; then write the rest."""
        try:
            while True:
                await self._clock.sleep(self._every_seconds)
                await asyncio.to_thread(self.flush)
        finally:
            self.flush()

    def flush(self) -> None:
        """Write everything that waits; on a fault the rows stay, for the next time."""
        with self._writing:
            batch = list(self._waiting)
            if not batch:
                return
            try:
                self._sink.write(batch)
            except Exception as fault:  # noqa: BLE001 - derived data must never end trading
                log.warning("trade log not written, %d rows wait: %s", len(batch), fault)
                return
            for _ in batch:
                self._waiting.popleft()
