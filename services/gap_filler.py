"""Fetches candles that the streams did not bring, one gap a symbol at a time."""

import logging
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import ExchangeRefused, ExchangeUnavailable
from core.market import MINUTE_MS, Field, SymbolAxis
from exchange.limits.weight import Priority
from services.candle_buffer import CandleBuffer
from services.candle_pages import CHEAP_PAGE, PAGE, CandleReader

_log = logging.getLogger(__name__)


class GapFiller:
    """Puts missing candles into the buffer, then calls ``filled``.

    A minute that the exchange itself has no candle of, but a later one, was one without a trade: its
    price stood still.
    """

    def __init__(
        self,
        axis: SymbolAxis,
        candles: CandleReader,
        buffer: CandleBuffer,
        *,
        filled: Callable[[str], None],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._axis = axis
        self._candles = candles
        self._buffer = buffer
        self._filled = filled
        self._spawn = spawn
        self._filling: set[str] = set()

    def arrange(self, axis: SymbolAxis) -> None:
        """Stand on another axis; what comes for a symbol that left is dropped."""
        self._axis = axis

    def fill(self, symbol: str, start_ms: int, end_ms: int) -> None:
        """Fetch ``[start_ms, end_ms]`` of one symbol, unless one of its gaps is being fetched already."""
        if symbol not in self._filling:
            self._filling.add(symbol)
            self._spawn(self._fill(symbol, start_ms, end_ms))

    async def _fill(self, symbol: str, start_ms: int, end_ms: int) -> None:
        try:
            await self._fetch(symbol, start_ms, end_ms)
        except (ExchangeRefused, ExchangeUnavailable) as fault:
            _log.warning("gap of %s stays: %s", symbol, fault)
            return  # its next closed candle will ask again
        finally:
            self._filling.discard(symbol)
        index = self._axis.index_of(symbol)
        if index is not None and self._buffer.has(index, start_ms):  # else the exchange does not show it yet
            self._filled(symbol)

    async def _fetch(self, symbol: str, start_ms: int, end_ms: int) -> None:
        """Ask from the first missing candle on until none is; two pages must lack one to be believed."""
        doubted = None
        while (hole := self._first_missing(symbol, start_ms, end_ms)) is not None:
            told = await self._ask(symbol, hole, end_ms)
            later = told[told > hole]
            if not len(later):
                return  # the exchange does not show it yet
            if hole == doubted and hole == self._first_missing(symbol, start_ms, end_ms):
                until_ms = min(int(later.min()), end_ms + MINUTE_MS)
                if not self._stand_still(symbol, range(hole, until_ms, MINUTE_MS)):
                    return
            doubted = hole

    def _first_missing(self, symbol: str, start_ms: int, end_ms: int) -> int | None:
        index = self._axis.index_of(symbol)
        return None if index is None else self._buffer.first_missing(index, start_ms, end_ms)

    async def _ask(self, symbol: str, start_ms: int, end_ms: int) -> NDArray[np.int64]:
        """Put one page of what closed by ``end_ms`` into the buffer; returns the open times told."""
        count = (end_ms - start_ms) // MINUTE_MS + 2  # with the candle that is still forming
        limit = CHEAP_PAGE if count <= CHEAP_PAGE else PAGE
        history = await self._candles.page(
            symbol, MINUTE_MS, limit=limit, start_ms=start_ms, priority=Priority.GAP
        )
        closed = history.open_times <= end_ms
        told = replace(history, open_times=history.open_times[closed], candles=history.candles[:, closed])
        index = self._axis.index_of(symbol)
        if index is not None:
            self._buffer.put_history(index, told)
        return history.open_times

    def _stand_still(self, symbol: str, open_times: range) -> bool:
        """Let the price of minutes without a candle be the one before; ``False`` if that is not known."""
        index = self._axis.index_of(symbol)
        before = None if index is None else self._buffer.candle(index, open_times.start - MINUTE_MS)
        if index is None or before is None:
            return False
        close = float(before[Field.CLOSE])
        for open_time in open_times:
            self._buffer.put(index, open_time, (close, close, close, close, 0.0))
        return True
