"""How the integers of the market read as prices and quantities, one value a symbol."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from core.instruments import Instrument
from exchange.sim.market.candles import QUOTE_DECIMALS, Integers


@dataclass(frozen=True, slots=True)
class Scales:
    """Decimals of prices and quantities, and the tick size in points."""

    price_decimals: Integers
    volume_decimals: Integers
    tick: Integers

    @classmethod
    def of(cls, contracts: Sequence[Instrument]) -> "Scales":
        """Read decimals and ticks off the contracts; a tick finer than the price precision widens it."""
        decimals = [max(each.price_precision, _places(each.tick_size)) for each in contracts]
        ticks = [int(each.tick_size.scaleb(place)) for each, place in zip(contracts, decimals, strict=True)]
        places = [max(each.quantity_precision, _places(each.step_size)) for each in contracts]
        return cls(np.array(decimals, np.int64), np.array(places, np.int64), np.array(ticks, np.int64))

    @property
    def point(self) -> NDArray[np.float64]:
        """One point in USDT."""
        return np.power(10.0, -self.price_decimals)

    @property
    def lot(self) -> NDArray[np.float64]:
        """One lot in units of the base asset."""
        return np.power(10.0, -self.volume_decimals)

    def quote_volume(self, volume: Integers, mean_points: NDArray[np.float64]) -> Integers:
        """Return what ``volume`` lots cost at a mean price in points, in 0.0001 USDT."""
        value = volume * mean_points * (self.point * self.lot * 10.0**QUOTE_DECIMALS)
        return np.rint(value).astype(np.int64)


def _places(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return max(0, -int(exponent))
