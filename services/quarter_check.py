"""Holds 15m candles built here against the exchange's own, a few symbols an hour."""

import logging
from collections.abc import Callable, Collection
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.clock import Clock
from core.errors import ExchangeRefused, ExchangeUnavailable
from core.market import MINUTE_MS, QUARTER_MS, CandleHistory, Field, Floats
from core.notices import Alert, Severity
from core.ports import Notifier
from data.candle_batch import CandleBatch, CandleBlock
from exchange.limits.weight import Priority
from services.candle_pages import CandleReader

_log = logging.getLogger(__name__)

HOUR_MS = 3_600_000
SYMBOLS_AN_HOUR = 6
_QUARTERS = 3
_LOOK_SECONDS = 0.5
_VOLUME_DIFFERS = 1e-9


class Minutes(Protocol):
    """The 1m candles that decisions were made on; see ``data.candle_store``."""

    def recent_1m(self, symbol: str, bars: int) -> tuple[NDArray[np.int64], Floats]: ...


class QuarterCheck:
    """Asks for a few bars of one symbol after another, weight 1 each, spread over the hour.

    ``followed`` tells whose turn may come. A symbol whose bars differ is handed to ``distrust``, and people
    are told.
    """

    def __init__(
        self,
        followed: Callable[[], Collection[str]],
        candles: CandleReader,
        minutes: Minutes,
        *,
        distrust: Callable[[str], None],
        notifier: Notifier,
        clock: Clock,
    ) -> None:
        self._followed = followed
        self._candles = candles
        self._minutes = minutes
        self._distrust = distrust
        self._notifier = notifier
        self._clock = clock
        self._last = ""

    async def run(self) -> None:
        """Check for ever, the market's hour divided among the symbols of an hour."""
        pace = HOUR_MS // SYMBOLS_AN_HOUR
        due = self._clock.market_ms() + pace
        while True:
            await self._clock.sleep(_LOOK_SECONDS)
            if self._clock.market_ms() >= due:
                due = self._clock.market_ms() + pace
                await self._check_next()

    async def _check_next(self) -> None:
        """Take the symbol that follows the last one in the alphabet, whoever came or went since."""
        followed = self._followed()
        later = (symbol for symbol in followed if symbol > self._last)
        self._last = min(later, default=min(followed, default=""))
        if self._last:
            await self.check(self._last)

    async def check(self, symbol: str) -> bool | None:
        """Return whether the symbol's last bars agree, ``None`` when they can not be compared."""
        times, candles = self._minutes.recent_1m(symbol, (_QUARTERS + 1) * 15)
        ours = _quarters(symbol, times, candles)
        if not len(ours.open_times):
            return None
        first, last = int(ours.open_times[0]), int(ours.open_times[-1])
        try:
            theirs = await self._candles.page(
                symbol,
                QUARTER_MS,
                limit=(last - first) // QUARTER_MS + 1,
                start_ms=first,
                end_ms=last,
                priority=Priority.SCAN,
            )
        except (ExchangeRefused, ExchangeUnavailable) as fault:
            _log.info("15m candles of %s not checked: %s", symbol, fault)
            return None
        differs = _first_difference(ours, theirs)
        if differs is None:
            return True
        _log.warning("15m candle of %s at %d is not the exchange's", symbol, differs)
        alert = Alert(
            key="candles_differ", severity=Severity.WARNING, at=self._clock.market_ms(), symbol=symbol
        )
        self._notifier.notify(alert)
        self._distrust(symbol)
        return False


def _quarters(symbol: str, times: NDArray[np.int64], candles: Floats) -> CandleHistory:
    """Build the whole 15m bars of some minutes, with a hole where a minute is missing."""
    start = -(-int(times[0]) // QUARTER_MS) * QUARTER_MS if len(times) else 0
    minutes = CandleHistory(symbol=symbol, timeframe_ms=MINUTE_MS, open_times=times, candles=candles)
    end = int(times[-1]) + MINUTE_MS if len(times) else 0
    built = CandleBlock.of(CandleBatch.of_history(minutes), start, max(end, start)).quarters().batch()
    return CandleHistory(symbol=symbol, timeframe_ms=QUARTER_MS, open_times=built.times, candles=built.values)


def _first_difference(ours: CandleHistory, theirs: CandleHistory) -> int | None:
    """Return the first open time at which both have a bar and the bars differ."""
    common, here, there = np.intersect1d(ours.open_times, theirs.open_times, return_indices=True)
    us, them = ours.candles[:, here], theirs.candles[:, there]
    prices = (us[: Field.VOLUME] != them[: Field.VOLUME]).any(axis=0)
    volumes = ~np.isclose(us[Field.VOLUME], them[Field.VOLUME], rtol=_VOLUME_DIFFERS, atol=0)
    differing: list[int] = common[prices | volumes].tolist()
    return differing[0] if differing else None
