"""A market that knows every candle and streams what a test says, and a trader who listens to it."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.market import MINUTE_MS, QUARTER_MS, CandleHistory, Field, MinuteClosed, SymbolAxis
from exchange.limits.weight import Priority
from services.bootstrap import BootstrapProgress
from services.data_service import DataService
from services.market_intake import MarketIntake
from tests.fakes.virtual_time import VirtualClock, run_virtually

AXIS = SymbolAxis(("AUSDT", "BUSDT", "CUSDT"))
START = 1_764_547_200_000 + 300 * QUARTER_MS  # a whole quarter of an hour


def candle(index: int, open_time: int) -> tuple[float, float, float, float, float]:
    """Make the one true candle of a symbol and minute."""
    price = 100.0 + index + (open_time // MINUTE_MS) % 997
    return price, price + 2, price - 2, price + 1, 10.0


@dataclass
class FakeMarket:
    """Knows every candle: serves them in pages, and in streams as the test says."""

    clock: VirtualClock
    listed_since: int = 0
    holes: set[tuple[str, int]] = field(default_factory=set)
    delays: dict[str, float] = field(default_factory=dict)
    faults: dict[str, list[Exception]] = field(default_factory=dict)
    forming: int = START
    pages: list[tuple[str, int, int, Priority]] = field(default_factory=list)
    sink: MarketIntake = field(init=False)
    service: DataService = field(init=False)
    followed: list[tuple[str, ...]] = field(default_factory=list)
    renewed: list[str] = field(default_factory=list)
    broken: asyncio.Event = field(default_factory=asyncio.Event)

    async def page(
        self,
        symbol: str,
        timeframe_ms: int,
        *,
        limit: int,
        start_ms: int | None = None,
        end_ms: int | None = None,
        priority: Priority = Priority.SCAN,
    ) -> CandleHistory:
        self.pages.append((symbol, timeframe_ms, limit, priority))
        await self.clock.sleep(self.delays.get(symbol, 0.05))
        if self.faults.get(symbol):
            raise self.faults[symbol].pop(0)
        newest = self.forming if end_ms is None else end_ms
        first = max(start_ms or newest - (limit - 1) * timeframe_ms, self.listed_since)
        end_ms = min(newest, first + (limit - 1) * timeframe_ms)
        times = [at for at in range(first, end_ms + 1, timeframe_ms) if (symbol, at) not in self.holes]
        index = AXIS.index_of(symbol)
        assert index is not None
        candles = np.array([candle(index, at) for at in times]).reshape(-1, 5).T
        return CandleHistory(
            symbol=symbol, timeframe_ms=timeframe_ms, open_times=np.array(times, np.int64), candles=candles
        )

    async def run(self) -> None:
        await self.broken.wait()
        raise RuntimeError("a mistake in the streams")

    async def subscribed(self) -> None: ...

    def renew(self, symbols: Sequence[str]) -> None:
        self.renewed += symbols

    def follow(self, symbols: Sequence[str]) -> None:
        self.followed.append(tuple(symbols))

    def closes(self, minute: int, *indices: int) -> None:
        """Stream closed candles of the minute ``minute`` after START."""
        open_time = START + minute * MINUTE_MS
        self.forming = max(self.forming, open_time + MINUTE_MS)
        for index in indices or range(len(AXIS)):
            self.sink.on_candle(
                index, open_time, candle(index, open_time), closed=True, at=open_time + MINUTE_MS
            )

    async def passes(self, minutes: range, *indices: int, silent: bool = False) -> None:
        """Let these minutes go by, on a clock that began at START, and stream what closes in each."""
        for minute in minutes:
            end = START + (minute + 1) * MINUTE_MS
            await self.clock.sleep((end - self.clock.market_ms()) / 1000)
            self.forming = max(self.forming, end)
            if not silent:
                self.closes(minute, *indices)

    def breathes(self, at: int = START) -> None:
        """Stream a mark price, which tells what time it is."""
        self.sink.on_mark(0, 100.0, 0.0001, at=at)


@dataclass
class Heard:
    """What a trader got to know, in order; checks that it may rely on it."""

    events: list[MinuteClosed | CandleHistory] = field(default_factory=list)
    progress: list[BootstrapProgress] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)

    @property
    def minutes(self) -> list[MinuteClosed]:
        return [event for event in self.events if isinstance(event, MinuteClosed)]

    @property
    def histories(self) -> list[CandleHistory]:
        return [event for event in self.events if isinstance(event, CandleHistory)]

    def present(self) -> list[tuple[int, list[bool]]]:
        return [((m.open_time - START) // MINUTE_MS, m.present.tolist()) for m in self.minutes]

    def candles_of(self, index: int) -> dict[int, float]:
        """Apply histories and minutes in order; fails on a gap, a repetition or a wrong candle."""
        known: dict[int, float] = {}
        for event in self.events:
            for at, close in _closes(event, index):
                assert not known or at == max(known) + MINUTE_MS, "a gap, or a candle twice"
                assert close == candle(index, at)[Field.CLOSE]
                known[at] = close
        return known


def _closes(event: MinuteClosed | CandleHistory, index: int) -> list[tuple[int, float]]:
    if isinstance(event, MinuteClosed):
        close = float(event.row[Field.CLOSE, index])
        assert event.present[index] != np.isnan(close)
        return [(event.open_time, close)] if event.present[index] else []
    if event.symbol != AXIS.names[index] or event.timeframe_ms != MINUTE_MS:
        return []
    return list(zip(event.open_times.tolist(), event.candles[Field.CLOSE].tolist(), strict=True))


Story = Callable[[FakeMarket, Heard, VirtualClock], Coroutine[Any, Any, None]]


def played(story: Story, *, in_step: bool = False, **market: Any) -> Heard:
    """Let a trader listen while ``story`` happens to the market, its clock at START when ``in_step``."""

    async def play() -> Heard:
        clock = VirtualClock(offset_ms=300 * QUARTER_MS if in_step else 0)
        fake, heard = FakeMarket(clock, **market), Heard()

        def streams(sink: MarketIntake) -> FakeMarket:
            fake.sink = sink
            return fake

        fake.service = service = DataService(
            AXIS,
            fake,
            streams=streams,
            clock=clock,
            on_history=heard.events.append,
            on_progress=heard.progress.append,
        )
        service.start()

        async def listen() -> None:
            try:
                async for minute in service.minutes():
                    heard.events.append(minute)
            except ExceptionGroup as fault:
                heard.faults.extend(fault.exceptions)

        listening = asyncio.create_task(listen())
        await clock.sleep(0.01)
        await story(fake, heard, clock)
        await clock.sleep(0.01)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await service.close()
        return heard

    return run_virtually(play())


async def warmed(market: FakeMarket, clock: VirtualClock) -> None:
    market.breathes()
    await clock.sleep(1)
