"""A small market for scans: one long candidate, one that still waits for it, one without history."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal

import numpy as np

from bot.rule_stories import CANDIDATE, START_MS
from core.clock import SystemClock
from core.market import MINUTE_MS, CandleHistory, Floats, MarketContext, MinuteClosed, SymbolAxis
from core.orders import AccountRead
from core.parameters import Parameters
from data.candle_store import CandleStore
from services.bootstrap import BootstrapProgress
from services.scanner import Scanner
from services.strategy_engine import StrategyEngine
from strategies.ict_smc import IctSmc
from strategies.kernel.market import MarketKernel
from tests.builders import instrument

READY, WAITING, YOUNG = "READYUSDT", "WAITINGUSDT", "YOUNGUSDT"
AXIS = SymbolAxis((READY, WAITING, YOUNG))
LAST_MS = START_MS + (CANDIDATE.candles.shape[1] - 1) * MINUTE_MS
LOADED = BootstrapProgress(done=3, failed=0, total=3, seconds=1.0)


def candles_of(symbol: str) -> Floats:
    """Return 1m candles [5, n] that all end with the same minute; the waiting one is a minute behind."""
    story = CANDIDATE.candles
    if symbol == WAITING:
        return np.concatenate([story[:, :1], story[:, :-1]], axis=1)
    return story[:, -5:] if symbol == YOUNG else story


def scanner() -> Scanner:
    """Return a scanner that has taken every history up to the minute before the last."""
    kernel, strategy, store = MarketKernel(AXIS.names), IctSmc(), CandleStore(AXIS)
    made = Scanner(
        kernel,
        strategy,
        store,
        {symbol: instrument(symbol) for symbol in AXIS.names},
        engine=StrategyEngine(AXIS, [strategy], kernel),
        parameters=Parameters(),
        clock=SystemClock(),
    )
    made.account(
        AccountRead(
            wallet=Decimal(10_000),
            equity=Decimal(10_000),
            available=Decimal(10_000),
            positions=(),
            at=LAST_MS,
        )
    )
    for symbol in AXIS.names:
        for history in histories(symbol):
            made.take(history)
    return made


def histories(symbol: str) -> Sequence[CandleHistory]:
    candles = candles_of(symbol)[:, :-1]
    times = LAST_MS - MINUTE_MS * np.arange(candles.shape[1], 0, -1)
    minutes = CandleHistory(symbol=symbol, timeframe_ms=MINUTE_MS, open_times=times, candles=candles)
    quarters = CANDIDATE.quarters
    if symbol == YOUNG or quarters is None:
        return (minutes,)
    return (
        CandleHistory(
            symbol=symbol,
            timeframe_ms=quarters.timeframe_ms,
            open_times=quarters.open_times,
            candles=quarters.candles,
        ),
        minutes,
    )


def last_minute(*, absent: Sequence[str] = (), spread: float = 0.0002) -> MinuteClosed:
    """Return the minute in which the candidate's block holds."""
    row = np.stack([candles_of(symbol)[:, -1] for symbol in AXIS.names], axis=1)
    present = np.array([symbol not in absent for symbol in AXIS.names])
    row[:, ~present] = np.nan
    close = row[3]
    return MinuteClosed(
        open_time=LAST_MS,
        axis=AXIS,
        row=row,
        present=present,
        context=MarketContext(
            bid=close * (1 - spread / 2),
            ask=close * (1 + spread / 2),
            mark=close,
            funding_rate=np.zeros(len(AXIS)),
            quote_volume_24h=np.full(len(AXIS), 5e7),
        ),
        seen_at=LAST_MS + MINUTE_MS,
    )


class Minutes:
    """A market that publishes these minutes and then ends, or stands still."""

    def __init__(self, *minutes: MinuteClosed, ends: bool = True) -> None:
        self._minutes = minutes
        self._ends = ends
        self.taken = 0
        self.is_open = False

    def start(self) -> None:
        self.is_open = True

    async def close(self) -> None:
        self.is_open = False

    async def minutes(self) -> AsyncIterator[MinuteClosed]:
        for minute in self._minutes:
            self.taken += 1
            yield minute
        if not self._ends:
            await asyncio.Event().wait()
