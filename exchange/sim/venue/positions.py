"""Position arithmetic: what a trade does to a position, as pure functions that conserve money exactly."""

from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal

ZERO = Decimal(0)
MONEY_STEP = Decimal("1e-8")
"""Binance books money in units of 10⁻⁸."""


def money(amount: Decimal) -> Decimal:
    return amount.quantize(MONEY_STEP, rounding=ROUND_HALF_EVEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Quantity and cost are signed alike: negative is short.

    ``cost`` rather than the entry price is the record, because sums stay exact and quotients do not.
    ``carried`` is the fees paid less the profit realised since the position was opened.
    """

    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    isolated_wallet: Decimal = ZERO
    carried: Decimal = ZERO
    updated_ms: int = 0

    @property
    def is_flat(self) -> bool:
        return self.quantity == 0

    @property
    def entry_price(self) -> Decimal:
        return self.cost / self.quantity if self.quantity else ZERO

    @property
    def break_even_price(self) -> Decimal:
        return (self.cost + self.carried) / self.quantity if self.quantity else ZERO

    def notional(self, mark: Decimal) -> Decimal:
        return abs(self.quantity) * mark

    def unrealised(self, mark: Decimal) -> Decimal:
        return self.quantity * mark - self.cost


FLAT = Position()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A position after a trade; ``released`` left its isolated wallet and ``locked`` entered it."""

    position: Position
    realised: Decimal
    released: Decimal
    locked: Decimal


def after_trade(
    position: Position, quantity: Decimal, *, price: Decimal, leverage: Decimal | None
) -> Outcome:
    """Trade a signed quantity, closing before opening; ``leverage`` is None for a cross position."""
    closing = closing_part(position.quantity, quantity)
    reduced, realised, released = _reduce(position, closing, price)
    opened, locked = _grow(reduced, quantity - closing, price=price, leverage=leverage)
    return Outcome(position=opened, realised=realised, released=released, locked=locked)


def closing_part(held: Decimal, quantity: Decimal) -> Decimal:
    """Return how much of a signed ``quantity`` reduces what is ``held``; the rest opens."""
    if held * quantity >= 0:
        return ZERO
    return max(quantity, -held) if held > 0 else min(quantity, -held)


def charged(position: Position, fee: Decimal, *, now_ms: int) -> Position:
    """Remember a fee for the break-even price."""
    carried = ZERO if position.is_flat else position.carried + fee
    return replace(position, carried=carried, updated_ms=now_ms)


def _reduce(position: Position, closing: Decimal, price: Decimal) -> tuple[Position, Decimal, Decimal]:
    if not closing:
        return position, ZERO, ZERO
    proceeds = -closing * price
    if closing == -position.quantity:
        return FLAT, proceeds - position.cost, position.isolated_wallet
    share = -closing / position.quantity
    realised = money(proceeds - position.cost * share)
    released = money(position.isolated_wallet * share)
    rest = replace(
        position,
        quantity=position.quantity + closing,
        cost=position.cost - proceeds + realised,
        isolated_wallet=position.isolated_wallet - released,
        carried=position.carried - realised,
    )
    return rest, realised, released


def _grow(
    position: Position, opening: Decimal, *, price: Decimal, leverage: Decimal | None
) -> tuple[Position, Decimal]:
    if not opening:
        return position, ZERO
    cost = opening * price
    locked = money(abs(cost) / leverage) if leverage is not None else ZERO
    grown = replace(
        position,
        quantity=position.quantity + opening,
        cost=position.cost + cost,
        isolated_wallet=position.isolated_wallet + locked,
    )
    return grown, locked
