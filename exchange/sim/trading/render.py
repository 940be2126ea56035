"""REST answers in Binance's wire shape: orders, conditional orders, trades."""

from typing import Any

from exchange.sim.venue.account import Income, Trade
from exchange.sim.venue.conditionals import ConditionalOrder
from exchange.sim.venue.events import QUOTE_ASSET, wire_type
from exchange.sim.venue.numerals import cash, plain
from exchange.sim.venue.orders import Order, OrderStatus
from exchange.sim.venue.positions import ZERO
from exchange.sim.venue.terms import OrderType, Side, WorkingType

Answer = dict[str, Any]


def order_result(order: Order) -> Answer:
    """Answer a placed, changed or cancelled order.

    ``avgPrice`` and ``cumQuote`` are absent since 2026-07 (binance.md trap 2): fills come from the stream,
    from GET order, or from userTrades.
    """
    request, origin = order.request, order.origin
    answer: Answer = {
        "orderId": order.order_id,
        "symbol": order.symbol,
        "status": order.status,
        "clientOrderId": order.client_id,
        "price": plain(order.price),
        "origQty": plain(order.quantity),
        "executedQty": plain(order.executed),
        "cumQty": plain(order.executed),
        "timeInForce": request.time_in_force,
        "type": wire_type(order),
        "reduceOnly": request.reduce_only,
        "closePosition": origin.close_position if origin else False,
        "side": request.side,
        "positionSide": request.position_side,
        "stopPrice": plain(origin.stop_price if origin else ZERO),
        "workingType": origin.working_type if origin else WorkingType.CONTRACT_PRICE,
        "priceProtect": origin.price_protect if origin else False,
        "origType": origin.type if origin else wire_type(order),
        "priceMatch": request.price_match,
        "selfTradePreventionMode": request.self_trade_prevention,
        "goodTillDate": request.good_till_ms,
        "updateTime": order.updated_ms,
    }
    if origin is not None and origin.type is OrderType.TRAILING_STOP_MARKET:
        answer |= {"activatePrice": plain(origin.activate_price), "priceRate": plain(origin.callback_rate)}
    return answer


def order_acknowledged(order: Order) -> Answer:
    """Answer ``newOrderRespType=ACK``: accepted, and nothing said about fills."""
    return order_result(order) | {"status": OrderStatus.NEW, "executedQty": "0", "cumQty": "0"}


def order_details(order: Order) -> Answer:
    """Answer a query of an order, with its average price."""
    answer = order_result(order) | {
        "avgPrice": plain(order.average_price),
        "cumQuote": plain(order.quote),
        "time": order.created_ms,
    }
    del answer["cumQty"]
    return answer


def conditional(order: ConditionalOrder) -> Answer:
    request = order.request
    answer: Answer = {
        "algoId": order.algo_id,
        "clientAlgoId": order.client_id,
        "algoType": "CONDITIONAL",
        "orderType": request.type,
        "symbol": order.symbol,
        "side": request.side,
        "positionSide": request.position_side,
        "timeInForce": request.time_in_force,
        "quantity": plain(request.quantity),
        "algoStatus": order.status,
        "triggerPrice": plain(request.trigger_price),
        "price": plain(request.price),
        "icebergQuantity": None,
        "selfTradePreventionMode": request.self_trade_prevention,
        "workingType": request.working_type,
        "priceMatch": "NONE",
        "closePosition": request.close_position,
        "priceProtect": request.price_protect,
        "reduceOnly": request.reduce_only,
        "createTime": order.created_ms,
        "updateTime": order.updated_ms,
        "triggerTime": order.triggered_ms,
        "goodTillDate": request.good_till_ms,
    }
    if request.type is OrderType.TRAILING_STOP_MARKET:
        answer |= {
            "activatePrice": plain(request.activate_price),
            "callbackRate": plain(request.callback_rate),
        }
    return answer


def conditional_details(order: ConditionalOrder) -> Answer:
    """Answer a query of a conditional order, with the regular order it became."""
    return conditional(order) | {
        "actualOrderId": str(order.order_id) if order.order_id is not None else "",
        "actualPrice": plain(order.average_price),
        "actualQty": plain(order.executed),
        "tpTriggerPrice": "0",
        "tpPrice": "0",
        "slTriggerPrice": "0",
        "slPrice": "0",
        "tpOrderType": "",
    }


def trade(one: Trade) -> Answer:
    return {
        "symbol": one.symbol,
        "id": one.trade_id,
        "orderId": one.order_id,
        "side": one.side,
        "price": plain(one.price),
        "qty": plain(one.quantity),
        "realizedPnl": cash(one.realised),
        "marginAsset": QUOTE_ASSET,
        "quoteQty": plain(one.price * one.quantity),
        "commission": cash(one.commission),
        "commissionAsset": QUOTE_ASSET,
        "time": one.at_ms,
        "positionSide": one.position_side,
        "buyer": one.side is Side.BUY,
        "maker": one.is_maker,
    }


def income(one: Income) -> Answer:
    return {
        "symbol": one.symbol,
        "incomeType": one.kind,
        "income": cash(one.amount),
        "asset": QUOTE_ASSET,
        "time": one.at_ms,
        "info": str(one.trade_id) if one.trade_id is not None else one.kind,
        "tranId": one.income_id,
        "tradeId": str(one.trade_id) if one.trade_id is not None else "",
    }
