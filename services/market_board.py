"""What is known of every symbol beside its candles, the newest value of each."""

import numpy as np

from core.market import Floats, MarketContext, Moves, SymbolAxis


class MarketBoard:
    """Written by the streams one symbol at a time, read as copies."""

    def __init__(self, axis: SymbolAxis) -> None:
        self._bid = _unknown(axis)
        self._ask = _unknown(axis)
        self._mark = _unknown(axis)
        self._funding_rate = _unknown(axis)
        self._volume = _unknown(axis)

    def mark(self, index: int, mark: float, funding_rate: float) -> None:
        self._mark[index] = mark
        self._funding_rate[index] = funding_rate

    def mark_of(self, index: int) -> float:
        return float(self._mark[index])

    def book(self, index: int, bid: float, ask: float) -> None:
        self._bid[index] = bid
        self._ask[index] = ask

    def volume(self, index: int, quote_volume_24h: float) -> None:
        self._volume[index] = quote_volume_24h

    def forget_marks(self) -> None:
        """Old marks, rates and volumes are worse than none."""
        for values in (self._mark, self._funding_rate, self._volume):
            values.fill(np.nan)

    def forget_books(self) -> None:
        self._bid.fill(np.nan)
        self._ask.fill(np.nan)

    def arrange(self, moves: Moves) -> None:
        """Stand on another axis; nothing is known yet of who is new."""
        self._bid = moves.of(self._bid, np.nan)
        self._ask = moves.of(self._ask, np.nan)
        self._mark = moves.of(self._mark, np.nan)
        self._funding_rate = moves.of(self._funding_rate, np.nan)
        self._volume = moves.of(self._volume, np.nan)

    def context(self) -> MarketContext:
        """Take a copy that nobody writes to."""
        return MarketContext(
            bid=self._bid.copy(),
            ask=self._ask.copy(),
            mark=self._mark.copy(),
            funding_rate=self._funding_rate.copy(),
            quote_volume_24h=self._volume.copy(),
        )


def _unknown(axis: SymbolAxis) -> Floats:
    return np.full(len(axis), np.nan)
