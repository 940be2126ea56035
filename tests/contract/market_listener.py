"""Somebody who applies what the data service tells in order, and compares it with the truth."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.clock import Clock
from core.market import MINUTE_MS, QUARTER_MS, CandleHistory, MinuteClosed, SymbolAxis
from exchange.binance.connection import BinanceConnection
from services.data_service import DataService


@dataclass(slots=True)
class MarketListener:
    """Keeps every candle it was told, by symbol and open time; fails on a repetition."""

    clock: Clock
    axis: SymbolAxis
    service: DataService = field(init=False)
    minutes: list[MinuteClosed] = field(default_factory=list)
    candles: dict[str, dict[int, NDArray[np.float64]]] = field(default_factory=dict)
    quarters: dict[str, CandleHistory] = field(default_factory=dict)
    is_busy: asyncio.Event = field(default_factory=asyncio.Event)

    def learn(self, history: CandleHistory) -> None:
        if history.timeframe_ms == QUARTER_MS:
            self.quarters[history.symbol] = history
            if history.starts_over:
                self.candles.pop(history.symbol, None)
            return
        for open_time, candle in zip(history.open_times.tolist(), history.candles.T, strict=True):
            self._keep(history.symbol, open_time, candle)

    async def listen(self) -> None:
        async for minute in self.service.minutes():
            self.minutes.append(minute)
            for index in np.flatnonzero(minute.present).tolist():
                self._keep(self.axis.names[index], minute.open_time, minute.row[:, index])
            while self.is_busy.is_set():
                await self.clock.sleep(0.05)

    async def until_whole(self, *, minutes: int = 1, patience: float = 10.0) -> None:
        """Wait until every symbol was present in so many further minutes."""
        before = len(self.minutes)
        async with asyncio.timeout(patience):
            while sum(minute.present.all() for minute in self.minutes[before:]) < minutes:
                await self.clock.sleep(0.02)

    async def check(self, *, symbols: int | None = None) -> None:
        """Compare with what the exchange says now; each minute must have been told once, in order."""
        numbers = [minute.open_time for minute in self.minutes]
        assert numbers == list(range(numbers[0], numbers[-1] + 1, MINUTE_MS))
        assert len(self.candles) == (symbols or len(self.axis))
        for symbol, known in deepcopy(self.candles).items():  # while we ask, the next minute may close
            first, last = min(known), max(known)
            assert list(known) == list(range(first, last + 1, MINUTE_MS))
            truth = await self.service.history(symbol, MINUTE_MS, bars=len(known), before_ms=last + MINUTE_MS)
            assert truth.open_times.tolist() == list(known)
            assert np.array_equal(np.array(list(known.values())).T, truth.candles)

    def _keep(self, symbol: str, open_time: int, candle: NDArray[np.float64]) -> None:
        known = self.candles.setdefault(symbol, {})
        assert open_time not in known
        known[open_time] = candle


@asynccontextmanager
async def listening(
    connection: BinanceConnection,
    clock: Clock,
    *,
    on_market_time: Callable[[int], None] = lambda _: None,
    deadline: float = 2.5,
    symbols: int | None = None,
) -> AsyncIterator[MarketListener]:
    """Run a data service over ``connection``, and somebody who listens: to the first ``symbols``, or all."""
    axis = SymbolAxis(tuple(await connection.exchange.instruments())[:symbols])
    listener = MarketListener(clock, axis)
    listener.service = DataService(
        axis,
        connection.candles,
        streams=lambda sink: connection.market_streams(axis.names, sink),
        clock=clock,
        on_history=listener.learn,
        on_market_time=on_market_time,
        deadline=deadline,
    )
    listener.service.start()
    task = asyncio.create_task(listener.listen())
    try:
        yield listener
        if task.done():
            task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await listener.service.close()
