"""The order book around the last trade, modelled from how liquid the symbol is."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from exchange.sim.market.candles import Integers
from exchange.sim.market.market import Market
from exchange.sim.universe import SimInstrument

LEVELS = 50

_USUAL_SPREAD = 0.0001  # of a symbol that trades _USUAL_VOLUME a day; it falls with the root of volume
_USUAL_VOLUME = 50e6
_NARROWEST, _WIDEST = 0.000005, 0.003
_TOP_SIZE = 0.25  # of what trades in a minute
_GROWTH = 0.5  # each level deeper holds that much more of the top size
_MINUTES_A_DAY = 1440


class Book:
    """Best prices of all symbols, and the levels of one."""

    def __init__(self, market: Market) -> None:
        self._market = market
        volumes = np.array([each.daily_quote_volume for each in market.instruments])
        self._spread = np.clip(_USUAL_SPREAD * np.sqrt(_USUAL_VOLUME / volumes), _NARROWEST, _WIDEST)
        self._top_quote = _TOP_SIZE * volumes / _MINUTES_A_DAY
        self._steps = _steps_in_lots(market.instruments, market.scales.volume_decimals)

    def spreads(self) -> Integers:
        """Return ask − bid of every symbol in points, at least one tick."""
        tick = self._market.scales.tick
        ticks = np.rint(self._market.last * self._spread / tick).astype(np.int64)
        return np.maximum(ticks, 1) * tick

    def best(self) -> tuple[Integers, Integers]:
        """Return best bids and asks in points: the last trade stands on one of the two."""
        last, rising, spreads = self._market.last, self._market.rising, self.spreads()
        return np.where(rising, last - spreads, last), np.where(rising, last, last + spreads)

    def levels(self, index: int, *, asks: bool, count: int = LEVELS) -> tuple[Integers, Integers]:
        """Return prices (points) and quantities (lots) of one side of one book, best first.

        Quantities grow with distance and change each market second; trading does not thin the book.
        """
        bids, offers = self.best()
        best, sign = (offers[index], 1) if asks else (bids[index], -1)
        steps = np.arange(min(count, LEVELS), dtype=np.int64)
        prices = best + sign * steps * self.spreads()[index]
        shown = prices > 0
        return prices[shown], self._quantities(index, prices[shown], side=sign)

    def top_quantities(self) -> Integers:
        """Return lots on the best level of every symbol, bid and ask alike."""
        price = np.maximum(self._market.last, 1) * self._market.scales.point
        return self._in_steps(self._top_quote / price, slice(None))

    def _quantities(self, index: int, prices: Integers, *, side: int) -> Integers:
        steps = np.arange(len(prices))
        moment = self._market.now_ms // 1000 + index * 7919 + side
        quote = self._top_quote[index] * (1 + _GROWTH * steps) * _ripple(moment + steps * 104729)
        return self._in_steps(quote / (prices * self._market.scales.point[index]), index)

    def _in_steps(self, quantity: NDArray[np.float64], where: int | slice) -> Integers:
        step = self._steps[where]
        lots = quantity / self._market.scales.lot[where]
        return np.maximum(np.rint(lots / step).astype(np.int64), 1) * step


def _ripple(moments: Integers) -> NDArray[np.float64]:
    """Return 0.5 … 1.5, a fixed mix of each integer: the book needs variety, not a generator's state."""
    mixed = moments.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    return 0.5 + (mixed >> np.uint64(40)) / 2**24


def _steps_in_lots(instruments: Sequence[SimInstrument], decimals: Integers) -> Integers:
    steps = [
        int(each.contract.step_size.scaleb(int(d))) for each, d in zip(instruments, decimals, strict=True)
    ]
    return np.array(steps, np.int64)
