"""What the simulator costs: the bootstrap of 650 symbols, and their candles at 60 × speed.

The clients are another process. The reference is a whole core: the trader needs the other one.
"""

import asyncio
import json
import os
import re
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

ROOT = Path(__file__).parents[1]
SYMBOLS = 650
SPEED = 60
PAGE = 499
PAGES = ("15m", "15m", "15m", "1m")
CONCURRENT = 20
STREAMS_A_CONNECTION = 200
STREAM_SECONDS = 15.0
CCXT_PAGES = 650


@dataclass(slots=True)
class Child:
    """A simulator in its own process, and what it has used so far."""

    pid: int
    announced: dict[str, Any]
    start_seconds: float

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_mb(self) -> float:
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        found = re.search(r"VmRSS:\s+(\d+)", status)
        return int(found[1]) / 1024 if found else float("nan")


@dataclass(slots=True)
class Heard:
    """What the streams delivered, and how long after the machine's minute each close arrived."""

    events: int = 0
    bytes: int = 0
    closes: list[float] = field(default_factory=list)


def run(*, seed: int = 1) -> dict[str, Any]:
    return asyncio.run(_measure(seed))


async def _measure(seed: int) -> dict[str, Any]:
    async with _simulator(seed) as child, aiohttp.ClientSession() as session:
        symbols = await _symbols(session, child)
        pages = await _timed(child, _bootstrap(session, child, symbols))
        ccxt = await _timed(child, _bootstrap_by_ccxt(child, symbols))
        heard = Heard()
        streams = await _timed(child, _listen(session, child, symbols, heard))
        status = await _status(session, child)
        count = len(symbols) * len(PAGES)
        return {
            "name": "sim_load",
            "unit": "share of a core",
            "ours": streams[1] / streams[0],
            "reference": 1.0,
            "reference_name": f"one core, {SYMBOLS} candle streams at {SPEED} x",
            "ratio": streams[1] / streams[0],
            "start_seconds": child.start_seconds,
            "requests_per_second": count / pages[0],
            "request_ms": pages[1] / count * 1000,
            "bootstrap_seconds": pages[0],
            "bootstrap_share": pages[1] / pages[0],
            "ccxt_requests_per_second": CCXT_PAGES / ccxt[0],
            "ccxt_share": ccxt[1] / ccxt[0],
            "events_per_second": heard.events / streams[0],
            "closes_per_second": len(heard.closes) / streams[0],
            "megabytes_per_second": heard.bytes / streams[0] / 1e6,
            "close_burst_ms_p99": _burst_ms(heard.closes),
            "effective_speed": status["effectiveSpeed"],
            "rss_mb": child.resident_mb(),
        }


@asynccontextmanager
async def _simulator(seed: int) -> AsyncIterator[Child]:
    began = time.perf_counter()
    arguments = ["--speed", str(SPEED), "--symbols", str(SYMBOLS), "--seed", str(seed)]
    arguments += ["--weight-limit", str(10**6)]  # how fast it can answer, not how fast it allows
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "exchange.sim", *arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    if process.stdout is None:
        raise RuntimeError("the simulator was started without a pipe to read from")
    try:
        announced = json.loads(await process.stdout.readline())
        yield Child(process.pid, announced, time.perf_counter() - began)
    finally:
        process.terminate()
        await process.wait()


async def _timed(child: Child, work: Any) -> tuple[float, float]:
    """Return the wall seconds of some work and the simulator's CPU seconds meanwhile."""
    cpu, began = child.cpu_seconds(), time.perf_counter()
    await work
    return time.perf_counter() - began, child.cpu_seconds() - cpu


async def _symbols(session: aiohttp.ClientSession, child: Child) -> list[str]:
    async with session.get(f"{child.announced['rest']}/fapi/v1/exchangeInfo") as answer:
        return [each["symbol"] for each in (await answer.json())["symbols"]]


async def _status(session: aiohttp.ClientSession, child: Child) -> dict[str, Any]:
    async with session.get(f"{child.announced['rest']}/sim/v1/status") as answer:
        status: dict[str, Any] = await answer.json()
        return status


async def _bootstrap(session: aiohttp.ClientSession, child: Child, symbols: list[str]) -> None:
    """Fetch eight weight of candles a symbol, as a cold start does."""
    places = asyncio.Semaphore(CONCURRENT)

    async def fetch(symbol: str, interval: str) -> None:
        query = f"symbol={symbol}&interval={interval}&limit={PAGE}"
        async with places, session.get(f"{child.announced['rest']}/fapi/v1/klines?{query}") as answer:
            answer.raise_for_status()
            await answer.read()

    await asyncio.gather(*(fetch(symbol, interval) for symbol in symbols for interval in PAGES))


async def _bootstrap_by_ccxt(child: Child, symbols: list[str]) -> None:
    import ccxt.async_support

    client = ccxt.async_support.binanceusdm(
        {"enableRateLimit": False, "options": {"fetchCurrencies": False, "fetchMargins": False}}
    )
    for name, address in client.urls["api"].items():
        if isinstance(address, str):
            client.urls["api"][name] = re.sub(r"^https?://[^/]+", child.announced["rest"], address)
    try:
        markets = await client.load_markets()
        places = asyncio.Semaphore(CONCURRENT)

        async def fetch(symbol: str) -> None:
            async with places:
                await client.fetch_ohlcv(symbol, "15m", limit=PAGE)

        await asyncio.gather(*(fetch(symbol) for symbol in list(markets)[: min(CCXT_PAGES, len(symbols))]))
    finally:
        await client.close()


async def _listen(session: aiohttp.ClientSession, child: Child, symbols: list[str], heard: Heard) -> None:
    """Listen to the 1m candles of all symbols, and to their marks, for a while."""
    names = [f"{symbol.lower()}@kline_1m" for symbol in symbols]
    chunks = [names[at : at + STREAMS_A_CONNECTION] for at in range(0, len(names), STREAMS_A_CONNECTION)]
    chunks.append(["!markPrice@arr@1s"])
    readers = [asyncio.create_task(_read(session, child, chunk, heard)) for chunk in chunks]
    await asyncio.wait(readers, timeout=STREAM_SECONDS)
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*readers, return_exceptions=True)


async def _read(session: aiohttp.ClientSession, child: Child, names: list[str], heard: Heard) -> None:
    async with session.ws_connect(f"{child.announced['ws']}/market/ws", max_msg_size=0) as stream:
        await stream.send_json({"method": "SUBSCRIBE", "params": names, "id": 1})
        async for message in stream:
            heard.events += 1
            heard.bytes += len(message.data)
            if '"x":true' in message.data:
                heard.closes.append(time.perf_counter())


def _burst_ms(closes: list[float]) -> float:
    """Return how long after the first close of a market minute the 99th percentile of its closes came."""
    delays: list[float] = []
    first = float("-inf")
    for at in closes:
        if at - first > 30 / SPEED:
            first = at
        delays.append(at - first)
    return sorted(delays)[int(len(delays) * 0.99)] * 1000 if delays else float("nan")
