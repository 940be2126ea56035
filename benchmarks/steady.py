"""The whole market while nothing is wrong: processor time, weight, and how soon a minute leaves."""

import asyncio
import resource
import time
from typing import Any

import numpy as np

from benchmarks.market_rig import SYMBOLS, watched_market

SPEED = 60.0
SECONDS = 20.0
ALLOWED_MS = 5.0


def run(*, seed: int = 1) -> dict[str, Any]:
    return asyncio.run(_measure(seed))


async def _measure(seed: int) -> dict[str, Any]:
    async with watched_market(speed=SPEED, seed=seed) as market:
        await market.bootstrapped.wait()
        await asyncio.sleep(2.0)
        market.latencies.clear()
        before = market.minutes
        cpu, began = time.process_time(), time.perf_counter()
        await asyncio.sleep(SECONDS)
        share = (time.process_time() - cpu) / (time.perf_counter() - began)
        p99 = float(np.percentile(market.latencies, 99)) * 1000
        return {
            "name": "steady",
            "unit": "ms from the last close to the minute, p99",
            "ours": p99,
            "reference": ALLOWED_MS,
            "reference_name": "what we allow ourselves",
            "ratio": p99 / ALLOWED_MS,
            "p50_ms": float(np.median(market.latencies)) * 1000,
            "share_of_a_core": share,
            "speed": SPEED,
            "symbols": SYMBOLS,
            "minutes": market.minutes - before,
            "whole_minutes": len(market.latencies),
            "rate_limited": market.connection.api.rate_limited,
            "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
