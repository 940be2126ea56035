"""Two different closings of one candle: the exchange is asked which of them is true."""

import logging
from collections.abc import Callable

import numpy as np

from core.errors import ExchangeRefused, ExchangeUnavailable
from core.market import MINUTE_MS, Floats
from exchange.limits.weight import Priority
from services.bootstrap import Spawn
from services.candle_pages import CandleReader, sound

_log = logging.getLogger(__name__)


class SecondLook:
    """Hands what the exchange says now to ``correct`` when it is not what was believed.

    ``believed`` returns the candle [5] that was decided on, or will be, ``None`` where it is gone;
    ``correct`` gets symbol, open time and candle, ``None`` for one that the exchange does not tell.
    """

    def __init__(
        self,
        candles: CandleReader,
        *,
        believed: Callable[[str, int], Floats | None],
        correct: Callable[[str, int, Floats | None], None],
        spawn: Spawn,
    ) -> None:
        self._candles = candles
        self._believed = believed
        self._correct = correct
        self._spawn = spawn

    def at(self, symbol: str, open_time: int) -> None:
        """Ask, without making anybody wait; weight 1."""
        _log.warning("%s closed its candle of %d twice, and differently", symbol, open_time)
        self._spawn(self._look(symbol, open_time))

    async def _look(self, symbol: str, open_time: int) -> None:
        truth = await self._ask(symbol, open_time)
        believed = self._believed(symbol, open_time)
        if believed is not None and (truth is None or not np.array_equal(truth, believed)):
            self._correct(symbol, open_time, truth)

    async def _ask(self, symbol: str, open_time: int) -> Floats | None:
        try:
            page = await self._candles.page(
                symbol, MINUTE_MS, limit=1, start_ms=open_time, priority=Priority.GAP
            )
        except (ExchangeRefused, ExchangeUnavailable) as fault:
            _log.warning("nobody tells which candle of %s is true: %s", symbol, fault)
            return None
        told = page.candles[:, (page.open_times == open_time) & sound(page.candles)]
        return told[:, 0] if told.shape[1] else None
