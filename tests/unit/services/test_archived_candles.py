"""A start after a pause: what the archive holds is not asked for, and what it lacks is."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from core.market import DAY_MS, MINUTE_MS, QUARTER_MS, CandleHistory
from data.candle_archive import CandleArchive
from data.candle_batch import CandleBatch
from exchange.limits.weight import Priority
from services.archived_candles import ArchivedCandles
from services.candle_pages import read_history

NOW = 20_000 * DAY_MS + 8 * 60 * MINUTE_MS


def true_history(symbol: str, timeframe_ms: int, start_ms: int, end_ms: int) -> CandleHistory:
    """Return the one truth about ``[start_ms, end_ms]``."""
    times = np.arange(start_ms, end_ms + 1, timeframe_ms, dtype=np.int64)
    opened = 100.0 + times // timeframe_ms % 991
    candles = np.stack([opened, opened + 2, opened - 2, opened + 1, np.full(len(times), 5.0)])
    return CandleHistory(symbol=symbol, timeframe_ms=timeframe_ms, open_times=times, candles=candles)


@dataclass
class Truth:
    """The exchange, and what it was asked: timeframe, limit, whether from a start on."""

    asked: list[tuple[int, int, bool]] = field(default_factory=list)

    async def page(
        self,
        symbol: str,
        timeframe_ms: int,
        *,
        limit: int,
        start_ms: int | None = None,
        end_ms: int | None = None,
        priority: Priority = Priority.SCAN,
    ) -> CandleHistory:
        self.asked.append((timeframe_ms, limit, start_ms is not None))
        last = (end_ms if end_ms is not None else NOW) // timeframe_ms * timeframe_ms
        first = last - (limit - 1) * timeframe_ms if start_ms is None else start_ms
        return true_history(symbol, timeframe_ms, first, min(last, first + (limit - 1) * timeframe_ms))


def read(archive: CandleArchive, timeframe_ms: int, bars: int) -> tuple[CandleHistory, Truth]:
    truth = Truth()
    reader = ArchivedCandles(truth, archive.newest(NOW))
    return asyncio.run(read_history(reader, "AUSDT", timeframe_ms, bars=bars, before_ms=NOW)), truth


def fill(archive: CandleArchive, timeframe_ms: int, *spans: tuple[int, int]) -> None:
    """Archive the truth of spans given in bars before now: (oldest, newest)."""
    archive.append(
        [
            CandleBatch.of_history(
                true_history("AUSDT", timeframe_ms, NOW - old * timeframe_ms, NOW - new * timeframe_ms)
            )
            for old, new in spans
        ]
    )


def is_whole(history: CandleHistory, bars: int) -> bool:
    step = history.timeframe_ms
    truth = true_history("AUSDT", step, NOW - bars * step, NOW - step)
    return np.array_equal(history.open_times, truth.open_times) and np.array_equal(
        history.candles, truth.candles
    )


def test_an_archive_that_is_up_to_date_costs_nothing(tmp_path: Path) -> None:
    archive = CandleArchive(tmp_path)
    fill(archive, QUARTER_MS, (1500, 1))
    history, truth = read(archive, QUARTER_MS, 1497)
    assert is_whole(history, 1497)
    assert truth.asked == []


def test_only_the_pause_is_fetched(tmp_path: Path) -> None:
    archive = CandleArchive(tmp_path)
    fill(archive, QUARTER_MS, (1532, 33))
    history, truth = read(archive, QUARTER_MS, 1497)
    assert is_whole(history, 1497)
    assert truth.asked == [(QUARTER_MS, 32, True)]


def test_a_hole_is_mended_by_the_exchange(tmp_path: Path) -> None:
    archive = CandleArchive(tmp_path)
    fill(archive, MINUTE_MS, (499, 300), (250, 1))
    history, truth = read(archive, MINUTE_MS, 499)
    assert is_whole(history, 499)
    assert truth.asked == [(MINUTE_MS, 499, True)]


def test_what_is_older_than_the_archive_is_fetched(tmp_path: Path) -> None:
    archive = CandleArchive(tmp_path)
    fill(archive, QUARTER_MS, (700, 1))
    history, truth = read(archive, QUARTER_MS, 1497)
    assert is_whole(history, 1497)
    assert truth.asked == [(QUARTER_MS, 499, False), (QUARTER_MS, 298, False)]


def test_damage_costs_no_more_than_its_candles(tmp_path: Path) -> None:
    archive = CandleArchive(tmp_path)
    fill(archive, QUARTER_MS, (1500, 1))
    victim = sorted(tmp_path.rglob("*.parquet"))[5]
    victim.write_bytes(victim.read_bytes()[:-9])
    history, truth = read(archive, QUARTER_MS, 1497)
    assert is_whole(history, 1497)
    assert len(truth.asked) == 1
