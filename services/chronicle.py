"""What the kernel said about one symbol, candle by candle: its story for pictures and explanations."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.market import CandleHistory, Field, Floats
from strategies.kernel.market import MarketEvent, MarketKernel
from strategies.kernel.parameters import KernelParameters


@dataclass(frozen=True, slots=True, kw_only=True)
class Chronicle:
    """1m candles float64 [5, n] from the ``open_times`` (ms) on, every event they caused, and the kernel
    that saw them as it stands after the last one: it knows this symbol alone."""

    symbol: str
    open_times: NDArray[np.int64]
    candles: Floats
    events: tuple[MarketEvent, ...]
    kernel: MarketKernel


def chronicle(
    symbol: str,
    open_times: NDArray[np.int64],
    candles: Floats,
    *,
    quarters: CandleHistory | None = None,
    parameters: KernelParameters | None = None,
) -> Chronicle:
    """Show a fresh kernel 15m history and then 1m candles one by one; those with NaN are left out."""
    kernel = MarketKernel((symbol,), parameters)
    if quarters is not None:
        kernel.warm_up_15m(0, quarters.candles, quarters.open_times)
    there = np.isfinite(candles[Field.CLOSE])
    present = np.ones(1, dtype=np.bool_)
    events: list[MarketEvent] = []
    for open_time, candle in zip(open_times[there].tolist(), candles.T[there], strict=True):
        kernel.step(open_time, candle[:, np.newaxis], present)
        events += kernel.events()
    return Chronicle(
        symbol=symbol,
        open_times=open_times[there],
        candles=candles[:, there],
        events=tuple(events),
        kernel=kernel,
    )
