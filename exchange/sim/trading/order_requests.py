"""Order parameters read into requests, with Binance's rejection for each thing wrong with them."""

from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from exchange.sim.trading.call import Call, Params
from exchange.sim.venue.conditionals import ConditionalRequest
from exchange.sim.venue.orders import OrderRequest
from exchange.sim.venue.positions import ZERO
from exchange.sim.venue.rejections import Reason, VenueRejection
from exchange.sim.venue.terms import OrderType, PositionSide, Side, TimeInForce, WorkingType

_SELF_TRADE_MODES = ("EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "NONE")
_DEFAULT_SELF_TRADE_MODE = "EXPIRE_MAKER"  # binance.md §2.7
_PRICE_MATCH_LEVELS = {"": 1, "5": 5, "10": 10, "20": 20}
_GOOD_TILL_LEAD_MS = 600_000
_GOOD_TILL_END_MS = 253_402_300_799_000
_Term = TypeVar("_Term", bound=StrEnum)


def order_request(call: Call) -> OrderRequest:
    """Read POST /fapi/v1/order; conditional types belong to the algo service (-4120)."""
    params = call.params
    symbol, side, order_type = call.symbol(), _side(params), _type(params)
    if order_type.is_conditional:
        raise VenueRejection.because(Reason.USE_ALGO_ENDPOINT)
    if params.flag("closePosition"):
        raise VenueRejection.because(Reason.CLOSE_POSITION_TYPE, order_type)
    if order_type is OrderType.MARKET:
        params.refuse("price", "timeInForce")
    time_in_force = _time_in_force(params, is_mandatory=order_type is OrderType.LIMIT)
    return OrderRequest(
        symbol=symbol,
        side=side,
        type=order_type,
        quantity=params.decimal("quantity"),
        price=_price(call, symbol, side, order_type),
        time_in_force=time_in_force,
        position_side=_position_side(params),
        reduce_only=params.flag("reduceOnly"),
        price_match=params.optional("priceMatch") or "NONE",
        client_id=params.client_id("newClientOrderId"),
        good_till_ms=_good_till(call, time_in_force),
        self_trade_prevention=_self_trade_prevention(params),
    )


def conditional_request(call: Call) -> ConditionalRequest:
    """Read POST /fapi/v1/algoOrder."""
    params = call.params
    if params.text("algoType") != "CONDITIONAL":
        raise VenueRejection.because(Reason.INVALID_PARAMETER, "algoType")
    if (params.optional("priceMatch") or "NONE") != "NONE":  # at the trigger; not modelled
        raise VenueRejection.because(Reason.INVALID_PRICE_MATCH)
    symbol, side, order_type = call.symbol(), _side(params), _type(params)
    if not order_type.is_conditional:
        raise VenueRejection.because(Reason.INVALID_ORDER_TYPE)
    is_trailing = order_type is OrderType.TRAILING_STOP_MARKET
    close_position = params.flag("closePosition")
    if close_position:
        params.refuse("reduceOnly")
    time_in_force = _time_in_force(params, is_mandatory=False)
    return ConditionalRequest(
        symbol=symbol,
        side=side,
        type=order_type,
        quantity=_conditional_quantity(params, close_position=close_position),
        price=params.decimal("price") if order_type.has_limit_price else ZERO,
        trigger_price=ZERO if is_trailing else params.decimal("triggerPrice"),
        working_type=_working_type(params),
        time_in_force=time_in_force,
        position_side=_position_side(params),
        price_protect=params.flag("priceProtect"),
        close_position=close_position,
        reduce_only=params.flag("reduceOnly"),
        activate_price=params.optional_decimal("activatePrice") or ZERO,
        callback_rate=params.decimal("callbackRate") if is_trailing else ZERO,
        client_id=params.client_id("clientAlgoId"),
        good_till_ms=_good_till(call, time_in_force),
        self_trade_prevention=_self_trade_prevention(params),
    )


def _price(call: Call, symbol: str, side: Side, order_type: OrderType) -> Decimal:
    """Read the price, or find it in the book where ``priceMatch`` asks for a level of it."""
    wanted = call.params.optional("priceMatch") or "NONE"
    if wanted == "NONE":
        return call.params.decimal("price") if order_type is OrderType.LIMIT else ZERO
    if order_type is not OrderType.LIMIT:
        raise VenueRejection.because(Reason.PRICE_MATCH_TYPE)
    call.params.refuse("price")
    opposite, _, level = wanted.partition("_")
    if opposite not in ("OPPONENT", "QUEUE") or level not in _PRICE_MATCH_LEVELS:
        raise VenueRejection.because(Reason.INVALID_PRICE_MATCH)
    levels = call.venue.floor.quotes.book(symbol, side if opposite == "OPPONENT" else side.opposite)
    number = _PRICE_MATCH_LEVELS[level]
    if len(levels) < number:
        raise VenueRejection.because(Reason.NO_DEPTH_FOR_PRICE_MATCH)
    return levels[number - 1][0]


def _conditional_quantity(params: Params, *, close_position: bool) -> Decimal:
    if close_position:
        return params.optional_decimal("quantity") or ZERO
    return params.decimal("quantity")


def _side(params: Params) -> Side:
    return _term(params.text("side"), Side, Reason.INVALID_SIDE)


def _type(params: Params) -> OrderType:
    order_type = _term(params.text("type"), OrderType, Reason.INVALID_ORDER_TYPE)
    if order_type is OrderType.LIQUIDATION:
        raise VenueRejection.because(Reason.INVALID_ORDER_TYPE)
    return order_type


def _position_side(params: Params) -> PositionSide:
    value = params.optional("positionSide") or PositionSide.BOTH
    return _term(value, PositionSide, Reason.INVALID_POSITION_SIDE)


def _time_in_force(params: Params, *, is_mandatory: bool) -> TimeInForce:
    value = params.text("timeInForce") if is_mandatory else params.optional("timeInForce")
    return _term(value or TimeInForce.GTC, TimeInForce, Reason.INVALID_TIME_IN_FORCE)


def _working_type(params: Params) -> WorkingType:
    value = params.optional("workingType") or WorkingType.CONTRACT_PRICE
    return _term(value, WorkingType, Reason.INVALID_WORKING_TYPE)


def _self_trade_prevention(params: Params) -> str:
    """Read the mode; it is echoed, never acted on, because the modelled book holds no order of ours."""
    mode = params.optional("selfTradePreventionMode") or _DEFAULT_SELF_TRADE_MODE
    if mode not in _SELF_TRADE_MODES:
        raise VenueRejection.because(Reason.INVALID_SELF_TRADE_PREVENTION)
    return mode


def _good_till(call: Call, time_in_force: TimeInForce) -> int:
    if time_in_force is not TimeInForce.GTD:
        return 0
    until = call.params.integer("goodTillDate")
    if not call.now_ms + _GOOD_TILL_LEAD_MS < until < _GOOD_TILL_END_MS:
        raise VenueRejection.because(Reason.GOOD_TILL_DATE)
    return until // 1000 * 1000  # Binance keeps whole seconds


def _term(value: str, terms: type[_Term], reason: Reason) -> _Term:
    try:
        return terms(value)
    except ValueError:
        raise VenueRejection.because(reason, value) from None
