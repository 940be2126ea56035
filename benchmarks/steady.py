"""The whole market while nothing is wrong: processor time, weight, and how soon a minute leaves."""

import asyncio
import resource
import time
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from benchmarks.venue import Venue, market, started, venue
from core.market import SymbolAxis
from exchange.binance.transport import AiohttpTransport, HttpRequest, HttpResponse

SPEED = 60.0
SECONDS = 20.0
ALLOWED_MS = 5.0


class CountingTransport(AiohttpTransport):
    """Counts requests by path, and keeps the highest weight that a minute of the exchange's reached."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: Counter[str] = Counter()
        self.highest_weight = 0

    async def send(self, request: HttpRequest) -> HttpResponse:
        reply = await super().send(request)
        self.requests[urlsplit(request.url).path] += 1
        self.highest_weight = max(self.highest_weight, int(reply.headers.get("X-MBX-USED-WEIGHT-1M", 0)))
        return reply

    def forget(self) -> None:
        self.requests.clear()
        self.highest_weight = 0


def run(*, seed: int = 1, speed: float = SPEED) -> dict[str, Any]:
    return asyncio.run(_measure(seed, speed))


async def _measure(seed: int, speed: float) -> dict[str, Any]:
    transport = CountingTransport()
    async with venue(seed=seed, speed=speed, transport=transport) as place:
        axis = SymbolAxis(tuple(await place.connection.exchange.instruments()))
        async with market(place, axis) as running:
            await started(running, len(axis))
            account = asyncio.create_task(_read_account(place, speed))
            await asyncio.sleep(max(2.0, 120 / speed))
            transport.forget()
            running.latencies.clear()
            before, resident = running.minutes, _resident_mb()
            cpu, began = time.process_time(), time.perf_counter()
            await asyncio.sleep(max(SECONDS, 180 / speed))
            share = (time.process_time() - cpu) / (time.perf_counter() - began)
            account.cancel()
            await asyncio.gather(account, return_exceptions=True)
        p99 = float(np.percentile(running.latencies, 99)) * 1000
        return {
            "name": "steady",
            "unit": "ms from the last close to the minute, p99",
            "ours": p99,
            "reference": ALLOWED_MS,
            "reference_name": "what we allow ourselves",
            "ratio": p99 / ALLOWED_MS,
            "p50_ms": float(np.median(running.latencies)) * 1000,
            "market_data_requests": sum(
                count for path, count in transport.requests.items() if path.endswith("klines")
            ),
            "weight_a_minute": transport.highest_weight,
            "share_of_a_core": share,
            "speed": speed,
            "symbols": len(axis),
            "minutes": running.minutes - before,
            "whole_minutes": len(running.latencies),
            "rate_limited": place.connection.api.rate_limited,
            "rss_mb": _resident_mb(),
            "rss_growth_mb": _resident_mb() - resident,
        }


async def _read_account(place: Venue, speed: float) -> None:
    """Read the account once a market minute, as a trader does."""
    while True:
        await place.connection.exchange.account()
        await asyncio.sleep(60 / speed)


def _resident_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
