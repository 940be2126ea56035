"""One closed minute of 650 symbols through the kernel, against what others pay for the same answer."""

import contextlib
import io
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.null import START_MS, walks
from core.market import MINUTE_MS, Floats
from core.rng import seeded
from strategies.kernel.market import MarketKernel

SYMBOLS = 650
MINUTES = 1500
WINDOW = 500
SAMPLE = 13
"""Symbols that the others are timed on; their cost is proportional, and the whole market takes minutes."""


LIMIT = 100e-6
TIMES = 5
COMPILING = """
import os, sys
os.environ["NUMBA_CACHE_DIR"] = sys.argv[1]
from core.clock import SystemClock
from strategies.warm import warm
print(warm(SystemClock()))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds of several runs of the same work."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, seconds: Sequence[float], *, scale: float = 1.0) -> "Timing":
        return cls(median=median(seconds) * scale, least=min(seconds) * scale, most=max(seconds) * scale)

    def told(self, name: str) -> dict[str, float]:
        """Return the fields of the benchmark's object."""
        return {name: self.median, f"{name}_min": self.least, f"{name}_max": self.most}


def run(*, seed: int = 1) -> dict[str, Any]:
    rows = walks(seeded(seed), count=SYMBOLS, minutes=MINUTES)
    steps = time_steps(rows)
    ours = Timing.of(steps)
    history, floor = time_history(rows), time_floor(rows)
    oracle, frames = time_smart_money(rows), time_pandas(rows)
    compiling, cached = time_compiling()
    return {
        "name": "step",
        "unit": "s",
        **ours.told("ours"),
        "ours_p99": float(np.percentile(steps, 99)),
        "symbols": SYMBOLS,
        **oracle.told("reference"),
        "reference_name": f"smartmoneyconcepts, all five structures on {WINDOW} candles",
        "ratio": ours.median / oracle.median,
        "limit": LIMIT,
        "limit_ratio": ours.median / LIMIT,
        **frames.told("pandas_talib"),
        "pandas_talib_ratio": ours.median / frames.median,
        "recompute_minutes": MINUTES,
        **history.told("recompute"),
        **floor.told("recompute_floor"),
        "recompute_multiple_of_floor": history.median / floor.median,
        "first_call": compiling,
        "first_call_cached": cached,
    }


def time_steps(rows: Floats) -> list[float]:
    """Return the seconds of each minute that does not close a 15m candle, once the charts are grown."""
    kernel = MarketKernel([str(s) for s in range(rows.shape[2])])
    present = np.ones(rows.shape[2], dtype=np.bool_)
    seconds = []
    for minute, row in enumerate(rows):
        began = time.perf_counter()
        kernel.step(START_MS + minute * MINUTE_MS, row, present)
        if minute >= WINDOW and minute % 15 != 14:
            seconds.append(time.perf_counter() - began)
    return seconds


def time_history(rows: Floats) -> Timing:
    """Time reading all candles of all symbols from nothing."""
    times = START_MS + np.arange(len(rows)) * MINUTE_MS
    histories = [np.ascontiguousarray(rows[:, :, s].T) for s in range(rows.shape[2])]

    def recompute() -> None:
        kernel = MarketKernel([str(s) for s in range(rows.shape[2])])
        for s, candles in enumerate(histories):
            kernel.warm_up_1m(s, candles, times)

    return timed(recompute)


def time_floor(rows: Floats) -> Timing:
    """Time the least that anyone must do: to read the same candles once."""
    return timed(rows.sum)


def time_smart_money(rows: Floats) -> Timing:
    """Time what the popular library would take for all symbols; it has no step, only whole windows."""
    import pandas as pd

    with contextlib.redirect_stdout(io.StringIO()):
        from smartmoneyconcepts import smc
    columns = ["open", "high", "low", "close", "volume"]
    frames = [pd.DataFrame(rows[-WINDOW:, :, s], columns=columns) for s in range(SAMPLE)]

    def all_structures() -> None:
        for frame in frames:
            swings = smc.swing_highs_lows(frame, swing_length=5)
            smc.bos_choch(frame, swings)
            smc.ob(frame, swings)
            smc.liquidity(frame, swings)
            smc.fvg(frame)

    return timed(all_structures, scale=SYMBOLS / SAMPLE)


def time_pandas(rows: Floats) -> Timing:
    """Time what a frame a symbol and TA-Lib through it would take for all symbols, indicators only."""
    import pandas as pd
    import talib.abstract

    columns = ["open", "high", "low", "close", "volume"]
    frames = [pd.DataFrame(rows[-WINDOW:, :, s], columns=columns) for s in range(SAMPLE)]
    ta: Any = talib.abstract

    def indicators() -> None:
        for frame in frames:
            for length in (9, 21, 50, 200):
                frame[f"ema_{length}"] = ta.EMA(frame, timeperiod=length)
            macd, bands = ta.MACD(frame), ta.BBANDS(frame, timeperiod=20)
            frame["macd"], frame["signal"] = macd["macd"], macd["macdsignal"]
            frame["upper"], frame["lower"] = bands["upperband"], bands["lowerband"]
            frame["atr"], frame["rsi"] = ta.ATR(frame), ta.RSI(frame)
            frame["volume_mean"] = frame["volume"].rolling(20).mean()

    return timed(indicators, scale=SYMBOLS / SAMPLE)


def time_compiling() -> tuple[float, float]:
    """Return the seconds that all first calls take: on a machine that never compiled, and from its cache."""
    with TemporaryDirectory() as cache:
        return first_calls(cache), first_calls(cache)


def first_calls(cache: str) -> float:
    command = [sys.executable, "-c", COMPILING, cache]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own words
    return float(done.stdout)


def timed(work: Callable[[], object], *, scale: float = 1.0) -> Timing:
    """Time a few runs."""
    seconds = []
    for _ in range(TIMES):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return Timing.of(seconds, scale=scale)
