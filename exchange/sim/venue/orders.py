"""Regular orders: what was asked, what became of it, and which changes of status are possible."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from exchange.sim.venue.positions import ZERO
from exchange.sim.venue.terms import OrderType, PositionSide, Side, TimeInForce, WorkingType


class OrderStatus(StrEnum):
    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    EXPIRED_IN_MATCH = "EXPIRED_IN_MATCH"


_ENDINGS = frozenset(
    {OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.EXPIRED_IN_MATCH}
)
_NEXT = {
    OrderStatus.NEW: _ENDINGS | {OrderStatus.PARTIALLY_FILLED},
    OrderStatus.PARTIALLY_FILLED: _ENDINGS | {OrderStatus.PARTIALLY_FILLED},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRequest:
    """One order as sent, parsed; ``price`` is zero for MARKET orders."""

    symbol: str
    side: Side
    type: OrderType
    quantity: Decimal
    price: Decimal = ZERO
    time_in_force: TimeInForce = TimeInForce.GTC
    position_side: PositionSide = PositionSide.BOTH
    reduce_only: bool = False
    client_id: str = ""
    good_till_ms: int = 0
    self_trade_prevention: str = "EXPIRE_MAKER"
    price_match: str = "NONE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The conditional order a regular one came from; shown on the wire as ``ot``, ``sp``, ``wt``, ``cp``."""

    algo_id: int
    type: OrderType
    stop_price: Decimal
    working_type: WorkingType
    close_position: bool
    price_protect: bool
    activate_price: Decimal
    callback_rate: Decimal


@dataclass(slots=True, kw_only=True)
class Order:
    """An accepted order. Price and quantity may be amended; ``status`` moves only through ``become``."""

    order_id: int
    client_id: str
    request: OrderRequest
    quantity: Decimal
    price: Decimal
    created_ms: int
    updated_ms: int
    origin: Origin | None = None
    status: OrderStatus = OrderStatus.NEW
    executed: Decimal = ZERO
    quote: Decimal = ZERO
    realised: Decimal = ZERO
    amendments: int = 0

    @property
    def symbol(self) -> str:
        return self.request.symbol

    @property
    def side(self) -> Side:
        return self.request.side

    @property
    def remaining(self) -> Decimal:
        return self.quantity - self.executed

    @property
    def average_price(self) -> Decimal:
        return self.quote / self.executed if self.executed else ZERO

    @property
    def is_open(self) -> bool:
        return self.status in _NEXT

    def become(self, status: OrderStatus, now_ms: int) -> None:
        """Change status; an ended order never changes again (ValueError)."""
        if status not in _NEXT.get(self.status, frozenset()):
            raise ValueError(f"order {self.order_id} can not go from {self.status} to {status}")
        self.status = status
        self.updated_ms = now_ms

    def fill(self, price: Decimal, quantity: Decimal, *, now_ms: int) -> None:
        self.executed += quantity
        self.quote += price * quantity
        is_full = self.executed == self.quantity
        self.become(OrderStatus.FILLED if is_full else OrderStatus.PARTIALLY_FILLED, now_ms)
