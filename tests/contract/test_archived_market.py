"""What is on disk after a storm is the exchange's own history, and the next start reads it."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.market import MINUTE_MS, QUARTER_MS, SymbolAxis
from core.rng import seeded
from data.candle_archive import CandleArchive
from exchange.sim.server.faults.catalogue import Fault, MarketFault, MinuteFault, RestFault
from exchange.sim.server.faults.plan import Rule
from services.archived_candles import ArchivedCandles
from services.archivist import Archivist
from services.candle_pages import read_history
from services.data_service import DataService
from tests.contract.virtual_rig import VirtualRig, virtual_rig
from tests.fakes.virtual_time import run_virtually

SURVIVABLE: tuple[Fault, ...] = (
    *MarketFault,
    MinuteFault.STREAMS_CUT,
    MinuteFault.STREAMS_SILENT,
    RestFault.LOSE_REQUEST,
    RestFault.LOSE_REPLY,
    RestFault.GATEWAY_HTML,
    RestFault.OVERLOADED_1008,
    RestFault.TOO_MANY_REQUESTS,
    RestFault.ROW_MISSING,
    RestFault.ROW_TWICE,
    RestFault.ROWS_UNSORTED,
    RestFault.PARTIAL_PAGE,
)


def storm_of(seed: int) -> list[Rule]:
    """Draw some of what can go wrong, how often, and for how long."""
    rng = seeded(seed)
    chosen = rng.permutation(len(SURVIVABLE))[: int(rng.integers(3, 9))]
    return [
        Rule(
            fault=SURVIVABLE[number],
            rate=float(rng.uniform(0.03, 0.3)),
            seconds=float(rng.uniform(1.0, 100.0)),
        )
        for number in chosen.tolist()
    ]


CALM_MINUTES = 4
"""After three a connection of few streams that was left silent is given up."""


async def at_once(work: Callable[..., int], *arguments: Any) -> int:
    """Threads know nothing of virtual time."""
    return work(*arguments)


async def run_archived(
    venue: VirtualRig, archive: CandleArchive, *, minutes: float, storm: Sequence[Rule] = ()
) -> int:
    """Run a data service with an archivist; returns the weight that its start took."""
    axis = SymbolAxis(tuple(await venue.connection.exchange.instruments()))
    shelf = archive.newest(venue.clock.market_ms())
    archivist = Archivist(archive, shelf, beside=at_once)
    service = DataService(
        axis,
        ArchivedCandles(venue.connection.candles, shelf),
        streams=lambda sink: venue.connection.market_streams(axis.names, sink),
        clock=venue.clock,
        on_history=archivist.hearing(lambda _: None),
    )
    source = archivist.following(service)
    used = venue.connection.limiter.used
    source.start()

    async def listen() -> None:
        async for _ in source.minutes():
            pass

    task = asyncio.create_task(listen())
    while service.live < len(axis):
        await venue.clock.sleep(0.1)
    used = venue.connection.limiter.used - used
    venue.strike(*storm)
    await venue.clock.sleep(minutes * 60)
    venue.calm()
    await venue.clock.sleep(CALM_MINUTES * 60 if storm else 0)
    while service.live < len(axis):
        await venue.clock.sleep(1)
    await venue.clock.sleep(61)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await source.close()
    return used


async def compare(venue: VirtualRig, archive: CandleArchive) -> None:
    """Hold every candle that the start keeps in the archive against the exchange's own."""
    candles, now = venue.connection.candles, venue.clock.market_ms()
    shelf = archive.newest(now - MINUTE_MS)
    for symbol in await venue.connection.exchange.instruments():
        for timeframe_ms, bars in ((MINUTE_MS, 499), (QUARTER_MS, 1500)):
            end = (now - MINUTE_MS) // timeframe_ms * timeframe_ms
            truth = await read_history(candles, symbol, timeframe_ms, bars=bars, before_ms=end)
            held = shelf.history(
                symbol, timeframe_ms, start_ms=end - bars * timeframe_ms, end_ms=end - timeframe_ms
            )
            fetched = held.open_times[-1] - held.open_times[0] >= (bars - 10) * timeframe_ms
            assert fetched, "the archive does not reach back"
            since = truth.open_times >= held.open_times[0]
            assert np.array_equal(held.open_times, truth.open_times[since])
            assert np.array_equal(held.candles, truth.candles[:, since])


def after_a_storm(folder: Path, *, seed: int, symbols: int, minutes: float) -> None:
    async def story() -> None:
        async with virtual_rig(symbols=symbols, seed=seed) as venue:
            archive = CandleArchive(folder)
            await run_archived(venue, archive, minutes=minutes, storm=storm_of(seed))
            await compare(venue, archive)

    run_virtually(story())


@pytest.mark.fault(53, 55)
@pytest.mark.parametrize("seed", range(10))
def test_after_a_storm_the_archive_is_the_exchanges_own_history(seed: int, tmp_path: Path) -> None:
    after_a_storm(tmp_path, seed=seed, symbols=2, minutes=8)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10, 30))
def test_after_a_longer_storm_too(seed: int, tmp_path: Path) -> None:
    after_a_storm(tmp_path, seed=seed, symbols=3, minutes=50)


def test_a_second_start_fetches_the_pause_alone(tmp_path: Path) -> None:
    async def story() -> None:
        async with virtual_rig(symbols=3) as venue:
            archive = CandleArchive(tmp_path)
            cold = await run_archived(venue, archive, minutes=3)
            await venue.clock.sleep(15 * 60)
            warm = await run_archived(venue, archive, minutes=1)
            assert (cold, warm) == (3 * 8, 3 * 2)
            await compare(venue, archive)

    run_virtually(story())
