"""The first history of every symbol: the cheapest pages, several symbols at a time, the busiest first."""

import logging
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from core.clock import Clock
from core.errors import ExchangeRefused, ExchangeUnavailable
from core.market import MINUTE_MS, QUARTER_MS, CandleHistory
from services.candle_pages import PAGE, CandleReader, read_history
from services.set_aside import Exclusion, SetAside

_log = logging.getLogger(__name__)

QUARTER_PAGES = 3
_ATTEMPTS = 3
_LOOK_SECONDS = 1.0


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


Done = Callable[[str, CandleHistory, CandleHistory], None]
Spawn = Callable[[Coroutine[Any, Any, None]], None]


class Bootstrap:
    """Fetches 15m, then 1m history of each symbol it is asked for and hands both to ``done`` at once.

    Three pages of 15m (EMA200 needs 1,400 bars) and one of 1m: a weight of 8 a symbol. A symbol that
    fails ``_ATTEMPTS`` times is set aside with the reason and asked for again later; the others never wait
    for it. ``frontier`` tells the newest closed minute at the time of each request.
    """

    def __init__(
        self,
        candles: CandleReader,
        *,
        frontier: Callable[[], int],
        clock: Clock,
        done: Done,
        on_progress: Callable[[BootstrapProgress], None],
        spawn: Spawn,
        concurrency: int = 24,
    ) -> None:
        self._candles = candles
        self._frontier = frontier
        self._clock = clock
        self._done = done
        self._on_progress = on_progress
        self._spawn = spawn
        self._concurrency = concurrency
        self._queue: deque[tuple[str, int]] = deque()
        self._workers = 0
        self._asked: set[str] = set()
        self._wanted: set[str] = set()
        self._set_aside = SetAside(clock)
        self._began: float | None = None

    @property
    def set_aside(self) -> Mapping[str, Exclusion]:
        """Who is left out for now, why and until when."""
        return self._set_aside.all

    def fetch(self, symbols: Iterable[str]) -> None:
        """Fetch histories in this order, several at a time; who is being fetched already is not twice."""
        if self._began is None:
            self._began = self._clock.monotonic()
            self._spawn(self._retry())
        fresh = [symbol for symbol in symbols if symbol not in self._wanted]
        self._asked.update(fresh)
        self._wanted.update(fresh)
        self._queue.extend((symbol, 1) for symbol in fresh)
        while self._workers < min(self._concurrency, len(self._queue)):
            self._workers += 1
            self._spawn(self._work())

    def forget(self, symbols: Iterable[str]) -> None:
        """Ask no more for symbols that nobody follows."""
        for symbol in symbols:
            self._asked.discard(symbol)
            self._wanted.discard(symbol)
            self._set_aside.release(symbol)

    async def _work(self) -> None:
        try:
            while self._queue:
                symbol, attempt = self._queue.popleft()
                if symbol in self._wanted:
                    await self._settle(symbol, attempt)
        finally:
            self._workers -= 1

    async def _retry(self) -> None:
        """Ask again, for ever, for whoever was set aside once that is due."""
        while True:
            await self._clock.sleep(_LOOK_SECONDS)
            if due := self._set_aside.due():
                self.fetch(due)

    async def _settle(self, symbol: str, attempt: int) -> None:
        try:
            quarters = await self._closed(symbol, QUARTER_MS, bars=QUARTER_PAGES * PAGE)
            minutes = await self._closed(symbol, MINUTE_MS, bars=PAGE)
        except (ExchangeRefused, ExchangeUnavailable) as fault:
            self._failed(symbol, attempt, str(fault))
            return
        if symbol in self._wanted:
            self._wanted.discard(symbol)
            self._set_aside.release(symbol)
            self._done(symbol, quarters, minutes)
            self._report()

    def _failed(self, symbol: str, attempt: int, reason: str) -> None:
        _log.warning("no history of %s: %s", symbol, reason)
        if symbol not in self._wanted:
            return
        if attempt < _ATTEMPTS:
            self._queue.append((symbol, attempt + 1))
            return
        self._wanted.discard(symbol)
        self._set_aside.put(symbol, reason)
        self._report()

    async def _closed(self, symbol: str, timeframe_ms: int, *, bars: int) -> CandleHistory:
        closed_by = self._frontier() + MINUTE_MS
        return await read_history(self._candles, symbol, timeframe_ms, bars=bars, before_ms=closed_by)

    def _report(self) -> None:
        failed = sum(symbol in self._asked for symbol in self._set_aside.all)
        progress = BootstrapProgress(
            done=len(self._asked - self._wanted) - failed,
            failed=failed,
            total=len(self._asked),
            seconds=self._clock.monotonic() - (self._began or 0.0),
        )
        self._on_progress(progress)
