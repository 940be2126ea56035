"""Conditional orders of the algo service: their states, and when they trigger."""

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum

from core.instruments import Instrument
from exchange.sim.venue.positions import ZERO
from exchange.sim.venue.quotes import Quotes
from exchange.sim.venue.terms import OrderType, PositionSide, Side, TimeInForce, WorkingType


class AlgoStatus(StrEnum):
    NEW = "NEW"
    TRIGGERING = "TRIGGERING"
    TRIGGERED = "TRIGGERED"
    FINISHED = "FINISHED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"


# binance.md §2.3: NEW → TRIGGERING → TRIGGERED → FINISHED, or out by CANCELED, REJECTED, EXPIRED
_NEXT = {
    AlgoStatus.NEW: {AlgoStatus.TRIGGERING, AlgoStatus.CANCELED, AlgoStatus.EXPIRED},
    AlgoStatus.TRIGGERING: {AlgoStatus.TRIGGERED, AlgoStatus.REJECTED, AlgoStatus.EXPIRED},
    AlgoStatus.TRIGGERED: {AlgoStatus.FINISHED},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionalRequest:
    """One conditional order as sent, parsed; ``callback_rate`` is in percent, as on the wire."""

    symbol: str
    side: Side
    type: OrderType
    quantity: Decimal = ZERO
    price: Decimal = ZERO
    trigger_price: Decimal = ZERO
    working_type: WorkingType = WorkingType.CONTRACT_PRICE
    time_in_force: TimeInForce = TimeInForce.GTC
    position_side: PositionSide = PositionSide.BOTH
    price_protect: bool = False
    close_position: bool = False
    reduce_only: bool = False
    activate_price: Decimal = ZERO
    callback_rate: Decimal = ZERO
    client_id: str = ""
    good_till_ms: int = 0
    self_trade_prevention: str = "EXPIRE_MAKER"

    @property
    def lives_with_position(self) -> bool:
        return self.close_position or self.time_in_force is TimeInForce.GTE_GTC

    @property
    def is_stop(self) -> bool:
        return self.type in (OrderType.STOP, OrderType.STOP_MARKET)


@dataclass(slots=True, kw_only=True)
class ConditionalOrder:
    """A conditional order on the service; ``extreme`` is what a trailing stop saw at best since active."""

    algo_id: int
    client_id: str
    request: ConditionalRequest
    created_ms: int
    updated_ms: int
    status: AlgoStatus = AlgoStatus.NEW
    triggered_ms: int = 0
    order_id: int | None = None
    executed: Decimal = ZERO
    average_price: Decimal = ZERO
    reason: str = ""
    extreme: Decimal = ZERO
    is_active: bool = False

    @property
    def symbol(self) -> str:
        return self.request.symbol

    @property
    def is_open(self) -> bool:
        return self.status in (AlgoStatus.NEW, AlgoStatus.TRIGGERING)

    def become(self, status: AlgoStatus, now_ms: int) -> None:
        """Change status; an impossible change is a fault of ours (ValueError)."""
        if status not in _NEXT.get(self.status, set()):
            raise ValueError(f"algo order {self.algo_id} can not go from {self.status} to {status}")
        self.status = status
        self.updated_ms = now_ms
        if status is AlgoStatus.TRIGGERING:
            self.triggered_ms = now_ms


def working_price(quotes: Quotes, instrument: Instrument, kind: WorkingType) -> Decimal:
    """Return the price a trigger is compared with; the mark price is truncated first.

    Binance compares the mark price only to the symbol's price precision (binance.md §2.7).
    """
    if kind is WorkingType.CONTRACT_PRICE:
        return quotes.last(instrument.symbol)
    return quotes.mark(instrument.symbol).quantize(
        Decimal(1).scaleb(-instrument.price_precision), rounding=ROUND_DOWN
    )


def is_past_trigger(request: ConditionalRequest, price: Decimal) -> bool:
    """Say whether a stop or take-profit is at or beyond its trigger (binance.md §2.7)."""
    rises = (request.side is Side.BUY) == request.is_stop
    return price >= request.trigger_price if rises else price <= request.trigger_price


def follow(order: ConditionalOrder, price: Decimal) -> bool:
    """Move a trailing stop with the price; say whether it pulled back by its callback rate."""
    is_buy = order.request.side is Side.BUY
    activate = order.request.activate_price
    if not order.is_active:
        order.is_active = price <= activate if is_buy else price >= activate
        order.extreme = price
        return False
    order.extreme = min(order.extreme, price) if is_buy else max(order.extreme, price)
    rate = order.request.callback_rate / 100
    return price >= order.extreme * (1 + rate) if is_buy else price <= order.extreme * (1 - rate)


def is_protected(quotes: Quotes, instrument: Instrument) -> bool:
    """Say whether mark and last differ too much for a price-protected order to trigger.

    The denominator is not documented; we take the mark price.
    """
    mark = quotes.mark(instrument.symbol)
    return abs(quotes.last(instrument.symbol) - mark) > instrument.trigger_protect * mark
