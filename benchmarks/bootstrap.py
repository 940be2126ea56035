"""A cold start of 650 symbols against the exchange's real limits, in market seconds.

The reference is what the limit itself allows: weight ÷ limit × 60 s.
"""

import asyncio
import time
from typing import Any

from benchmarks.market_rig import SYMBOLS, watched_market

SPEED = 10.0
WEIGHT_A_SYMBOL = 8


def run(*, seed: int = 1) -> dict[str, Any]:
    return asyncio.run(_measure(seed))


async def _measure(seed: int) -> dict[str, Any]:
    async with watched_market(speed=SPEED, seed=seed) as market:
        cpu = time.process_time()
        await market.bootstrapped.wait()
        ours = (market.bootstrap_seconds or 0.0) * SPEED
        reference = SYMBOLS * WEIGHT_A_SYMBOL / market.connection.limiter.limit * 60
        return {
            "name": "bootstrap",
            "unit": "market seconds",
            "ours": ours,
            "reference": reference,
            "reference_name": "weight / limit x 60 s",
            "ratio": ours / reference,
            "rate_limited": market.connection.api.rate_limited,
            "symbols": SYMBOLS,
            "first_history_machine_seconds": market.first_history_seconds,
            "machine_seconds": market.bootstrap_seconds,
            "cpu_seconds": time.process_time() - cpu,
            "excluded": len(market.service.excluded),
        }
