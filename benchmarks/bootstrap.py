"""Cold and warm start of the whole market inside the exchange's limits, and what a refresh costs others.

Times of the starts are market seconds. At speed 1 all takes some four minutes; at 10, the default, it is the
same race on a shorter track, in which our own processor time weighs ten times as much.
"""

import asyncio
import re
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.venue import SYMBOLS, UNLIMITED, Start, Venue, market, started, venue
from core.market import MINUTE_MS, SymbolAxis
from data.candle_archive import CandleArchive
from services.archived_candles import ArchivedCandles
from services.archivist import Archivist
from services.bootstrap import QUARTER_PAGES
from services.candle_pages import PAGE

PAUSE_MINUTES = 480
WEIGHT_A_SYMBOL = 2 * (QUARTER_PAGES + 1)
CONCURRENT = 20


def run(*, seed: int = 1, speed: float = 10.0) -> dict[str, Any]:
    return asyncio.run(_measure(seed, speed))


async def _measure(seed: int, speed: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        archive = CandleArchive(Path(folder))
        async with venue(seed=seed, speed=speed) as place:
            axis = SymbolAxis(tuple(await place.connection.exchange.instruments()))
            cold = await _start(place, axis, archive)
            await _pause(place, speed)
            warm = await _start(place, axis, archive)
            limit, rate_limited = place.connection.limiter.limit, place.connection.api.rate_limited
    reference = WEIGHT_A_SYMBOL * len(axis) / limit * 60
    ours = cold.seconds * speed
    others = await _refreshes(seed)
    return {
        "name": "bootstrap",
        "unit": "market seconds",
        "ours": ours,
        "reference": reference,
        "reference_name": "weight / limit x 60 s",
        "ratio": ours / reference,
        "rate_limited": rate_limited,
        "symbols": len(axis),
        "excluded": cold.failed,
        "speed": speed,
        "machine_seconds": cold.seconds,
        "first_live_machine_seconds": cold.first_live,
        "cpu_seconds": cold.cpu,
        "warm": warm.seconds * speed,
        "warm_machine_seconds": warm.seconds,
        "warm_cpu_seconds": warm.cpu,
        "warm_pause_minutes": PAUSE_MINUTES,
        **others,
    }


async def _start(place: Venue, axis: SymbolAxis, archive: CandleArchive) -> Start:
    """Start with what the archive holds, and leave it with all that was heard."""
    shelf = await asyncio.to_thread(archive.newest, place.clock.market_ms())
    archivist = Archivist(archive, shelf)
    reader = ArchivedCandles(place.connection.candles, shelf)
    async with market(place, axis, candles=reader, on_history=archivist.hearing(lambda _: None)) as running:
        archivist.start()
        start = await started(running, len(axis))
    await archivist.close()
    return start


async def _pause(place: Venue, speed: float) -> None:
    """Let the market go on without us for hours, as fast as it can."""
    until = (await place.monitor.status()).market_ms + PAUSE_MINUTES * MINUTE_MS
    await place.monitor.set_speed(0)
    while (status := await place.monitor.status()).market_ms < until:
        await place.clock.sleep(0.05)
    await place.monitor.set_speed(speed)
    place.clock.observe(status.market_ms)


# --- what others do ---------------------------------------------------------------------------------


async def _refreshes(seed: int) -> dict[str, float]:
    """Fetch 499 candles of every symbol once, each in its own way, from a server that sets no limit."""
    async with venue(seed=seed, weight_limit=UNLIMITED) as place:
        symbols = tuple(await place.connection.exchange.instruments())[:SYMBOLS]
        client = await _ccxt_client(place.rest)
        try:
            ours = await _timed(symbols, lambda symbol: _page(place, symbol))
            ccxt = await _timed(symbols, lambda symbol: _fetch_ohlcv(client, symbol))
            frames = await _timed(symbols, lambda symbol: _refresh_like_freqtrade(client, symbol))
        finally:
            await client.close()
    return {
        "refresh_cpu_seconds": ours[1],
        "refresh_wall_seconds": ours[0],
        "refresh_cpu_seconds_ccxt": ccxt[1],
        "refresh_wall_seconds_ccxt": ccxt[0],
        "refresh_cpu_seconds_freqtrade": frames[1],
        "refresh_wall_seconds_freqtrade": frames[0],
        "refresh_cpu_ratio_ccxt": ours[1] / ccxt[1],
        "refresh_cpu_ratio_freqtrade": ours[1] / frames[1],
    }


async def _timed(symbols: Sequence[str], fetch: Callable[[str], Awaitable[object]]) -> tuple[float, float]:
    """Return wall and CPU seconds of this process."""
    places = asyncio.Semaphore(CONCURRENT)

    async def one(symbol: str) -> None:
        async with places:
            await fetch(symbol)

    await one(symbols[0])
    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*map(one, symbols))
    return time.perf_counter() - wall, time.process_time() - cpu


async def _page(place: Venue, symbol: str) -> None:
    await place.connection.candles.page(symbol, MINUTE_MS, limit=PAGE)


async def _fetch_ohlcv(client: Any, symbol: str) -> list[list[float]]:
    rows: list[list[float]] = await client.fetch_ohlcv(
        client.markets_by_id[symbol][0]["symbol"], "1m", limit=PAGE
    )
    return rows


async def _refresh_like_freqtrade(client: Any, symbol: str) -> None:
    """Do what its refresh does after fetch_ohlcv: clean, fill, drop the forming candle, a frame a pair."""
    import pandas as pd

    rows = await _fetch_ohlcv(client, symbol)
    names = ["date", "open", "high", "low", "close", "volume"]
    frame = pd.DataFrame(rows, columns=names)
    frame["date"] = pd.to_datetime(frame["date"], unit="ms", utc=True)
    frame = frame.astype(dict.fromkeys(names[1:], "float"))
    kept = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "max"}
    frame = frame.groupby(by="date", as_index=False, sort=True).agg(kept)
    frame = frame.drop(frame.tail(1).index)
    filled = frame.resample("1min", on="date").agg({**kept, "volume": "sum"})
    filled["close"] = filled["close"].ffill()
    columns = ["open", "high", "low"]
    filled[columns] = filled[columns].fillna(dict.fromkeys(columns, filled["close"]))
    filled.reset_index(inplace=True)


async def _ccxt_client(rest: str) -> Any:
    import ccxt.async_support

    client = ccxt.async_support.binanceusdm(
        {"enableRateLimit": False, "options": {"fetchCurrencies": False, "fetchMargins": False}}
    )
    for name, address in client.urls["api"].items():
        if isinstance(address, str):
            client.urls["api"][name] = re.sub(r"^https?://[^/]+", rest, address)
    await client.load_markets()
    return client
