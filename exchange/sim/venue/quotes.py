"""What the venue asks of the market: prices now, a few book levels, and funding."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol

from exchange.sim.venue.terms import Side

Level = tuple[Decimal, Decimal]
"""Price and quantity."""


class Quotes(Protocol):
    """The market as it stands at the last step; every call must be cheap and free of side effects."""

    def last(self, symbol: str) -> Decimal:
        """Return the last traded price, on the tick."""
        ...

    def mark(self, symbol: str) -> Decimal:
        """Return the mark price; it may carry more digits than the tick."""
        ...

    def index(self, symbol: str) -> Decimal: ...

    def best_bid(self, symbol: str) -> Decimal: ...

    def best_ask(self, symbol: str) -> Decimal: ...

    def book(self, symbol: str, side: Side) -> Sequence[Level]:
        """Return the levels an order of ``side`` would take, best first: asks for a BUY."""
        ...

    def funding_rate(self, symbol: str) -> Decimal:
        """Return the rate to be settled at ``next_funding_ms``, as a ratio; longs pay when positive."""
        ...

    def next_funding_ms(self, symbol: str) -> int: ...
