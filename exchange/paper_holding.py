"""What a paper account holds in one symbol, and which of its resting orders a candle reaches."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from core.lifecycle_moves import conditional_order
from core.market import Prices
from core.orders import PlaceConditional, Role
from core.positions import Position, Protection
from core.signals import Side

_STOPS = frozenset({Role.STOP, Role.TRAIL})


@dataclass(slots=True)
class Holding:
    """``quantity`` is signed, ``mark`` the last known price, ``resting`` are stops and targets by id."""

    quantity: Decimal = Decimal(0)
    entry_price: Decimal = Decimal(0)
    mark: Decimal = Decimal(0)
    resting: dict[str, PlaceConditional] = field(default_factory=dict)

    @classmethod
    def of(cls, position: Position) -> "Holding":
        """Return what an earlier process held, with the stops and targets that rested."""
        orders = (conditional_order(position, each, role) for role, each in _resting_of(position))
        return cls(
            quantity=position.quantity * position.side,
            entry_price=position.entry_price,
            mark=position.entry_price,
            resting={each.client_order_id: each for each in orders},
        )

    def book(self, signed: Decimal, price: Decimal) -> Decimal:
        """Apply a fill and return the PnL it realised; a close never exceeds what is held."""
        self.mark = price
        if self.quantity * signed >= 0:
            total = self.quantity + signed
            self.entry_price = (self.entry_price * self.quantity + price * signed) / total
            self.quantity = total
            return Decimal(0)
        realised = (self.entry_price - price) * signed
        self.quantity += signed
        return realised

    def reached(self, candle: Prices) -> Iterator[tuple[PlaceConditional, Decimal]]:
        """Yield the orders that a candle reaches and where they fill, in the order that is worse for us."""
        for order in sorted(self.resting.values(), key=_turn):
            price = _fill_price(order, candle)
            if price is not None:
                yield order, price


def _turn(order: PlaceConditional) -> tuple[bool, Decimal]:
    """Order what one candle may trigger: stops before targets, and each kind as prices would reach it."""
    is_target = order.role not in _STOPS
    way = order.side if is_target else -order.side
    return is_target, order.trigger_price * way


def _fill_price(order: PlaceConditional, candle: Prices) -> Decimal | None:
    """Return where a stop or target fills within the candle, ``None`` where it is not reached.

    A stop jumped over fills at the open; a target never fills better than its trigger.
    """
    trigger = order.trigger_price
    if order.side is Side.LONG:
        if order.role in _STOPS:
            return min(trigger, candle.open) if candle.low <= trigger else None
        return trigger if candle.high >= trigger else None
    if order.role in _STOPS:
        return max(trigger, candle.open) if candle.high >= trigger else None
    return trigger if candle.low <= trigger else None


def _resting_of(position: Position) -> Iterator[tuple[Role, Protection]]:
    stops = ((Role.STOP, position.stop), (Role.TRAIL, position.trail), (Role.TRAIL, position.next_trail))
    for role, each in (*stops, *((Role.TARGET, target) for target in position.targets)):
        if each is not None and each.confirmed and not each.venue_order_id:
            yield role, each
