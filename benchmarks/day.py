"""A market day of 650 symbols through the data service and the archive: what it takes, and what it leaves.

At 60, the default, it takes 24 minutes; at 120 half of that, and our own processor time weighs twice as much.
"""

import asyncio
import gc
import os
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.venue import Market, Venue, market, started, venue
from core.market import SymbolAxis
from data.candle_archive import CandleArchive
from data.candle_store import CandleStore
from services.archivist import Archivist

SPEED = 60.0
HOURS = 24
SETTLED = 4
"""Hours until caches, pools and rings have their size: growth is counted from then on."""
ALLOWED_MB = 24.0
"""What a day may add to what the program keeps resident."""


@dataclass(slots=True)
class Log:
    """What is read at the end of each market hour."""

    resident_mb: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)
    _told: int = 0

    def note(self, latencies: list[float]) -> None:
        gc.collect()
        self.resident_mb.append(resident_mb())
        hour, self._told = latencies[self._told :], len(latencies)
        if hour:
            self.p99_ms.append(float(np.percentile(hour, 99)) * 1000)

    @property
    def growth(self) -> float:
        """Return the slope of the resident size in MB an hour, once all is settled.

        The median of the slopes between any two hours (Theil and Sen): what merging a day takes at midnight
        is kept for the next one, and is no growth.
        """
        settled = np.array(self.resident_mb[min(SETTLED, len(self.resident_mb) - 2) :])
        earlier, later = np.triu_indices(len(settled), 1)
        return float(np.median((settled[later] - settled[earlier]) / (later - earlier)))


def run(*, seed: int = 1, speed: float = SPEED) -> dict[str, Any]:
    return asyncio.run(_measure(seed, speed))


async def _measure(seed: int, speed: float) -> dict[str, Any]:
    log = Log()
    with tempfile.TemporaryDirectory() as folder:
        async with venue(seed=seed, speed=speed) as place:
            axis = SymbolAxis(tuple(await place.connection.exchange.instruments()))
            running, began, used = await _live_through(place, axis, Path(folder), log)
            latencies = running.latencies
            spent = (time.process_time() - used) / (time.perf_counter() - began)
            rate_limited = place.connection.api.rate_limited
    growth = log.growth * HOURS
    return {
        "name": "day",
        "unit": "MB a market day adds",
        "ours": growth,
        "reference": ALLOWED_MB,
        "reference_name": "what we allow ourselves",
        "ratio": growth / ALLOWED_MB,
        "resident_mb_by_hour": [round(each, 1) for each in log.resident_mb],
        "growth_mb_an_hour": log.growth,
        "p50_ms": float(np.median(latencies)) * 1000,
        "p99_ms": float(np.percentile(latencies, 99)) * 1000,
        "p99_ms_by_hour": [round(each, 2) for each in log.p99_ms],
        "minutes": running.minutes,
        "whole_minutes": len(latencies),
        "share_of_a_core": spent,
        "symbols": len(axis),
        "speed": speed,
        "rate_limited": rate_limited,
    }


async def _live_through(
    place: Venue, axis: SymbolAxis, folder: Path, log: Log
) -> tuple[Market, float, float]:
    """Follow the market through the hours; returns it, and seconds and CPU seconds at which all was live."""
    archive, store = CandleArchive(folder), CandleStore(axis)
    archivist = Archivist(archive, await asyncio.to_thread(archive.newest, place.clock.market_ms()))
    heard = archivist.hearing(store.load)
    async with market(place, axis, on_history=heard, on_minute=(archivist.hear, store.append)) as running:
        archivist.start()
        await started(running, len(axis))
        running.latencies.clear()
        began, used = time.perf_counter(), time.process_time()
        log.note(running.latencies)
        first = running.minutes
        for hour in range(1, HOURS + 1):
            while running.minutes < first + hour * 60:
                await place.clock.sleep(0.05)
            log.note(running.latencies)
        await archivist.close()
    return running, began, used


def resident_mb() -> float:
    """Return what is resident now, not at most; Linux only."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
