"""The data service over real sockets: what a trader is told equals the simulator's own history."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.market import MINUTE_MS, QUARTER_MS, CandleHistory, MinuteClosed, SymbolAxis
from services.data_service import DataService
from tests.contract.binance_rig import PATIENCE, Rig, rig

SPEED = 240.0


@dataclass(slots=True)
class Trader:
    """Applies histories and minutes in order and keeps every candle it was told, by symbol and open time."""

    venue: Rig
    axis: SymbolAxis
    service: DataService = field(init=False)
    minutes: list[MinuteClosed] = field(default_factory=list)
    candles: dict[str, dict[int, NDArray[np.float64]]] = field(default_factory=dict)
    quarters: dict[str, CandleHistory] = field(default_factory=dict)

    def learn(self, history: CandleHistory) -> None:
        if history.timeframe_ms == QUARTER_MS:
            self.quarters[history.symbol] = history
            return
        for open_time, candle in zip(history.open_times.tolist(), history.candles.T, strict=True):
            self._keep(history.symbol, open_time, candle)

    async def live(self) -> None:
        async for minute in self.service.minutes():
            self.minutes.append(minute)
            for index in np.flatnonzero(minute.present).tolist():
                self._keep(self.axis.names[index], minute.open_time, minute.row[:, index])

    async def until_whole(self, *, minutes: int = 1) -> None:
        """Wait until every symbol was present in so many further minutes."""
        before = len(self.minutes)
        async with asyncio.timeout(PATIENCE):
            while sum(minute.present.all() for minute in self.minutes[before:]) < minutes:
                await self.venue.clock.sleep(0.02)

    async def check(self) -> None:
        """Compare with what the exchange says of the same minutes now."""
        for symbol, known in self.candles.items():
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
async def trading(venue: Rig) -> AsyncIterator[Trader]:
    """Run a data service against the simulator, and a trader who listens."""
    axis = SymbolAxis(tuple(await venue.exchange.instruments()))
    trader = Trader(venue, axis)
    trader.service = DataService(
        axis,
        venue.connection.candles,
        streams=lambda sink: venue.connection.market_streams(axis.names, sink),
        clock=venue.clock,
        on_history=trader.learn,
        on_market_time=venue.clock.observe,
        deadline=0.5,
    )
    trader.service.start()
    living = asyncio.create_task(trader.live())
    try:
        yield trader
    finally:
        living.cancel()
        await asyncio.gather(living, return_exceptions=True)
        await trader.service.close()


async def test_every_candle_told_is_the_exchanges_own_and_none_is_missing() -> None:
    async with rig(speed=SPEED) as venue, trading(venue) as trader:
        await trader.until_whole(minutes=5)
        await trader.check()
        assert all(len(known) > 499 for known in trader.candles.values())
        for quarters in trader.quarters.values():
            assert quarters.candles.shape == (5, 3 * 499)
            assert (np.diff(quarters.open_times) == QUARTER_MS).all()
        context = trader.minutes[-1].context
        assert (context.spread > 0).all()
        assert (context.mark > 0).all()
        assert (context.quote_volume_24h > 0).all()
        assert np.isfinite(context.funding_rate).all()


async def test_after_all_connections_were_cut_nothing_is_missing() -> None:
    async with rig(speed=SPEED) as venue, trading(venue) as trader:
        await trader.until_whole()
        for connection in list(venue.simulator.hub.connections):
            connection.drop()
        await venue.clock.sleep(0.6)
        await trader.until_whole(minutes=2)
        await trader.check()
        numbers = [minute.open_time for minute in trader.minutes]
        assert numbers == list(range(numbers[0], numbers[-1] + 1, MINUTE_MS))


async def test_a_cold_start_against_a_tight_limit_is_slow_but_never_refused() -> None:
    async with rig(speed=SPEED, symbols=60, weight_limit=200) as venue, trading(venue) as trader:
        assert venue.connection.limiter.limit == 200
        await trader.until_whole()
        assert venue.connection.api.rate_limited == 0
        assert len(trader.quarters) == 60
