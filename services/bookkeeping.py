"""Rows of closed trades on their way to the trade log: off the loop, and not lost to a fault there."""

import asyncio
import logging
from collections import deque
from threading import Lock

from core.clock import Clock
from core.notices import Alert, Severity
from core.ports import Notifier, TradeSink
from core.trades import TradeRecord

log = logging.getLogger(__name__)

_MOST_WAITING = 1_000
"""Rows kept for a sink that refuses them; it makes up for older ones from the journal."""


class Bookkeeper:
    """Buffers closed trades and writes them in batches.

    The journal already holds every row, so a sink that fails costs nothing but time: trading goes on, people
    hear of it once, and the rows follow when the sink works again.
    """

    def __init__(
        self,
        sink: TradeSink,
        clock: Clock,
        *,
        every_seconds: float = 1.0,
        rest_seconds: float = 30.0,
    ) -> None:
        """``rest_seconds`` is how long a sink that failed is left alone, in machine time."""
        self._sink = sink
        self._clock = clock
        self._every_seconds = every_seconds
        self._rest_seconds = rest_seconds
        self._waiting: deque[TradeRecord] = deque(maxlen=_MOST_WAITING)
        self._notifier: Notifier | None = None
        self._begun = False
        self._fault = ""
        self._told = ""
        self._rests_until = 0.0
        self._writing = Lock()  # cancelling a task does not stop the thread it waits for

    @property
    def waiting(self) -> int:
        """How many rows wait."""
        return len(self._waiting)

    def report_to(self, notifier: Notifier) -> None:
        """Tell people of faults from now on."""
        self._notifier = notifier

    def keep(self, record: TradeRecord) -> None:
        self._waiting.append(record)

    async def run(self) -> None:
        """Write what waits, once in a while, until cancelled; then write the rest."""
        try:
            while True:
                await self._clock.sleep(self._every_seconds)
                if self._clock.monotonic() >= self._rests_until:
                    await asyncio.to_thread(self.flush)
                    self._tell()
        finally:
            self.flush()

    def flush(self) -> None:
        """Write everything that waits, at first even nothing; on a fault the rows stay, for the next time."""
        with self._writing:
            batch = list(self._waiting)
            if not batch and self._begun and not self._fault:
                return
            try:
                self._sink.write(batch)
            except Exception as fault:  # noqa: BLE001 - derived data must never end trading
                log.warning("trade log not written, %d rows wait: %s", len(batch), fault)
                self._fault = str(fault)
                self._rests_until = self._clock.monotonic() + self._rest_seconds
                return
            self._begun, self._fault = True, ""
            written = set(map(id, batch))
            while self._waiting and id(self._waiting[0]) in written:
                self._waiting.popleft()

    def _tell(self) -> None:
        """Tell of a fault once, and of the next one when the sink has worked in between."""
        fault, self._told = self._fault, self._told if self._fault else ""
        if not fault or self._told or self._notifier is None:
            return
        self._told = fault
        at = self._clock.market_ms()
        self._notifier.notify(Alert(key="trade_log_failed", severity=Severity.WARNING, at=at, text=fault))
