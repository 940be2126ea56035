"""From a closed minute to candidates with reasons, features, stop and target, all 650 symbols."""

import time
from statistics import median
from typing import Any

import numpy as np

from benchmarks.null import START_MS, walks
from core.market import MINUTE_MS
from core.rng import seeded
from strategies.ict_smc import IctSmc
from strategies.kernel.market import MarketKernel
from strategies.kernel.parameters import KernelParameters

SYMBOLS = 650
MINUTES = 3000
GROWN = 1000
LIMIT = 0.003


def run(*, seed: int = 1) -> dict[str, Any]:
    rows = walks(seeded(seed), count=SYMBOLS, minutes=MINUTES)
    kernel = MarketKernel([str(s) for s in range(SYMBOLS)], KernelParameters(min_bars_15m=GROWN // 15))
    strategy, present = IctSmc(), np.ones(SYMBOLS, dtype=np.bool_)
    seconds, found = [], 0
    for minute, row in enumerate(rows):
        began = time.perf_counter()
        kernel.step(START_MS + minute * MINUTE_MS, row, present)
        candidates = strategy.candidates(kernel, START_MS + minute * MINUTE_MS)
        if minute >= GROWN:
            seconds.append(time.perf_counter() - began)
            found += len(candidates)
    p99 = float(np.percentile(seconds, 99))
    return {
        "name": "scan",
        "unit": "s",
        "ours": p99,
        "ours_median": median(seconds),
        "ours_min": min(seconds),
        "ours_max": max(seconds),
        "reference": LIMIT,
        "reference_name": "limit for the 99th percentile",
        "ratio": p99 / LIMIT,
        "symbols": SYMBOLS,
        "minutes": len(seconds),
        "candidates": found,
    }
