"""Hears what the strategies would hear, and holds it to what candles must be."""

import numpy as np

from core.market import MINUTE_MS, CandleHistory, Field, MinuteClosed
from tests.faults.invariants import Violation
from tests.faults.truth import Truth


class Witness:
    """One life's hearing; without ``streams`` nothing is expected of what came while nobody listened."""

    def __init__(self, truth: Truth, *, streams: bool) -> None:
        self._truth = truth
        self._streams = streams
        self._last: dict[str, int] = {}

    def hear(self, news: CandleHistory | MinuteClosed) -> None:
        """Raises ``Violation``: I10."""
        if not self._streams:
            return
        if isinstance(news, CandleHistory):
            if news.timeframe_ms == MINUTE_MS and len(news.open_times):
                self._last[news.symbol] = int(news.open_times[-1])
            return
        self._is_closed(news)
        for index in np.flatnonzero(news.present).tolist():
            self._is_sound(news, index)
            self._follows(news, news.symbols[index])

    def _is_closed(self, minute: MinuteClosed) -> None:
        now_ms = self._truth.simulator.market.now_ms
        if minute.at > now_ms:
            raise Violation(f"I10 the minute to {minute.at} was decided on {minute.at - now_ms} ms too early")

    def _is_sound(self, minute: MinuteClosed, index: int) -> None:
        candle = minute.row[:, index]
        prices = candle[: Field.VOLUME]
        is_sound = (
            np.isfinite(candle).all()
            and (prices > 0).all()
            and prices.max() == candle[Field.HIGH]
            and prices.min() == candle[Field.LOW]
        )
        if not is_sound:
            raise Violation(f"I10 {minute.symbols[index]} was decided on {candle.tolist()}")

    def _follows(self, minute: MinuteClosed, symbol: str) -> None:
        before = self._last.get(symbol)
        if before is None or minute.open_time - before != MINUTE_MS:
            raise Violation(f"I10 {symbol} was decided on {minute.open_time} after {before}")
        self._last[symbol] = minute.open_time
