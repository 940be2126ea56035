"""What all accounts of a venue share: instruments, prices, ids, and the insurance fund."""

from collections.abc import Mapping
from itertools import count

from core.instruments import Instrument
from exchange.sim.venue.positions import ZERO
from exchange.sim.venue.quotes import Quotes
from exchange.sim.venue.rejections import Reason, VenueRejection


class Floor:
    """``instruments`` is read at every use, so its owner may list, change or delist while running.

    ``triggers_stuck`` leaves conditional orders in TRIGGERING while it is set, as Binance's demo was seen
    to do (binance.md trap 14).
    """

    def __init__(self, instruments: Mapping[str, Instrument], quotes: Quotes) -> None:
        self.instruments = instruments
        self.quotes = quotes
        self.order_ids = count(1_000_001)
        self.algo_ids = count(2_000_001)
        self.trade_ids = count(3_000_001)
        self.insurance_fund = ZERO
        self.triggers_stuck = False

    def instrument(self, symbol: str) -> Instrument:
        """Return a contract that can be traded here; without brackets no margin can be computed."""
        found = self.instruments.get(symbol)
        if found is None or not found.brackets:
            raise VenueRejection.because(Reason.INVALID_SYMBOL)
        return found

    def tradable(self) -> list[Instrument]:
        return [each for each in self.instruments.values() if each.brackets]

    def max_leverage(self, symbol: str) -> int:
        """Return the highest leverage any bracket allows."""
        return max(each.max_leverage for each in self.instrument(symbol).brackets)
