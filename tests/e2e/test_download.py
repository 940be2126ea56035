"""download-data as a process, against a simulator over sockets: what it writes can be replayed."""

import asyncio
from pathlib import Path

import numpy as np

from core.market import DAY_MS, MINUTE_MS
from data.candle_archive import CandleArchive
from data.candle_file import CandleFile
from exchange.sim.config import DEFAULT_START_MS, SimConfig
from exchange.sim.process import Simulator
from services.candle_pages import read_history
from tests.contract.binance_rig import rig
from tests.e2e.program import Outcome, run

FROM, TO = DEFAULT_START_MS - 6 * 60 * MINUTE_MS, DEFAULT_START_MS


async def downloaded(home: Path, *arguments: object) -> Outcome:
    async with asyncio.timeout(100):
        simulator = Simulator(SimConfig(symbols=4, speed=1))
        told = await simulator.start()
        try:
            return await asyncio.to_thread(
                run, "download-data", *arguments, "--json", home=home, BINANCE_REST_URL=told.rest
            )
        finally:
            await simulator.close()


async def test_a_downloaded_file_holds_what_the_exchange_tells_and_can_be_replayed(tmp_path: Path) -> None:
    out = tmp_path / "market.parquet"
    done = await downloaded(tmp_path, "--from", FROM, "--to", TO, "--out", out)
    assert done.code == 0, done.stderr
    told = done.json
    assert (told["symbols"], told["fetched"], told["candles"]) == (4, 4 * 360, 4 * 360)
    assert (told["start"], told["end"], told["rate_limited"]) == (FROM, TO, 0)
    candles = CandleFile.load(out)
    async with rig(symbols=4, seed=0) as venue:
        for index, symbol in enumerate(candles.symbols):
            truth = await read_history(
                venue.connection.candles, symbol, MINUTE_MS, bars=360, before_ms=DEFAULT_START_MS
            )
            assert np.array_equal(candles.candles[:, :, index].T, truth.candles)
    replayed = run("replay", "--data", out, "--from", FROM + 60 * MINUTE_MS, "--json", home=tmp_path)
    assert replayed.code == 0, replayed.stderr
    assert replayed.json["candles"] == 4 * 300


async def test_without_a_place_the_last_day_goes_into_the_accounts_archive(tmp_path: Path) -> None:
    done = await downloaded(tmp_path, "--symbols", "BTCUSDT")
    assert done.code == 0, done.stderr
    folder = tmp_path / "sim" / "main" / "candles"
    assert done.json["out"] == str(folder)
    assert done.json["end"] - done.json["start"] == DAY_MS
    shelf = CandleArchive(folder).newest(done.json["end"])
    assert len(shelf) >= 499


async def test_an_unknown_symbol_is_refused_in_one_sentence(tmp_path: Path) -> None:
    done = await downloaded(tmp_path, "--symbols", "BTCUSTD")
    assert done.code == 1
    assert done.stderr.strip().splitlines()[-1] == (
        "BTCUSTD is no USDT perpetual of the exchange; the nearest is BTCUSDT."
    )
