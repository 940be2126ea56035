"""The first history of every symbol: the cheapest pages, several symbols at a time, the busiest first."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.clock import Clock
from core.errors import ExchangeRefused, ExchangeUnavailable
from core.market import MINUTE_MS, QUARTER_MS, CandleHistory, Floats, SymbolAxis
from services.candle_pages import PAGE, CandleReader, read_history

_log = logging.getLogger(__name__)

QUARTER_PAGES = 3
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class BootstrapProgress:
    """How far the first fetch is; ``seconds_left`` extrapolates the pace so far."""

    done: int
    failed: int
    total: int
    seconds: float

    @property
    def seconds_left(self) -> float:
        settled = self.done + self.failed
        return self.seconds / settled * (self.total - settled) if settled else float("inf")


Done = Callable[[int, CandleHistory, CandleHistory], None]


class Bootstrap:
    """Fetches 15m, then 1m history of each symbol and hands both to ``done`` at once.

    Three pages of 15m (EMA200 needs 1,400 bars) and one of 1m: a weight of 8 a symbol. A symbol that
    fails ``_ATTEMPTS`` times is left out with the reason; the others never wait for it.
    """

    def __init__(
        self,
        axis: SymbolAxis,
        candles: CandleReader,
        *,
        clock: Clock,
        done: Done,
        on_progress: Callable[[BootstrapProgress], None],
        concurrency: int = 24,
    ) -> None:
        self._axis = axis
        self._candles = candles
        self._clock = clock
        self._done = done
        self._on_progress = on_progress
        self._concurrency = concurrency
        self._frontier: Callable[[], int] = lambda: 0
        self._finished = 0
        self.failed: dict[str, str] = {}

    async def run(self, frontier: Callable[[], int], *, volumes: Floats) -> None:
        """Fetch everything; ``frontier`` tells the newest closed minute at the time of each request."""
        self._frontier = frontier
        started = self._clock.monotonic()
        busiest_first = np.argsort(-np.nan_to_num(volumes), kind="stable").tolist()
        queue = deque((index, 1) for index in busiest_first)

        async def work() -> None:
            while queue:
                index, attempt = queue.popleft()
                if not await self._fetch_symbol(index, is_last=attempt == _ATTEMPTS):
                    queue.append((index, attempt + 1))
                    continue
                self._report(started)

        await asyncio.gather(*(work() for _ in range(self._concurrency)))

    async def fetch_again(self, index: int) -> None:
        """Start over with one symbol whose gap has grown too long to be filled."""
        for attempt in range(1, _ATTEMPTS + 1):
            if await self._fetch_symbol(index, is_last=attempt == _ATTEMPTS):
                return

    async def _fetch_symbol(self, index: int, *, is_last: bool) -> bool:
        """Return whether the symbol is settled: fetched, or left out for good."""
        symbol = self._axis.names[index]
        try:
            quarters = await self._closed(symbol, QUARTER_MS, bars=QUARTER_PAGES * PAGE)
            minutes = await self._closed(symbol, MINUTE_MS, bars=PAGE)
        except (ExchangeRefused, ExchangeUnavailable) as fault:
            _log.warning("no history of %s: %s", symbol, fault)
            if is_last:
                self.failed[symbol] = str(fault)
            return is_last
        self.failed.pop(symbol, None)
        self._finished += 1
        self._done(index, quarters, minutes)
        return True

    async def _closed(self, symbol: str, timeframe_ms: int, *, bars: int) -> CandleHistory:
        closed_by = self._frontier() + MINUTE_MS
        return await read_history(self._candles, symbol, timeframe_ms, bars=bars, before_ms=closed_by)

    def _report(self, started: float) -> None:
        progress = BootstrapProgress(
            done=self._finished,
            failed=len(self.failed),
            total=len(self._axis),
            seconds=self._clock.monotonic() - started,
        )
        self._on_progress(progress)
