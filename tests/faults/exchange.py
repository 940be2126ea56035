"""The exchange of a storm: the real simulator without sockets, a few lively symbols, and a human."""

from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import replace

import numpy as np

from core.clock import Clock
from core.market import MINUTE_MS, AxisChanged, Field, MarketContext, MinuteClosed, SymbolAxis
from core.rng import seeded
from exchange.binance.addresses import BinanceAddresses, Credentials
from exchange.sim.config import SimConfig
from exchange.sim.in_process import InProcess
from exchange.sim.market.paths import PathSource
from exchange.sim.market.seeded import SeededPaths
from exchange.sim.process import Simulator
from exchange.sim.universe import load_universe
from tests.faults.plan import Weather
from tests.faults.stories import Story, StoryPaths
from tests.faults.truth import Truth

SPEED = 10.0
ADDRESSES = BinanceAddresses(rest="http://exchange", ws="ws://exchange")
_HISTORY_BARS = 30
_PLACES = (5, 12, 40, 120, 240)  # by falling volume: the last ones have thin books, so orders fill in pieces


class StormExchange(Truth):
    """One simulated exchange; ``symbols`` are the bot's, ``foreign`` is the human's."""

    def __init__(self, weather: Weather, clock: Clock, *, story: Story | None = None) -> None:
        listed = load_universe(max(_PLACES) + 1)
        instruments = [replace(listed[place], volatility_15m=weather.volatility) for place in _PLACES]
        paths: PathSource = (
            StoryPaths(instruments, story)
            if story
            else SeededPaths(
                instruments, seed=weather.seed, start_ms=weather.begins_at, history_bars=_HISTORY_BARS
            )
        )
        config = SimConfig(speed=SPEED, seed=weather.seed, fault_seed=weather.seed)
        simulator = Simulator(config, clock=clock, market=(instruments, paths))
        simulator.faults.clear()  # the usual mix; ours comes later
        *symbols, foreign = (each.symbol for each in instruments)
        super().__init__(simulator, symbols, foreign=foreign)
        self.door = InProcess(self.simulator)
        self._weather = weather

    @property
    def credentials(self) -> Credentials:
        return Credentials(api_key=self.simulator.api_key, api_secret=self.simulator.api_secret)

    def let_it_storm(self) -> None:
        self.simulator.faults.add(self._weather.rules)

    def calm_down(self) -> None:
        self.simulator.faults.clear()


class StormMinutes:
    """``services.session.MinuteSource`` straight from the simulated market: closed candles, on time."""

    def __init__(
        self,
        exchange: StormExchange,
        axis: SymbolAxis,
        clock: Clock,
        *,
        on_axis: Callable[[AxisChanged], None],
    ) -> None:
        self._market = exchange.simulator.market
        self.mark = exchange.mark
        self._clock = clock
        self._on_axis = on_axis
        self._arrange(axis)

    def follow(self, symbols: Iterable[str]) -> None:
        """Tell of these symbols from the next minute on."""
        axis = SymbolAxis.of(symbols)
        if axis.names != self.axis.names:
            self._arrange(axis)
            self._on_axis(AxisChanged(axis=axis))

    def _arrange(self, axis: SymbolAxis) -> None:
        self.axis = axis
        self._columns = [self._market.index_of[symbol] for symbol in axis.names]
        self._volumes = np.array(
            [self._market.instruments[column].daily_quote_volume for column in self._columns]
        )

    def start(self) -> None: ...

    async def close(self) -> None: ...

    async def minutes(self) -> AsyncIterator[MinuteClosed]:
        """Yield each minute that closes from now on."""
        forming = self._market.minute_ms
        while True:
            left = (forming + MINUTE_MS - self._market.now_ms) / 1000 / SPEED
            await self._clock.sleep(max(left, 0.05))
            if self._market.minute_ms > forming:
                forming = self._market.minute_ms
                yield self._closed(forming - MINUTE_MS)

    def _closed(self, open_time: int) -> MinuteClosed:
        scales, columns = self._market.scales, self._columns
        row = self._market.closed(MINUTE_MS)[: len(Field), columns].astype(np.float64)
        row[: Field.VOLUME] /= 10.0 ** scales.price_decimals[columns]
        row[Field.VOLUME] /= 10.0 ** scales.volume_decimals[columns]
        present = row[Field.CLOSE] > 0  # what has been delivered trades no more
        row[:, ~present] = np.nan
        close = row[Field.CLOSE]
        context = MarketContext(
            bid=close * 0.9999,
            ask=close * 1.0001,
            mark=close.copy(),
            funding_rate=np.zeros_like(close),
            quote_volume_24h=self._volumes,
        )
        return MinuteClosed(
            open_time=open_time,
            axis=self.axis,
            row=row,
            present=present,
            context=context,
            seen_at=self._clock.market_ms(),
        )


def generator(*parts: int) -> np.random.Generator:
    """Return a generator that is a pure function of numbers: the same after a restart."""
    folded = 0
    for part in parts:
        folded = (folded * 1_000_003 + part) % (1 << 62)
    return seeded(folded)
