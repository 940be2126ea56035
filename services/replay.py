"""Recorded candles through the very loop that trades live, on paper and on a clock that candles move."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from core.clock import ManualClock
from core.market import (
    MINUTE_MS,
    QUARTER_MS,
    CandleHistory,
    Field,
    Floats,
    MarketContext,
    MinuteClosed,
)
from core.ports import CandleSource
from data.candle_batch import CandleBlock
from services.trader import Trader

WARM_UP_QUARTERS = 1500
WARM_UP_MINUTES = 499
ASSUMED_SPREAD = 0.0002
_MINUTES_A_DAY = 24 * 60


class Replay:
    """Feeds a candle file to a trader, minute by minute.

    A candle file knows nothing beside candles, so the rest is assumed and said: mark = close, a spread
    of ``ASSUMED_SPREAD`` around it, no funding; 24 h quote volume is added up from the candles.
    """

    def __init__(self, source: CandleSource, trader: Trader, clock: ManualClock) -> None:
        self._source = source
        self._trader = trader
        self._clock = clock

    def run(self, start_ms: int, end_ms: int) -> int:
        """Decide every minute that opens in ``[start_ms, end_ms)``; returns the number of candles seen."""
        self._clock.advance_to(start_ms)
        past = list(self._source.minutes(start_ms - WARM_UP_QUARTERS * QUARTER_MS, start_ms))
        for history in histories(past, self._source.symbols):
            self._trader.process(history)
        volumes = _DayVolume(past, len(self._source.symbols))
        seen = 0
        for minute in self._source.minutes(start_ms, end_ms):
            self._clock.advance_to(minute.at)
            self._trader.process(replace(minute, context=_assumed(minute, volumes.after(minute.row))))
            seen += int(minute.present.sum())
        return seen


def histories(past: list[MinuteClosed], symbols: tuple[str, ...]) -> Iterator[CandleHistory]:
    """Turn past minutes into what a live start fetches: 15m candles, then the last 1m ones, a symbol each."""
    if not past:
        return
    rows = np.stack([minute.row for minute in past])
    start = past[0].open_time
    skipped = -start % QUARTER_MS // MINUTE_MS  # until a quarter of an hour begins
    for index, symbol in enumerate(symbols):
        candles = rows[:, :, index].T[np.newaxis]
        block = CandleBlock(timeframe_ms=MINUTE_MS, start_ms=start, symbols=(symbol,), candles=candles)
        whole = replace(block, start_ms=start + skipped * MINUTE_MS, candles=candles[:, :, skipped:])
        recent = max(len(past) - WARM_UP_MINUTES, 0)
        last = replace(block, start_ms=start + recent * MINUTE_MS, candles=candles[:, :, recent:])
        yield _history(whole.quarters())
        yield _history(last)


def _history(block: CandleBlock) -> CandleHistory:
    """Take the candles that are there out of the block of one symbol."""
    there = block.batch()
    return CandleHistory(
        symbol=block.symbols[0],
        timeframe_ms=block.timeframe_ms,
        open_times=there.times,
        candles=there.values,
    )


class _DayVolume:
    """Quote volume of the last 24 hours, [S], kept as a ring of minutes."""

    def __init__(self, past: list[MinuteClosed], symbols: int) -> None:
        self._ring = np.zeros((_MINUTES_A_DAY, symbols))
        self._next = 0
        for minute in past[-_MINUTES_A_DAY:]:
            self.after(minute.row)

    def after(self, row: Floats) -> Floats:
        self._ring[self._next] = np.nan_to_num(row[Field.VOLUME] * row[Field.CLOSE])
        self._next = (self._next + 1) % _MINUTES_A_DAY
        total: Floats = self._ring.sum(axis=0)
        return total


def _assumed(minute: MinuteClosed, quote_volume: Floats) -> MarketContext:
    close = minute.row[Field.CLOSE]
    return MarketContext(
        bid=close * (1 - ASSUMED_SPREAD / 2),
        ask=close * (1 + ASSUMED_SPREAD / 2),
        mark=close,
        funding_rate=np.zeros_like(close),
        quote_volume_24h=quote_volume,
    )
