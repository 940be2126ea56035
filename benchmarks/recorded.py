"""What the rules make of recorded candles: how often, how confident, how refused, and that it pays nothing.

A share of confident set-ups outside 5 to 50 % asks for other grades; a profit asks for the mistake behind it.
"""

from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from benchmarks.null import START_MS, THRESHOLD, honest, outcome, trades
from core.market import DAY_MS, MINUTE_MS, Floats
from core.signals import Candidate
from strategies.ict_smc import IctSmc
from strategies.kernel.events import Kind
from strategies.kernel.market import MarketKernel
from strategies.kernel.step import QUARTER

CANDLES = Path(__file__).parents[2] / "shared" / "data" / "klines_1m_2025-05.parquet"
SHARES = (0.05, 0.50)
COLUMNS = ("open", "high", "low", "close", "volume")


def run(*, seed: int = 1) -> dict[str, Any]:
    """Return the benchmark's object; there is nothing random in it."""
    del seed
    rows = read(CANDLES)
    found, events, ready = lived(rows)
    confident = [each for each in found if each.confidence >= THRESHOLD]
    refusals = Counter(each.refusal for each in found if each.refusal)
    plans = [honest(each) for each in found if each.refusal is None]
    held = outcome(list(trades(plans, standing_still(rows))))
    share = len(confident) / len(found)
    stops = np.array([each.stop_distance for each in found])
    return {
        "name": "recorded",
        "unit": "share of set-ups that reach the threshold",
        "ours": share,
        "reference": SHARES[1],
        "reference_name": f"at most; at least {SHARES[0]}",
        "ratio": share / SHARES[1],
        "symbols": rows.shape[2],
        "candidates": len(found),
        "candidates_a_symbol_a_day": len(found) * DAY_MS / MINUTE_MS / ready,
        "blocks_validated": _share(events, Kind.BLOCK, Kind.BLOCK, Kind.BLOCK_REJECTED),
        "breaks_strong": _share(events, Kind.MSB, Kind.BOS, Kind.CHOCH),
        "stop_distance_median": float(np.median(stops)),
        **{f"{refusal}_share": count / len(found) for refusal, count in sorted(refusals.items())},
        "trades": held.trades,
        "gross_r_mean": held.mean,
        "gross_r_se": held.error,
    }


def read(path: Path) -> Floats:
    """Return candles [minutes, 5, symbols] of a file, NaN where one is missing; it begins with a quarter."""
    table = pq.read_table(path)
    names, symbols = np.unique(table["symbol"].to_numpy(zero_copy_only=False), return_inverse=True)
    minutes = table["open_time"].to_numpy() // MINUTE_MS
    first = minutes.min() // QUARTER * QUARTER
    rows = np.full((int(minutes.max() - first) + 1, len(COLUMNS), len(names)), np.nan)
    for place, column in enumerate(COLUMNS):
        rows[minutes - first, place, symbols] = table[column].to_numpy()
    return rows


def standing_still(rows: Floats) -> Floats:
    """Return candles in which a missing one stands where the one before it closed."""
    filled = rows.copy()
    for before, row in pairwise(filled):
        missing = np.isnan(row[3])
        row[:4, missing] = before[3, missing]
    return filled


def lived(rows: Floats) -> tuple[list[Candidate], Counter[Kind], int]:
    """Return all set-ups, what became known on 1m, and for how many minutes symbols were ready."""
    kernel, strategy = MarketKernel([str(s) for s in range(rows.shape[2])]), IctSmc()
    found: list[Candidate] = []
    events: Counter[Kind] = Counter()
    ready = 0
    for minute, row in enumerate(rows):
        kernel.step(START_MS + minute * MINUTE_MS, row, np.isfinite(row[3]))
        events.update(event.kind for event in kernel.events() if event.timeframe_ms == MINUTE_MS)
        ready += int(kernel.ready().sum())
        found += strategy.candidates(kernel, START_MS + minute * MINUTE_MS)
    return found, events, ready


def _share(events: Counter[Kind], part: Kind, *whole: Kind) -> float:
    return events[part] / sum(events[kind] for kind in whole)
