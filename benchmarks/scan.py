"""From a closed minute of 650 symbols to the ranked list: features, reasons, exits and expected value."""

import time
from decimal import Decimal
from statistics import median
from typing import Any

import numpy as np

from benchmarks.null import START_MS, walks
from core.instruments import Instrument, LeverageBracket
from core.market import MINUTE_MS
from core.parameters import Parameters
from core.ranking import Experience, rank
from core.rng import seeded
from core.symbols import SymbolContext
from strategies.ict_smc import IctSmc
from strategies.kernel.market import MarketKernel
from strategies.kernel.parameters import KernelParameters

SYMBOLS = 650
MINUTES = 3000
GROWN = 1000
LIMIT = 0.003
EQUITY = Decimal(10_000)
PARAMETERS = Parameters()
SCORER = Experience()


def run(*, seed: int = 1) -> dict[str, Any]:
    rows = walks(seeded(seed), count=SYMBOLS, minutes=MINUTES)
    kernel = MarketKernel([str(s) for s in range(SYMBOLS)], KernelParameters(min_bars_15m=GROWN // 15))
    strategy, present = IctSmc(), np.ones(SYMBOLS, dtype=np.bool_)
    contexts = {symbol: context_of(symbol) for symbol in kernel.symbols}
    seconds, found, ranked = [], 0, 0
    for minute, row in enumerate(rows):
        began = time.perf_counter()
        kernel.step(START_MS + minute * MINUTE_MS, row, present)
        candidates = strategy.candidates(kernel, START_MS + minute * MINUTE_MS)
        signals = rank(candidates, contexts, equity=EQUITY, leverage=3, scorer=SCORER, parameters=PARAMETERS)
        if minute >= GROWN:
            seconds.append(time.perf_counter() - began)
            found += len(candidates)
            ranked += len(signals)
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
        "ranked": ranked,
    }


def context_of(symbol: str) -> SymbolContext:
    """Return what a ranking reads beside the candidate: a contract of fine steps in a liquid market."""
    bracket = LeverageBracket(
        floor=Decimal(0),
        cap=Decimal(1_000_000),
        maintenance_margin_rate=Decimal("0.01"),
        max_leverage=50,
        cum=Decimal(0),
    )
    contract = Instrument(
        symbol=f"{symbol}USDT",
        base=symbol,
        tick_size=Decimal("0.0001"),
        step_size=Decimal("0.001"),
        min_quantity=Decimal("0.001"),
        max_quantity=Decimal(1_000_000),
        max_market_quantity=Decimal(1_000_000),
        min_notional=Decimal(5),
        price_precision=4,
        quantity_precision=3,
        brackets=(bracket,),
    )
    return SymbolContext(instrument=contract, spread=0.0001, funding_rate=0.0001, quote_volume_24h=5e7)
