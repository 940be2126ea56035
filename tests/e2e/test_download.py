"""download-data as a process, against a simulator over sockets: what it writes is what the exchange tells."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np

from core.clock import SystemClock
from core.market import DAY_MS, MINUTE_MS
from core.rng import seeded
from data.candle_archive import CandleArchive
from data.candle_file import CandleFile
from exchange.binance.addresses import BinanceAddresses, Credentials
from exchange.binance.connection import BinanceConnection
from exchange.sim.config import DEFAULT_START_MS, Announcement, SimConfig
from exchange.sim.process import Simulator
from services.candle_pages import read_history
from tests.e2e.program import Outcome, run

FROM, TO = DEFAULT_START_MS - 6 * 60 * MINUTE_MS, DEFAULT_START_MS


@asynccontextmanager
async def exchange() -> AsyncIterator[Announcement]:
    simulator = Simulator(SimConfig(symbols=2))
    try:
        yield await simulator.start()
    finally:
        await simulator.close()


async def downloaded(told: Announcement, home: Path, *arguments: object) -> Outcome:
    return await asyncio.to_thread(
        run, "download-data", *arguments, "--json", home=home, BINANCE_REST_URL=told.rest
    )


async def test_a_downloaded_file_holds_what_the_exchange_tells(tmp_path: Path) -> None:
    out = tmp_path / "market.parquet"
    async with exchange() as told:
        done = await downloaded(told, tmp_path, "--from", FROM, "--to", TO, "--out", out)
        assert done.code == 0, done.stderr
        candles = CandleFile.load(out)
        connection = BinanceConnection(
            BinanceAddresses(rest=told.rest, ws=told.ws), Credentials(), clock=SystemClock(), rng=seeded(1)
        )
        for index, symbol in enumerate(candles.symbols):
            truth = await read_history(connection.candles, symbol, MINUTE_MS, bars=360, before_ms=TO)
            assert np.array_equal(candles.candles[:, :, index].T, truth.candles)
        await connection.close()
    said = done.json
    assert (said["symbols"], said["fetched"], said["candles"]) == (2, 2 * 360, 2 * 360)
    assert (said["start"], said["end"], said["rate_limited"]) == (FROM, TO, 0)
    assert CandleFile.load(tmp_path / "market.candles").count == candles.count == 2 * 360


def test_a_file_from_a_simulator_of_its_own_leaves_nothing_but_its_archive_beside_it(tmp_path: Path) -> None:
    out = tmp_path / "market.parquet"
    done = run(
        "download-data", "--symbols", "BTCUSDT", "--from", FROM, "--to", TO, "--out", out, home=tmp_path
    )
    assert done.code == 0, done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"market.parquet", "market.candles"}


async def test_without_a_place_the_last_day_goes_into_the_accounts_archive(tmp_path: Path) -> None:
    async with exchange() as told:
        done = await downloaded(told, tmp_path, "--symbols", "BTCUSDT")
        assert done.code == 0, done.stderr
        longer = await downloaded(told, tmp_path, "--symbols", "BTCUSDT", "--from", FROM - 9 * DAY_MS)
        unknown = await downloaded(told, tmp_path, "--symbols", "BTCUSTD")
    folder = tmp_path / "sim" / "main" / "candles"
    assert done.json["out"] == str(folder)
    assert done.json["end"] - done.json["start"] == DAY_MS
    assert len(CandleArchive(folder).newest(done.json["end"])) >= 499
    assert (longer.code, longer.json["start"]) == (0, FROM - 9 * DAY_MS)
    assert longer.json["start"] < longer.json["first"] < done.json["first"] == done.json["start"]
    assert "the exchange gives none before 20" in longer.stderr
    assert unknown.code == 1
    assert unknown.stderr.strip().splitlines()[-1] == (
        "BTCUSTD is no USDT perpetual of the exchange; the nearest is BTCUSDT."
    )
