"""Matching against the modelled book: which levels an order takes, and how much of each."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from exchange.sim.venue.quotes import Level
from exchange.sim.venue.terms import Side


@dataclass(frozen=True, slots=True)
class Execution:
    """One trade against the book."""

    price: Decimal
    quantity: Decimal
    is_maker: bool = False


def within(side: Side, price: Decimal, limit: Decimal) -> bool:
    """Say whether ``price`` is no worse than ``limit`` for an order of ``side``."""
    return price <= limit if side is Side.BUY else price >= limit


def take(levels: Iterable[Level], quantity: Decimal, *, side: Side, limit: Decimal) -> Iterator[Execution]:
    """Yield the trades of a taker, best level first, never worse than ``limit``."""
    for price, available in levels:
        if quantity <= 0 or not within(side, price, limit):
            return
        traded = min(quantity, available)
        if traded > 0:
            yield Execution(price, traded)
        quantity -= traded


def available(levels: Iterable[Level], *, side: Side, limit: Decimal) -> Decimal:
    """Return how much of the book an order of ``side`` could take at ``limit`` or better."""
    return sum((size for price, size in levels if within(side, price, limit)), Decimal(0))
