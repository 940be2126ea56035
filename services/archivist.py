"""Writes down what the trader hears, a quarter of an hour at a time and never in its way."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Protocol

from core.market import DAY_MS, MINUTE_MS, CandleHistory, MinuteClosed
from data.candle_batch import CandleBatch
from services.session import MinuteSource

_log = logging.getLogger(__name__)

Beside = Callable[..., Awaitable[int]]
"""Runs a blocking function with its arguments where it blocks nobody, as ``asyncio.to_thread`` does."""

MINUTES_A_PART = 15
ROWS_A_PART = 100_000


class Archive(Protocol):
    """Where candles are kept, such as ``data.candle_archive``. Blocking, so it is called in a thread."""

    def append(self, batches: Sequence[CandleBatch]) -> int: ...

    def merge(self, before_ms: int) -> int: ...


class Memory(Protocol):
    """What of a history the archive knows already; ``data.candle_shelf`` tells."""

    def news(self, history: CandleHistory) -> CandleBatch: ...

    def forget(self, symbol: str) -> None: ...


class Archivist:
    """Hears histories and minutes in passing, and hands them on.

    What a full or broken disk refuses is given up with a warning: the next start fetches it.
    """

    def __init__(self, archive: Archive, memory: Memory, *, beside: Beside = asyncio.to_thread) -> None:
        self._archive = archive
        self._memory = memory
        self._beside = beside
        self._pending: list[CandleBatch] = []
        self._rows = 0
        self._minutes = 0
        self._due = asyncio.Event()
        self._writing = asyncio.Lock()
        self._merged_until = 0
        self._newest = 0
        self._task: asyncio.Task[None] | None = None
        self.lost = 0

    def hearing(self, on_history: Callable[[CandleHistory], None]) -> Callable[[CandleHistory], None]:
        """Return ``on_history`` with us listening."""

        def heard(history: CandleHistory) -> None:
            self._keep(self._memory.news(history))
            if history.timeframe_ms == MINUTE_MS:  # the last a symbol tells before it is live
                self._memory.forget(history.symbol)
            on_history(history)

        return heard

    def following(self, source: MinuteSource) -> "ArchivedMinutes":
        """Return ``source`` with us listening."""
        return ArchivedMinutes(source, self)

    def hear(self, minute: MinuteClosed) -> None:
        """Take note of a minute; some microseconds."""
        self._newest = max(self._newest, minute.at)
        self._minutes += 1
        self._keep(CandleBatch.of_minute(minute))

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="candle archive")

    async def close(self) -> None:
        """Write what is left."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._write()

    def _keep(self, candles: CandleBatch) -> None:
        if len(candles):
            self._pending.append(candles)
            self._rows += len(candles)
        if self._rows >= ROWS_A_PART or self._minutes >= MINUTES_A_PART:
            self._due.set()

    async def _run(self) -> None:
        while True:
            await self._due.wait()
            self._due.clear()
            # Once begun a write is finished: a thread can not be called back.
            await asyncio.shield(self._write())

    async def _write(self) -> None:
        async with self._writing:
            batches, self._pending = self._pending, []
            self._rows = self._minutes = 0
            try:
                if batches:
                    await self._beside(self._archive.append, batches)
                await self._merge()
            except OSError as fault:
                self.lost += sum(map(len, batches))
                _log.warning("candles not archived, the next start will fetch them: %s", fault)

    async def _merge(self) -> None:
        """Merge the days that are over, a while after midnight so that late candles are in."""
        until = (self._newest - MINUTES_A_PART * MINUTE_MS) // DAY_MS * DAY_MS
        if until > self._merged_until:
            self._merged_until = until
            await self._beside(self._archive.merge, until)


class ArchivedMinutes:
    """A ``MinuteSource`` whose minutes an archivist hears too."""

    def __init__(self, source: MinuteSource, archivist: Archivist) -> None:
        self._source = source
        self._archivist = archivist

    def start(self) -> None:
        self._archivist.start()
        self._source.start()

    async def minutes(self) -> AsyncIterator[MinuteClosed]:
        async for minute in self._source.minutes():
            self._archivist.hear(minute)
            yield minute

    async def close(self) -> None:
        await self._source.close()
        await self._archivist.close()
