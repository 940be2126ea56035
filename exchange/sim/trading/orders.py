"""Handlers of regular orders."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from core.market import DAY_MS
from exchange.sim.trading import render
from exchange.sim.trading.call import LONGEST_MEMORY_MS, Call, JsonValue, Params
from exchange.sim.trading.order_requests import order_request
from exchange.sim.venue.admission import admit, check_time_in_force
from exchange.sim.venue.orders import Order
from exchange.sim.venue.rejections import Reason, VenueRejection
from exchange.sim.venue.terms import Side

_UNFILLED_MEMORY_MS = 3 * DAY_MS
_BATCH_MOST = 5
_CANCEL_BATCH_MOST = 10
CANCELLED_ALL = {"code": 200, "msg": "The operation of cancel all open order is done."}


def place(call: Call) -> dict[str, Any]:
    response_type = call.params.optional("newOrderRespType") or "ACK"
    if response_type not in ("ACK", "RESULT"):
        raise VenueRejection.because(Reason.INVALID_RESPONSE_TYPE)
    order = call.venue.orders.place(call.account, order_request(call), now_ms=call.now_ms)
    return render.order_result(order) if response_type == "RESULT" else render.order_acknowledged(order)


def check(call: Call) -> dict[str, Any]:
    """Check an order and place nothing."""
    request = order_request(call)
    quantity = admit(call.account, call.venue.floor, request)
    check_time_in_force(call.venue.floor, request, quantity)
    return {}


def query(call: Call) -> dict[str, Any]:
    return render.order_details(_find(call, call.account.orders.values(), Reason.NO_SUCH_ORDER))


def query_open(call: Call) -> dict[str, Any]:
    return render.order_details(_find(call, call.account.open_orders.values(), Reason.NO_SUCH_ORDER))


def list_open(call: Call) -> JsonValue:
    symbol = call.optional_symbol()
    return [
        render.order_details(order)
        for order in call.account.open_orders.values()
        if symbol in (None, order.symbol)
    ]


def list_all(call: Call) -> JsonValue:
    symbol = call.symbol()
    first = call.params.optional_integer("orderId") or 0
    start, end = call.week()
    limit = call.params.limit(default=500, most=1000)
    found = [
        order
        for order in call.account.orders.values()
        if order.symbol == symbol and order.order_id >= first and start <= order.created_ms <= end
    ]
    known = [order for order in found if not _is_forgotten(order, call.now_ms)]
    return [render.order_details(order) for order in _page(known, limit, from_start=_is_from_start(call))]


def cancel(call: Call) -> dict[str, Any]:
    order = _find(call, call.account.open_orders.values(), Reason.UNKNOWN_ORDER)
    call.venue.orders.cancel(call.account, order, now_ms=call.now_ms)
    return render.order_result(order)


def cancel_all(call: Call) -> JsonValue:
    symbol = call.symbol()
    for order in list(call.account.open_orders.values()):
        if order.symbol == symbol:
            call.venue.orders.cancel(call.account, order, now_ms=call.now_ms)
    return dict(CANCELLED_ALL)


def amend(call: Call) -> dict[str, Any]:
    """Change price or quantity of a resting limit order (PUT /fapi/v1/order)."""
    order = _find(call, call.account.open_orders.values(), Reason.NO_SUCH_ORDER)
    if call.params.text("side") not in tuple(Side):
        raise VenueRejection.because(Reason.INVALID_SIDE)
    quantity = _or(call.params.optional_decimal("quantity"), order.quantity)
    price = _or(call.params.optional_decimal("price"), order.price)
    call.venue.orders.amend(call.account, order, quantity=quantity, price=price, now_ms=call.now_ms)
    return render.order_result(order)


def place_batch(call: Call) -> JsonValue:
    return _batch(call, place)


def amend_batch(call: Call) -> JsonValue:
    return _batch(call, amend)


def cancel_batch(call: Call) -> JsonValue:
    symbol = call.symbol()
    by_id = call.params.listed("orderIdList")
    key = "orderId" if by_id else "origClientOrderId"
    wanted = by_id or call.params.listed("origClientOrderIdList")
    if not wanted:
        raise VenueRejection.because(Reason.EITHER_PARAMETER, "orderIdList", "origClientOrderIdList")
    if len(wanted) > _CANCEL_BATCH_MOST:
        raise VenueRejection.because(Reason.TOO_MANY_CANCELS)
    return [_each(call, cancel, {"symbol": symbol, key: one}) for one in wanted]


def amendments(call: Call) -> JsonValue:
    symbol = call.symbol()
    order_id = call.params.optional_integer("orderId")
    start, end = call.params.window()
    found = [
        {
            "amendmentId": number,
            "symbol": one.order.symbol,
            "pair": one.order.symbol,
            "orderId": one.order.order_id,
            "clientOrderId": one.order.client_id,
            "time": one.at_ms,
            "amendment": {
                "price": {"before": f"{one.price[0]:f}", "after": f"{one.price[1]:f}"},
                "origQty": {"before": f"{one.quantity[0]:f}", "after": f"{one.quantity[1]:f}"},
                "count": number,
            },
        }
        for number, one in enumerate(call.account.amendments, start=1)
        if one.order.symbol == symbol and order_id in (None, one.order.order_id) and start <= one.at_ms <= end
    ]
    return found[-call.params.limit(default=50, most=100) :]


def trades(call: Call) -> JsonValue:
    symbol = call.symbol()
    order_id = call.params.optional_integer("orderId")
    first = call.params.optional_integer("fromId") or 0
    start, end = call.week()
    limit = call.params.limit(default=500, most=1000)
    found = [
        one
        for one in call.account.trades
        if one.symbol == symbol
        and order_id in (None, one.order_id)
        and one.trade_id >= first
        and start <= one.at_ms <= end
    ]
    return [render.trade(one) for one in _page(found, limit, from_start=_is_from_start(call))]


def forced(call: Call) -> JsonValue:
    """List orders the exchange made itself: liquidations and ADL."""
    symbol = call.optional_symbol()
    prefix = {"LIQUIDATION": "autoclose", "ADL": "adl_autoclose"}.get(
        call.params.optional("autoCloseType") or "", ("autoclose", "adl_autoclose")
    )
    start, end = call.params.window()
    found = [
        order
        for order in call.account.orders.values()
        if order.client_id.startswith(prefix)
        and symbol in (None, order.symbol)
        and start <= order.created_ms <= end
    ]
    return [render.order_details(order) for order in found[-call.params.limit(default=50, most=100) :]]


def countdown_cancel(call: Call) -> JsonValue:
    """Arm or, with 0, disarm the cancelling of a symbol's orders; counted in market time."""
    symbol = call.symbol()
    countdown = call.params.integer("countdownTime")
    call.account.cancel_deadlines.pop(symbol, None)
    if countdown:
        call.account.cancel_deadlines[symbol] = call.now_ms + countdown
    return {"symbol": symbol, "countdownTime": str(countdown)}


