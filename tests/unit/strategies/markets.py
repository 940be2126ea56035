"""Small markets for tests: random walks, hand-made candles, and the recorded ones."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from core.market import MINUTE_MS, QUARTER_MS, Floats
from strategies.kernel.events import Kind
from strategies.kernel.market import MarketEvent, MarketKernel
from strategies.kernel.parameters import KernelParameters

START_MS = 1_900_000 * QUARTER_MS
RECORDED = Path(__file__).parents[4] / "shared" / "data" / "klines_1m_2025-05.parquet"

Ohlc = tuple[float, float, float, float]
Told = tuple[Kind, int, int, int]


def random_walk(seed: int, *, minutes: int, symbols: int = 1, deviation: float = 0.0008) -> Floats:
    """Return candles [minutes, 5, symbols] of arithmetic Gaussian walks without drift, 60 steps a minute."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0.0, 100.0 * deviation / np.sqrt(60), size=(minutes, 60, symbols))
    path = 100.0 + np.cumsum(steps.reshape(-1, symbols), axis=0).reshape(minutes, 60, symbols)
    opens = np.concatenate([np.full((1, symbols), 100.0), path[:-1, -1]])
    highs, lows = np.maximum(opens, path.max(axis=1)), np.minimum(opens, path.min(axis=1))
    volumes = rng.lognormal(3.0, 1.0, size=(minutes, symbols))
    return np.stack([opens, highs, lows, path[:, -1], volumes], axis=1)


def hand_made(candles: Sequence[Ohlc]) -> Floats:
    """Return rows of one symbol from (open, high, low, close)."""
    return np.array([(*candle, 1.0) for candle in candles])[:, :, np.newaxis]


def play(
    rows: Floats,
    *,
    kernel: MarketKernel | None = None,
    parameters: KernelParameters | None = None,
    start: int = 0,
) -> list[MarketEvent]:
    """Step a kernel through rows and return every event; a NaN close is a missing candle."""
    kernel = kernel or new_kernel(rows.shape[2], parameters)
    events: list[MarketEvent] = []
    for minute, row in enumerate(rows, start=start):
        kernel.step(START_MS + minute * MINUTE_MS, row, np.isfinite(row[3]))
        events += kernel.events()
    return events


def new_kernel(symbols: int = 1, parameters: KernelParameters | None = None) -> MarketKernel:
    return MarketKernel([f"S{s}" for s in range(symbols)], parameters)


def minute_of(at_ms: int) -> int:
    """Return how many minutes after the start of a test's market something lies."""
    return (at_ms - START_MS) // MINUTE_MS


def told(events: Sequence[MarketEvent], *kinds: Kind) -> list[Told]:
    """Return 1m events of these kinds as (kind, side, label, known), in minutes of the test's market."""
    return [
        (event.kind, event.side, minute_of(event.label), minute_of(event.known))
        for event in events
        if event.timeframe_ms == MINUTE_MS and event.kind in kinds
    ]


QUIET: Ohlc = (100.0, 100.5, 99.5, 100.0)
SMALL = KernelParameters(internal_leg=2, swing_leg=3)


def story(*candles: Ohlc, parameters: KernelParameters = SMALL) -> list[Told]:
    """Tell 20 quiet candles, with an ATR of 1, and then these; return 1m events as ``told`` does.

    Minute 0 is the first candle of the story. Legs are short, so that stories can be.
    """
    kernel = new_kernel(1, parameters)
    events = play(hand_made([QUIET] * 20 + list(candles)), kernel=kernel)
    return [(kind, side, label - 20, known - 20) for kind, side, label, known in told(events, *Kind)]


RALLY: tuple[Ohlc, ...] = (
    (100.0, 101.0, 100.0, 101.0),
    (101.0, 103.0, 101.0, 103.0),
    (103.0, 105.0, 102.9, 104.0),  # 2: a high of 105, known at 4
    (104.0, 104.2, 102.0, 102.2),
    (102.2, 102.4, 101.0, 101.2),
    (101.2, 101.5, 100.2, 100.4),  # 5: the last bearish candle, and a low of 100.2, known at 7
    (100.4, 102.5, 100.4, 102.4),  # 6: its displacement, 2.5 bodies
    (102.4, 104.0, 102.3, 103.8),
    (103.8, 107.5, 103.7, 107.0),  # 8: the break, 2.5 beyond 105 after a leg of 4.8
    (107.0, 107.5, 106.0, 106.5),
    (106.5, 106.8, 105.5, 106.0),  # 10: the block at 5 is known
    (106.0, 106.2, 103.0, 103.5),
)
"""A swing high, a pullback that ends in a bullish block, and a strong break."""


def mirrored(candles: Sequence[Ohlc]) -> list[Ohlc]:
    """Turn the market upside down around 100."""
    return [(200 - o, 200 - low, 200 - high, 200 - c) for o, high, low, c in candles]


def of(kinds: Sequence[Kind], events: Sequence[Told]) -> list[Told]:
    return [event for event in events if event[0] in kinds]


@cache
def recorded(symbol: str, minutes: int) -> Floats:
    """Return recorded candles [minutes, 5, 1] of a symbol; skip the test where there are none."""
    if not RECORDED.exists():
        pytest.skip(f"needs the recorded candles, {RECORDED.name}")
    import pyarrow.parquet as pq

    columns = ["open", "high", "low", "close", "volume"]
    table = pq.read_table(RECORDED, columns=columns, filters=[("symbol", "=", symbol)]).slice(0, minutes)
    return np.stack([table[column].to_numpy() for column in columns], axis=1)[:, :, np.newaxis]
