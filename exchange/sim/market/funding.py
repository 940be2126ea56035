"""Funding: when each symbol settles and at what rate."""

import numpy as np
from numpy.typing import NDArray

from core.rng import seeded

HOUR_MS = 3_600_000
LONG_INTERVAL_HOURS = 8
SHORT_INTERVAL_HOURS = 4
CAP = 0.02
"""Largest rate either way, as fundingInfo tells."""

_INTEREST = 0.0001  # Binance's fixed interest part of 8 h
_SWING = 0.00012
_GIANTS = 40  # symbols that still settle every eight hours


class FundingSchedule:
    """Rates drawn from a seed: each a mean of recent news, so that neighbours in time are alike."""

    def __init__(self, daily_quote_volumes: NDArray[np.float64], *, seed: int) -> None:
        order = (-daily_quote_volumes).argsort().argsort()
        hours = np.where(order < _GIANTS, LONG_INTERVAL_HOURS, SHORT_INTERVAL_HOURS)
        self.interval_hours: NDArray[np.int64] = hours.astype(np.int64)
        self._seed = seed
        self._symbols = len(daily_quote_volumes)
        self._rates: dict[int, NDArray[np.float64]] = {}
        self._next: tuple[int, NDArray[np.float64]] = -1, np.empty(0)

    def next_times(self, now_ms: int) -> NDArray[np.int64]:
        """Return the next settlement of every symbol, after ``now_ms``."""
        interval = self.interval_hours * HOUR_MS
        return (now_ms // interval + 1) * interval

    def rates_at(self, settled_ms: int) -> NDArray[np.float64]:
        """Return the rate ``[S]`` of the settlement at ``settled_ms``, for the symbols that settle then."""
        hour = settled_ms // HOUR_MS
        if hour not in self._rates:
            self._rates[hour] = self._draw(hour)
        return self._rates[hour]

    def next_rates(self, now_ms: int) -> NDArray[np.float64]:
        """Return the rate of each symbol's next settlement."""
        hour = now_ms // HOUR_MS
        if self._next[0] != hour:
            self._next = hour, self._look_ahead(now_ms)
        return self._next[1]

    def _look_ahead(self, now_ms: int) -> NDArray[np.float64]:
        times = self.next_times(now_ms)
        rates = np.empty(self._symbols)
        for settled_ms in np.unique(times):
            settling = times == settled_ms
            rates[settling] = self.rates_at(int(settled_ms))[settling]
        return rates

    def _draw(self, hour: int) -> NDArray[np.float64]:
        step = SHORT_INTERVAL_HOURS
        news = [
            seeded((self._seed << 32) + past).standard_normal(self._symbols)
            for past in range(hour - 5 * step, hour + step, step)
        ]
        interest = _INTEREST * self.interval_hours / LONG_INTERVAL_HOURS
        rates = np.clip(interest + _SWING * np.sum(news, axis=0) / np.sqrt(len(news)), -CAP, CAP)
        return np.round(rates, 8)
