"""Writes down what the trader hears, a quarter of an hour at a time and never in its way."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from core.market import DAY_MS, MINUTE_MS, CandleHistory, MinuteClosed
from data.candle_archive import MINUTES_A_PART
from data.candle_batch import CandleBatch
from services.session import MinuteSource

log = logging.getLogger(__name__)

Beside = Callable[..., Awaitable[int]]
"""Runs a blocking function with its arguments where it blocks nobody, as ``asyncio.to_thread`` does."""

ROWS_A_PART = 100_000
MOST_ROWS = 2_000_000
"""What is kept in memory for a disk that hangs, some 100 MB: a whole cold start."""


class Archive(Protocol):
    """Where candles are kept, such as ``data.candle_archive``. Blocking, so it is called in a thread."""

    def append(self, batches: Sequence[CandleBatch]) -> int: ...

    def merge(self, before_ms: int) -> int: ...


class Memory(Protocol):
    """What of a history the archive knows already; ``data.candle_shelf`` tells."""

    def news(self, history: CandleHistory) -> CandleBatch: ...

    def forget(self, symbol: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """How many candles never reached the disk so far, and why the last of them did not."""

    candles: int = 0
    why: str = ""


class Archivist:
    """Hears histories and minutes in passing, and hands them on.

    What a full, broken or hanging disk does not take is given up with a warning and counted in ``loss``: the
    next start fetches it. A day that could not be merged is merged with the next part.
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
        self.loss = Loss()

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
        is_first = not self._newest
        self._newest = max(self._newest, minute.at)
        self._minutes += 1
        self._keep(CandleBatch.of_minute(minute))
        if is_first:  # the histories of a start are in: a kill must not cost them
            self._due.set()

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
        while self._rows > MOST_ROWS:
            self._rows -= self._give_up([self._pending.pop(0)], why="the disk takes nothing")
        if self._rows >= ROWS_A_PART or self._minutes >= MINUTES_A_PART:
            self._due.set()

    async def _run(self) -> None:
        while True:
            await self._due.wait()
            self._due.clear()
            try:
                # Once begun a write is finished: a thread can not be called back.
                await asyncio.shield(self._write())
            except Exception:  # a mistake here costs candles on disk; they must not pile up in memory as well
                log.exception("candles not archived")

    async def _write(self) -> None:
        async with self._writing:
            batches, self._pending = self._pending, []
            self._rows = self._minutes = 0
            try:
                if batches:
                    await self._beside(self._archive.append, batches)
            except OSError as fault:
                self._give_up(batches, why=_told(fault))
                log.warning("the disk said: %s", fault)
            await self._merge()

    async def _merge(self) -> None:
        """Merge the days that are over, a while after midnight so that late candles are in."""
        until = (self._newest - MINUTES_A_PART * MINUTE_MS) // DAY_MS * DAY_MS
        if until <= self._merged_until:
            return
        try:
            await self._beside(self._archive.merge, until)
        except OSError as fault:
            log.warning("days of candles not merged, tried again with the next part: %s", fault)
        else:
            self._merged_until = until

    def _give_up(self, batches: Sequence[CandleBatch], *, why: str) -> int:
        rows = sum(map(len, batches))
        log.warning("%d candles not archived, the next start will fetch them: %s", rows, why)
        self.loss = Loss(candles=self.loss.candles + rows, why=why)
        return rows


def _told(fault: OSError) -> str:
    """Say it in the system's words; a library's own add where in itself it was."""
    return os.strerror(fault.errno).lower() if fault.errno else str(fault)


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
