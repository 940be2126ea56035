"""Handlers of conditional orders (the algo service)."""

from typing import Any

from exchange.sim.trading import render
from exchange.sim.trading.call import Call, JsonValue
from exchange.sim.trading.order_requests import conditional_request
from exchange.sim.venue.conditionals import AlgoStatus, ConditionalOrder
from exchange.sim.venue.rejections import Reason, VenueRejection


def place(call: Call) -> dict[str, Any]:
    request = conditional_request(call)
    return render.conditional(call.venue.conditionals.place(call.account, request, now_ms=call.now_ms))


def query(call: Call) -> dict[str, Any]:
    return render.conditional_details(_find(call, Reason.NO_SUCH_ORDER))


def cancel(call: Call) -> dict[str, Any]:
    order = _find(call, Reason.UNKNOWN_ORDER)
    call.venue.conditionals.cancel(call.account, order, now_ms=call.now_ms)
    return {"algoId": order.algo_id, "clientAlgoId": order.client_id, "code": "200", "msg": "success"}


def cancel_all(call: Call) -> JsonValue:
    symbol = call.symbol()
    for order in list(call.account.open_conditionals.values()):
        if order.symbol == symbol and order.status is AlgoStatus.NEW:
            call.venue.conditionals.cancel(call.account, order, now_ms=call.now_ms)
    return {"code": 200, "msg": "The operation of cancel all open order is done."}


def list_open(call: Call) -> JsonValue:
    symbol = call.optional_symbol()
    algo_id = call.params.optional_integer("algoId")
    return [
        render.conditional_details(order)
        for order in call.account.open_conditionals.values()
        if symbol in (None, order.symbol) and algo_id in (None, order.algo_id)
    ]


def list_all(call: Call) -> JsonValue:
    symbol = call.symbol()
    first = call.params.optional_integer("algoId") or 0
    start, end = call.week()
    found = [
        order
        for order in call.account.conditionals.values()
        if order.symbol == symbol and order.algo_id >= first and start <= order.created_ms <= end
    ]
    limit = call.params.limit(default=500, most=1000)
    from_start = first or call.params.optional_integer("startTime")
    page = found[:limit] if from_start else found[-limit:]
    return [render.conditional_details(order) for order in page]


def _find(call: Call, absent: Reason) -> ConditionalOrder:
    """Return the newest conditional order with the given id or client id; no symbol is asked for."""
    algo_id = call.params.optional_integer("algoId")
    client_id = call.params.optional("clientAlgoId")
    if algo_id is None and client_id is None:
        raise VenueRejection.because(Reason.EITHER_PARAMETER, "algoId", "clientAlgoId")
    for order in reversed(call.account.conditionals.values()):
        if order.algo_id == algo_id if algo_id is not None else order.client_id == client_id:
            return order
    raise VenueRejection.because(absent)
