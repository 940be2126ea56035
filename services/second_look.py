"""Two different closings of one candle: the exchange is asked which of them is true."""

import logging
from collections.abc import Callable

import numpy as np

from core.errors import ExchangeRefused, ExchangeUnavailable
from core.market import MINUTE_MS, Floats
from exchange.limits.weight import Priority
from services.bootstrap import Spawn
from services.candle_pages import CandleReader

_log = logging.getLogger(__name__)


class SecondLook:
    """Hands a symbol to ``distrust`` when what was believed of a candle is not what the exchange says now.

    ``believed`` returns the candle [5] that was decided on, or will be, ``None`` where it is gone.
    """

    def __init__(
        self,
        candles: CandleReader,
        *,
        believed: Callable[[str, int], Floats | None],
        distrust: Callable[[str], None],
        spawn: Spawn,
    ) -> None:
        self._candles = candles
        self._believed = believed
        self._distrust = distrust
        self._spawn = spawn

    def at(self, symbol: str, open_time: int) -> None:
        """Ask, without making anybody wait; weight 1."""
        _log.warning("%s closed its candle of %d twice, and differently", symbol, open_time)
        self._spawn(self._look(symbol, open_time))

    async def _look(self, symbol: str, open_time: int) -> None:
        try:
            page = await self._candles.page(
                symbol, MINUTE_MS, limit=1, start_ms=open_time, priority=Priority.GAP
            )
        except (ExchangeRefused, ExchangeUnavailable) as fault:
            _log.warning("which candle of %s is true stays open: %s", symbol, fault)
            self._distrust(symbol)
            return
        believed = self._believed(symbol, open_time)
        told = page.candles[:, page.open_times == open_time]
        if believed is not None and not (told.shape[1] and np.array_equal(told[:, 0], believed)):
            self._distrust(symbol)