def _find(call: Call, orders: Sequence[Order] | Any, absent: Reason) -> Order:
    """Return the newest order with the given id or client id on the symbol."""
    symbol = call.symbol()
    order_id = call.params.optional_integer("orderId")
    client_id = call.params.optional("origClientOrderId")
    if order_id is None and client_id is None:
        raise VenueRejection.because(Reason.EITHER_PARAMETER, "origClientOrderId", "orderId")
    for order in reversed(list(orders)):
        wanted = order.order_id == order_id if order_id is not None else order.client_id == client_id
        if wanted and order.symbol == symbol and not _is_forgotten(order, call.now_ms):
            return order
    raise VenueRejection.because(absent)


def _is_forgotten(order: Order, now_ms: int) -> bool:
    """Say whether Binance would still find it: three days without a fill, ninety with one (API page)."""
    if order.is_open:
        return False
    return now_ms - order.created_ms > (LONGEST_MEMORY_MS if order.executed else _UNFILLED_MEMORY_MS)


def _is_from_start(call: Call) -> bool:
    return any(call.params.optional_integer(name) for name in ("orderId", "fromId", "startTime"))


def _batch(call: Call, handler: Callable[[Call], dict[str, Any]]) -> JsonValue:
    wanted = call.params.json_list("batchOrders")
    if not 1 <= len(wanted) <= _BATCH_MOST:
        raise VenueRejection.because(Reason.BATCH_SIZE)
    return [_each(call, handler, one) for one in wanted]


def _each(call: Call, handler: Callable[[Call], dict[str, Any]], raw: Any) -> dict[str, Any]:
    """Run one entry of a batch; its rejection is an entry of the answer."""
    if not isinstance(raw, dict):
        return {"code": -1130, "msg": "Data sent for parameter 'batchOrders' is not valid."}
    entry = Params(dict(_as_strings(raw)))
    try:
        return handler(replace(call, params=entry))
    except VenueRejection as refusal:
        return {"code": refusal.code, "msg": refusal.message}


def _as_strings(raw: dict[Any, Any]) -> Iterator[tuple[str, str]]:
    for name, value in raw.items():
        text = str(value).lower() if isinstance(value, bool) else str(value)
        yield str(name), text


def _page(found: list[Any], limit: int, *, from_start: bool) -> list[Any]:
    """Return the oldest where a start was given, else the newest."""
    return found[:limit] if from_start else found[-limit:]


def _or(value: Decimal | None, default: Decimal) -> Decimal:
    return default if value is None else value
