"""``python -m strategies.warm``: compile every kernel once, so that no trade ever waits for a compiler."""

import sys
from shutil import rmtree

import numpy as np

from core.clock import Clock, SystemClock
from core.market import MINUTE_MS, QUARTER_MS
from core.signals import Side
from strategies.ict_smc import IctSmc
from strategies.ict_smc.explanation import explain
from strategies.kernel.jit import CACHE
from strategies.kernel.market import MarketKernel
from strategies.kernel.parameters import KernelParameters

START_MS = 1_000_000 * QUARTER_MS
READY_AT_ONCE = KernelParameters(min_bars_1m=1, min_bars_15m=1)


def warm(clock: Clock) -> float:
    """Run every compiled function once, drop what older sources left, and return the seconds it took."""
    started = clock.monotonic()
    kernel, strategy = MarketKernel(("A",), READY_AT_ONCE), IctSmc()
    candles = np.ones((5, 1))
    kernel.warm_up_15m(0, candles, np.array([START_MS - QUARTER_MS]))
    kernel.warm_up_1m(0, candles, np.array([START_MS]))
    kernel.step(START_MS + MINUTE_MS, candles, np.ones(1, dtype=np.bool_))
    strategy.candidates(kernel, START_MS + MINUTE_MS)
    explain(kernel, 0, Side.LONG, strategy.parameters)
    for stale in set(CACHE.parent.glob("kernels-*")) - {CACHE}:
        rmtree(stale, ignore_errors=True)
    return clock.monotonic() - started


if __name__ == "__main__":
    sys.stdout.write(f"kernels compiled and cached in {warm(SystemClock()):.1f} s\n")
