"""Our commands as Binance's parameters, and its order replies as our reports."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

import msgspec

from core.orders import (
    CloseAtMarket,
    ConditionalChanged,
    ConditionalStatus,
    OrderEnded,
    OrderFilled,
    PlaceConditional,
    RestingConditional,
    RestingOrder,
    Role,
    SubmitEntry,
)
from core.parameters import CostParameters
from core.signals import Side
from exchange.binance.account import SETTLED_IN

_WIRE_SIDE: Mapping[Side, str] = {Side.LONG: "BUY", Side.SHORT: "SELL"}
_CONDITIONAL_TYPE: Mapping[Role, str] = {
    Role.STOP: "STOP_MARKET",
    Role.TRAIL: "STOP_MARKET",
    Role.TARGET: "TAKE_PROFIT_MARKET",
}
_USUAL_RATE = CostParameters().taker_fee
_TRIGGERED = frozenset({ConditionalStatus.TRIGGERED, ConditionalStatus.FINISHED})
ENDED = frozenset({"FILLED", "CANCELED", "EXPIRED", "EXPIRED_IN_MATCH", "REJECTED"})


class OrderReply(msgspec.Struct, rename="camel"):
    """Reply of GET /fapi/v1/order, as far as we read it."""

    order_id: int
    symbol: str
    client_order_id: str
    status: str
    executed_qty: Decimal
    update_time: int


class TradeReply(msgspec.Struct, rename="camel"):
    """One element of the reply of /fapi/v1/userTrades."""

    id: int
    order_id: int
    symbol: str
    side: str
    price: Decimal
    qty: Decimal
    commission: Decimal
    commission_asset: str
    realized_pnl: Decimal
    time: int


class ConditionalReply(msgspec.Struct, rename="camel"):
    """Reply of GET /fapi/v1/algoOrder."""

    algo_id: int
    client_algo_id: str
    symbol: str
    algo_status: str
    update_time: int = 0
    actual_order_id: str | int | None = None
    actual_qty: str | None = None  # empty while it rests

    def is_told_whole(self, fills: Iterable[OrderFilled]) -> bool:
        """Tell whether what became of it, once triggered, and all its executions are told.

        A reply may have lost the order's id, a list of executions some of its rows.
        """
        if self.algo_status not in _TRIGGERED:
            return True
        booked = sum((each.quantity for each in fills), Decimal(0))
        return bool(self.became) and booked >= Decimal(self.actual_qty or 0)

    @property
    def became(self) -> str:
        """Id of the order it turned into, empty while it rests."""
        return wire_id(self.actual_order_id)


class OpenConditionalReply(msgspec.Struct, rename="camel"):
    """One element of the reply of GET /fapi/v1/openAlgoOrders."""

    client_algo_id: str
    symbol: str
    algo_status: str
    trigger_price: Decimal
    quantity: Decimal = Decimal(0)
    close_position: bool = False


class OpenOrderReply(msgspec.Struct, rename="camel"):
    """One element of the reply of GET /fapi/v1/openOrders."""

    client_order_id: str
    symbol: str


class Accepted(msgspec.Struct):
    """Any reply whose being there is all we want to know."""


def side_of(wire: str) -> Side:
    return Side.LONG if wire == "BUY" else Side.SHORT


def wire_id(value: str | int | None) -> str:
    """Binance writes "no id" as an empty text, as 0 or not at all."""
    return "" if value in {None, 0, "0"} else str(value)


def status_of(wire: str) -> ConditionalStatus:
    """Read a conditional's status; one we have never heard of is no proof that it protects."""
    return ConditionalStatus(wire) if wire in set(ConditionalStatus) else ConditionalStatus.REJECTED


def market_order(order: SubmitEntry | CloseAtMarket) -> dict[str, str]:
    """Parameters of POST /fapi/v1/order."""
    closing = isinstance(order, CloseAtMarket)
    parameters = {
        "symbol": order.symbol,
        "side": _WIRE_SIDE[order.side.opposite if closing else order.side],
        "type": "MARKET",
        "quantity": f"{order.quantity:f}",
        "newClientOrderId": order.client_order_id,
    }
    return {**parameters, "reduceOnly": "true"} if closing else parameters


def conditional_order(order: PlaceConditional) -> dict[str, str]:
    """Parameters of POST /fapi/v1/algoOrder for an order that closes a position, or a part, at market."""
    size = {"closePosition": "true"}
    if order.quantity is not None:
        size = {"quantity": f"{order.quantity:f}", "reduceOnly": "true"}
    return {
        "algoType": "CONDITIONAL",
        "symbol": order.symbol,
        "side": _WIRE_SIDE[order.side.opposite],
        "type": _CONDITIONAL_TYPE[order.role],
        "triggerPrice": f"{order.trigger_price:f}",
        **size,
        "workingType": "MARK_PRICE",
        "priceProtect": "true",
        "clientAlgoId": order.client_order_id,
    }


def fee_in_usdt(commission: Decimal, asset: str, *, notional: Decimal) -> Decimal:
    """Return a commission in USDT; one paid in another asset (BNB) is taken as if it had been in USDT.

    Its own rate is a tenth lower then, so that this errs on the dear side.
    """
    return commission if asset == SETTLED_IN else notional * _USUAL_RATE


def resting_conditional(order: OpenConditionalReply) -> RestingConditional:
    return RestingConditional(
        client_order_id=order.client_algo_id,
        symbol=order.symbol,
        status=status_of(order.algo_status),
        trigger_price=order.trigger_price,
        quantity=None if order.close_position else order.quantity,
    )


def resting_order(order: OpenOrderReply) -> RestingOrder:
    return RestingOrder(client_order_id=order.client_order_id, symbol=order.symbol)


def filled(trade: TradeReply, *, client_order_id: str) -> OrderFilled:
    return OrderFilled(
        symbol=trade.symbol,
        client_order_id=client_order_id,
        venue_order_id=str(trade.order_id),
        trade_id=str(trade.id),
        side=side_of(trade.side),
        quantity=trade.qty,
        price=trade.price,
        fee=fee_in_usdt(trade.commission, trade.commission_asset, notional=trade.price * trade.qty),
        realised_pnl=trade.realized_pnl,
        at=trade.time,
    )


def ended(order: OrderReply) -> OrderEnded:
    return OrderEnded(
        symbol=order.symbol,
        client_order_id=order.client_order_id,
        filled=order.executed_qty,
        at=order.update_time,
    )


def conditional_changed(order: ConditionalReply) -> ConditionalChanged:
    return ConditionalChanged(
        symbol=order.symbol,
        client_order_id=order.client_algo_id,
        status=status_of(order.algo_status),
        at=order.update_time,
        venue_order_id=order.became,
    )
