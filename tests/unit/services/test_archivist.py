"""Writing down what the trader hears, whatever the disk does meanwhile."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from core.market import DAY_MS, MINUTE_MS, CandleHistory, MarketContext, MinuteClosed, SymbolAxis
from data.candle_archive import MINUTES_A_PART
from data.candle_batch import CandleBatch
from data.candle_shelf import Shelf
from services.archivist import Archivist

AXIS = SymbolAxis(("AUSDT", "BUSDT"))
DAY = 20_000 * DAY_MS


def minute(number: int) -> MinuteClosed:
    return MinuteClosed(
        open_time=DAY + number * MINUTE_MS,
        axis=AXIS,
        row=np.full((5, 2), float(number)),
        present=np.ones(2, np.bool_),
        context=MarketContext.unknown(2),
        seen_at=0,
    )


@dataclass
class Minutes:
    """A market of so many minutes, each a turn of the loop apart."""

    count: int
    closed: bool = False

    def start(self) -> None: ...

    async def minutes(self) -> AsyncIterator[MinuteClosed]:
        for number in range(self.count):
            await asyncio.sleep(0)  # noqa: TID251 - lets the others run
            yield minute(number)

    async def close(self) -> None:
        self.closed = True


@dataclass
class Disk:
    """An archive that remembers, may be slow, and may refuse."""

    written: list[int] = field(default_factory=list)
    merged: list[int] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    full: bool = False
    unmergeable: int = 0
    mistaken: int = 0
    busy: int = 0

    def append(self, batches: Sequence[CandleBatch]) -> int:
        if self.mistaken:
            self.mistaken -= 1
            raise RuntimeError("a mistake")
        self.busy += 1
        assert self.busy == 1, "an archive has one writer"
        self.released.wait(5)
        self.busy -= 1
        if self.full:
            raise OSError(28, "No space left on device")
        self.written += [int(time) for batch in batches for time in batch.times]
        return 0

    def merge(self, before_ms: int) -> int:
        if self.unmergeable:
            self.unmergeable -= 1
            raise OSError(5, "Input/output error")
        self.merged.append(before_ms)
        return 0


async def at_once(work: Callable[..., int], *arguments: Any) -> int:
    """Do without a thread, so that turns of the loop alone decide what is written when."""
    return work(*arguments)


async def follow(disk: Disk, count: int, *, archivist: Archivist | None = None) -> list[MinuteClosed]:
    source = (archivist or Archivist(disk, Shelf([]))).following(Minutes(count))
    source.start()
    heard = [each async for each in source.minutes()]
    disk.released.set()
    await source.close()
    return heard


async def test_minutes_are_handed_on_while_the_disk_is_stuck() -> None:
    disk = Disk()
    assert len(await follow(disk, 4 * MINUTES_A_PART)) == 4 * MINUTES_A_PART


async def test_every_candle_is_written_once_the_last_ones_at_the_end() -> None:
    disk = Disk()
    await follow(disk, 40)
    assert sorted(disk.written) == sorted(DAY + number * MINUTE_MS for number in range(40) for _ in range(2))


async def test_what_a_start_fetched_is_written_with_the_first_minute() -> None:
    disk = Disk()
    disk.released.set()
    archivist = Archivist(disk, Shelf([]), beside=at_once)
    times = DAY - np.arange(3, 0, -1, dtype=np.int64) * MINUTE_MS
    history = CandleHistory(
        symbol="AUSDT", timeframe_ms=MINUTE_MS, open_times=times, candles=np.ones((5, len(times)))
    )
    archivist.hearing(lambda _: None)(history)
    source = archivist.following(Minutes(5))
    source.start()
    async for _ in source.minutes():
        pass
    assert [*times, DAY] == sorted(set(disk.written))[:4]
    await source.close()


async def test_days_before_the_newest_are_merged() -> None:
    disk = Disk()
    await follow(disk, 40)
    assert disk.merged[-1] == DAY


async def test_a_full_disk_loses_candles_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    disk = Disk(full=True)
    archivist = Archivist(disk, Shelf([]))
    with caplog.at_level(logging.WARNING):
        heard = await follow(disk, 40, archivist=archivist)
    assert len(heard) == 40
    assert archivist.loss.candles == 40 * len(AXIS)
    assert archivist.loss.why == "no space left on device"
    assert "the next start will fetch them" in caplog.text


async def test_a_day_that_could_not_be_merged_is_merged_with_the_next_part_and_nothing_is_lost() -> None:
    disk = Disk(unmergeable=1)
    disk.released.set()
    archivist = Archivist(disk, Shelf([]), beside=at_once)
    await follow(disk, 40, archivist=archivist)
    await archivist.close()
    assert disk.merged == [DAY]
    assert archivist.loss.candles == 0
    assert len(disk.written) == 40 * len(AXIS)


async def test_a_mistake_in_writing_does_not_end_it(caplog: pytest.LogCaptureFixture) -> None:
    disk = Disk(mistaken=1)
    disk.released.set()
    archivist = Archivist(disk, Shelf([]), beside=at_once)
    await follow(disk, 4 * MINUTES_A_PART, archivist=archivist)
    assert "a mistake" in caplog.text
    assert min(disk.written) > DAY
    assert max(disk.written) == DAY + (4 * MINUTES_A_PART - 1) * MINUTE_MS


async def test_a_disk_that_hangs_fills_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.archivist.MOST_ROWS", 20)
    archivist = Archivist(Disk(), Shelf([]))
    for number in range(40):
        archivist.hear(minute(number))
    assert archivist.loss.candles == 40 * len(AXIS) - 20


async def test_a_history_is_handed_on_and_only_its_news_is_written() -> None:
    disk = Disk()
    told: list[CandleHistory] = []
    disk.released.set()
    archivist = Archivist(disk, Shelf([]))
    history = CandleHistory(
        symbol="AUSDT",
        timeframe_ms=MINUTE_MS,
        open_times=DAY + np.arange(3) * MINUTE_MS,
        candles=np.ones((5, 3)),
    )
    archivist.hearing(told.append)(history)
    await archivist.close()
    assert told == [history]
    assert len(disk.written) == 3
