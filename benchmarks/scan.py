"""From a closed minute of 650 symbols to the ranked list: features, reasons, exits, a model's score."""

import time
from decimal import Decimal
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.null import START_MS, walks
from core.features import FEATURE_NAMES, FEATURE_VERSION
from core.instruments import Instrument, LeverageBracket
from core.market import MINUTE_MS
from core.parameters import Parameters
from core.ranking import rank
from core.rng import seeded
from core.symbols import SymbolContext
from ml.dataset import TrainingSet
from ml.registry import save
from ml.scorer import ModelScorer
from ml.training import train
from strategies.ict_smc import IctSmc, IctSmcParameters
from strategies.kernel.market import MarketKernel
from strategies.kernel.parameters import KernelParameters

SYMBOLS = 650
MINUTES = 3000
GROWN = 1000
LIMIT = 0.003
"""Of wall time. Processor time is told beside it: other work on the machine shows in the difference."""
EQUITY = Decimal(10_000)
PARAMETERS = Parameters()
TRADES = 500
"""Closed trades that the model is made of; what it knows is noise, what it costs is not."""


def run(*, seed: int = 1) -> dict[str, Any]:
    rows = walks(seeded(seed), count=SYMBOLS, minutes=MINUTES)
    kernel = MarketKernel([str(s) for s in range(SYMBOLS)], KernelParameters(min_bars_15m=GROWN // 15))
    strategy = IctSmc(IctSmcParameters(trend_full_bars=GROWN // 15))  # grades as those of grown charts
    present = np.ones(SYMBOLS, dtype=np.bool_)
    contexts = {symbol: context_of(symbol) for symbol in kernel.symbols}
    scorer = model_scorer(seeded(seed))
    seconds, busy, found, ranked = [], [], [], 0
    for minute, row in enumerate(rows):
        began, worked = time.perf_counter(), time.thread_time()
        kernel.step(START_MS + minute * MINUTE_MS, row, present)
        candidates = strategy.candidates(kernel, START_MS + minute * MINUTE_MS)
        signals = rank(candidates, contexts, equity=EQUITY, leverage=3, scorer=scorer, parameters=PARAMETERS)
        if minute >= GROWN:
            seconds.append(time.perf_counter() - began)
            busy.append(time.thread_time() - worked)
            found.append(len(candidates))
            ranked += len(signals)
    p99 = float(np.percentile(seconds, 99))
    return {
        "name": "scan",
        "unit": "s",
        "ours": p99,
        "ours_median": median(seconds),
        "ours_min": min(seconds),
        "ours_max": max(seconds),
        "ours_cpu": float(np.percentile(busy, 99)),
        "ours_cpu_median": median(busy),
        "reference": LIMIT,
        "reference_name": "limit for the 99th percentile",
        "ratio": p99 / LIMIT,
        "ratio_cpu": float(np.percentile(busy, 99)) / LIMIT,
        "symbols": SYMBOLS,
        "minutes": len(seconds),
        "candidates": sum(found),
        "candidates_a_minute_max": max(found),
        "ranked_and_scored": ranked,
    }


def model_scorer(rng: np.random.Generator) -> ModelScorer:
    """Train a model on noise, and load it as the trader does."""
    with TemporaryDirectory() as folder:
        model = save(train(noise(rng, TRADES)), Path(folder))
        return ModelScorer.load(model, feature_version=FEATURE_VERSION)


def noise(rng: np.random.Generator, trades: int) -> TrainingSet:
    """Return closed trades with every feature there is, none of which says anything."""
    began = START_MS + np.arange(trades) * 15 * MINUTE_MS
    outcome = rng.normal(size=trades)
    return TrainingSet(
        features=FEATURE_NAMES,
        version=FEATURE_VERSION,
        x=rng.normal(size=(trades, len(FEATURE_NAMES))).astype(np.float32),
        gross_r=outcome,
        net_r=outcome - 0.2,
        expected_r=np.zeros(trades),
        began=began,
        ended=began + 60 * MINUTE_MS,
        source=np.full(trades, "virtual"),
    )


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
