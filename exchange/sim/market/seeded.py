"""A market drawn from a seed: one factor, volatility that clusters, jumps, volume, and no edge.

Each price is a martingale: given the past, a return is symmetric around zero, so no rule can expect to gain
before costs. (Only a price that falls to thirty ticks is held up, so that a long run keeps a market.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, repeat

import numpy as np
from numpy.typing import NDArray

from core.market import MINUTE_MS, QUARTER_MS
from core.rng import seeded
from exchange.sim.market.candles import Integers, Row
from exchange.sim.market.paths import POINTS_A_BAR, History, Path
from exchange.sim.market.scales import Scales
from exchange.sim.universe import SimInstrument

Floats = NDArray[np.float64]

_FEWEST_TICKS = 30
_PAST_POINTS = 20
_CONTINUITY = 0.5826  # −ζ(1/2) / √(2π)
_DAY_MINUTES = 1440


@dataclass(frozen=True, slots=True, kw_only=True)
class Climate:
    """The habits of the seeded market; times in minutes, jump sizes in standard deviations of a minute."""

    own_memory: float = 240.0
    own_swing: float = 0.45
    factor_memory: float = 1440.0
    factor_swing: float = 0.35
    minute_swing: float = 0.30
    jumps_a_minute: float = 1 / 1500
    jump_size: float = 5.0
    factor_jumps_a_minute: float = 1 / 4000
    factor_jump_size: float = 4.0
    loading_low: float = 0.45
    loading_high: float = 0.80
    volume_swing: float = 0.50


class SeededPaths:
    """Draws minutes for ever. The same instruments, seed and start give the same market on every machine."""

    def __init__(
        self,
        instruments: Sequence[SimInstrument],
        *,
        seed: int,
        start_ms: int,
        history_bars: int = 1500,
        climate: Climate | None = None,
    ) -> None:
        self._rng = seeded(seed)
        self._climate = climate or Climate()
        self._start_ms = start_ms - start_ms % MINUTE_MS
        self._history_bars = history_bars
        self._scales = Scales.of([each.contract for each in instruments])
        self._price = np.array([each.reference_price for each in instruments]) / self._scales.point
        self._sigma = np.array([each.volatility_15m for each in instruments]) / np.sqrt(15)
        self._daily_quote = np.array([each.daily_quote_volume for each in instruments])
        self._loading = self._rng.uniform(
            self._climate.loading_low, self._climate.loading_high, len(instruments)
        )
        self._own_mood = self._rng.normal(0.0, self._climate.own_swing, len(instruments))
        self._factor_mood = self._rng.normal(0.0, self._climate.factor_swing)

    @property
    def scales(self) -> Scales:
        return self._scales

    @property
    def start_ms(self) -> int:
        return self._start_ms

    def history(self) -> History:
        """Draw what came before: 15m candles first, then at least as many 1m candles up to the start."""
        beyond_quarter = self._start_ms % QUARTER_MS // MINUTE_MS
        minutes = -(-self._history_bars // 15) * 15 + beyond_quarter
        quarters = max(0, self._history_bars - minutes // 15)
        lengths = chain(repeat(15, quarters), repeat(1, minutes))
        return History(quarters, minutes, map(self._past_candle, lengths))

    def next_minute(self) -> Path:
        return self._walk(self._next_deviation(1), 1)

    def _past_candle(self, minutes: int) -> Integers:
        """Draw a candle in few steps and widen it to the range that sixty steps a minute would have had.

        A walk of n steps misses on average 0.5826 σ √dt of a continuous one's extremes at either end
        (Broadie, Glasserman and Kou 1997, "A continuity correction for discrete barrier options").
        """
        deviation = self._next_deviation(minutes)
        candle = self._walk(deviation, minutes, count=_PAST_POINTS).candle()
        missed = np.sqrt(minutes / _PAST_POINTS) - np.sqrt(1 / POINTS_A_BAR)
        gap = _CONTINUITY * missed * deviation * self._price / self._scales.tick
        ticks = np.floor(gap + self._rng.random(len(gap))).astype(np.int64)  # rounded to a tick, fairly
        candle[Row.HIGH] += ticks * self._scales.tick
        candle[Row.LOW] = np.maximum(candle[Row.LOW] - ticks * self._scales.tick, self._scales.tick)
        return candle

    def _walk(self, deviation: Floats, minutes: int, *, count: int = POINTS_A_BAR) -> Path:
        steps = self._returns(deviation, minutes, count)
        steps += 1.0
        prices = self._price * np.cumprod(steps, axis=0)
        np.maximum(prices, _FEWEST_TICKS * self._scales.tick, out=prices)
        self._price = prices[-1]
        points = np.rint(prices / self._scales.tick).astype(np.int64) * self._scales.tick
        volume = self._volume(points, deviation, minutes)
        return Path(points, volume, self._scales.quote_volume(volume, points.mean(0)))

    def _next_deviation(self, minutes: int) -> Floats:
        """Let the volatilities wander (log-normal, mean-reverting) and return one minute's, per symbol."""
        climate, rng = self._climate, self._rng
        keep = np.exp(-minutes / climate.own_memory)
        news = rng.standard_normal(len(self._price))
        self._own_mood = keep * self._own_mood + np.sqrt(1 - keep**2) * climate.own_swing * news
        keep = np.exp(-minutes / climate.factor_memory)
        self._factor_mood = keep * self._factor_mood + np.sqrt(1 - keep**2) * climate.factor_swing * (
            rng.standard_normal()
        )
        brief = climate.minute_swing / np.sqrt(minutes)
        passing = brief * rng.standard_normal(len(self._price))
        # a log-normal deviation of this exponent has a mean square of one
        mean = climate.own_swing**2 + climate.factor_swing**2 + brief**2
        return self._sigma * np.exp(self._own_mood + self._factor_mood + passing - mean)

    def _returns(self, deviation: Floats, minutes: int, count: int) -> Floats:
        """Return ``[count, S]`` symmetric returns: factor and own noise, and now and then a jump."""
        rng = self._rng
        factor = rng.standard_normal((count, 1))
        steps = rng.standard_normal((count, len(self._price)))
        steps *= np.sqrt(1 - self._loading**2)
        steps += factor * self._loading
        steps *= deviation * np.sqrt(minutes / count)
        self._add_jumps(steps, minutes)
        return np.clip(steps, -0.5, 0.5, out=steps)

    def _add_jumps(self, steps: Floats, minutes: int) -> None:
        climate, rng = self._climate, self._rng
        struck = np.flatnonzero(rng.random(len(self._price)) < climate.jumps_a_minute * minutes)
        when = rng.integers(len(steps), size=len(struck))
        steps[when, struck] += rng.laplace(0.0, climate.jump_size, len(struck)) * self._sigma[struck]
        if rng.random() < climate.factor_jumps_a_minute * minutes:
            size = rng.laplace(0.0, climate.factor_jump_size)
            steps[rng.integers(len(steps))] += size * self._loading * self._sigma

    def _volume(self, points: Integers, deviation: Floats, minutes: int) -> Integers:
        """Draw lots traded: more of them when the symbol is excited and when the bar is long."""
        usual = self._daily_quote * minutes / _DAY_MINUTES
        span = (points.max(0) - points.min(0)) / points[-1] / (self._sigma * np.sqrt(minutes))
        excitement = 0.75 * deviation / self._sigma + 0.45 * span
        noise = np.exp(self._climate.volume_swing * self._rng.standard_normal(len(self._price)))
        price = points[-1] * self._scales.point
        return np.rint(usual * excitement * noise / price / self._scales.lot).astype(np.int64)
