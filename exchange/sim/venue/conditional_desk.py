"""The desk for conditional orders: accept, watch, trigger, cancel."""

from decimal import Decimal

from core.instruments import Instrument
from exchange.sim.venue import filters
from exchange.sim.venue.account import Account
from exchange.sim.venue.admission import check_position_side, check_status
from exchange.sim.venue.conditionals import (
    AlgoStatus,
    ConditionalOrder,
    ConditionalRequest,
    follow,
    is_past_trigger,
    is_protected,
    working_price,
)
from exchange.sim.venue.floor import Floor
from exchange.sim.venue.lifecycle import begin_conditional, move_conditional
from exchange.sim.venue.margin import opens
from exchange.sim.venue.matching import within
from exchange.sim.venue.order_desk import OrderDesk
from exchange.sim.venue.orders import OrderRequest, Origin
from exchange.sim.venue.rejections import Reason, VenueRejection
from exchange.sim.venue.terms import OrderType, PositionSide, Side, TimeInForce

_CLOSING_TYPES = (OrderType.STOP_MARKET, OrderType.TAKE_PROFIT_MARKET)
_CALLBACK_RANGE = (Decimal("0.1"), Decimal(10))
_REASONS_BY_CODE = {Reason.REDUCE_ONLY_REJECTED.value[0]: "Reduce Only reject"}


class ConditionalDesk:
    """Keeps conditional orders of every account and hands what triggers to the order desk."""

    def __init__(self, floor: Floor, orders: OrderDesk) -> None:
        self._floor = floor
        self._orders = orders

    def place(self, account: Account, request: ConditionalRequest, *, now_ms: int) -> ConditionalOrder:
        """Accept a conditional order; raises VenueRejection. Margin is checked at the trigger only."""
        instrument = self._floor.instrument(request.symbol)
        self._check(account, instrument, request)
        algo_id = next(self._floor.algo_ids)
        order = ConditionalOrder(
            algo_id=algo_id,
            client_id=request.client_id or f"auto-{algo_id}",
            request=request,
            created_ms=now_ms,
            updated_ms=now_ms,
        )
        if request.type is OrderType.TRAILING_STOP_MARKET:
            order.extreme = working_price(self._floor.quotes, instrument, request.working_type)
            order.is_active = not request.activate_price
        begin_conditional(account, order, now_ms=now_ms)
        return order

    def watch(self, account: Account, order: ConditionalOrder, *, now_ms: int) -> None:
        """Trigger the order if its price is reached; expire it at its date."""
        if order.status is AlgoStatus.TRIGGERING:
            self._fire(account, order, now_ms=now_ms)
            return
        request = order.request
        if request.good_till_ms and now_ms >= request.good_till_ms:
            move_conditional(account, order, AlgoStatus.EXPIRED, now_ms=now_ms)
            return
        instrument = self._floor.instrument(request.symbol)
        if not self._is_reached(instrument, order):
            return
        if request.price_protect and is_protected(self._floor.quotes, instrument):
            return
        move_conditional(account, order, AlgoStatus.TRIGGERING, now_ms=now_ms)
        self._fire(account, order, now_ms=now_ms)

    def cancel(self, account: Account, order: ConditionalOrder, *, now_ms: int) -> None:
        """Cancel an order not yet triggering; anything later is -2011 (binance.md trap 14)."""
        if order.status is not AlgoStatus.NEW:
            raise VenueRejection.because(Reason.UNKNOWN_ORDER)
        move_conditional(account, order, AlgoStatus.CANCELED, now_ms=now_ms)

    def _is_reached(self, instrument: Instrument, order: ConditionalOrder) -> bool:
        price = working_price(self._floor.quotes, instrument, order.request.working_type)
        if order.request.type is OrderType.TRAILING_STOP_MARKET:
            return follow(order, price)
        return is_past_trigger(order.request, price)

    def _fire(self, account: Account, order: ConditionalOrder, *, now_ms: int) -> None:
        """Turn a triggering order into a regular one; the venue's checks may still refuse it."""
        if self._floor.triggers_stuck:
            return
        try:
            regular = self._orders.accept(
                account, _regular(account, order), now_ms=now_ms, origin=_origin(order)
            )
        except VenueRejection as refusal:
            order.reason = _REASONS_BY_CODE.get(refusal.code, refusal.message)
            move_conditional(account, order, AlgoStatus.REJECTED, now_ms=now_ms)
            return
        order.order_id = regular.order_id
        move_conditional(account, order, AlgoStatus.TRIGGERED, now_ms=now_ms)
        self._orders.match(account, regular, now_ms=now_ms)

    def _check(self, account: Account, instrument: Instrument, request: ConditionalRequest) -> None:
        check_position_side(account, request.position_side, is_reduce_only=request.reduce_only)
        is_closing = request.close_position or not opens(account, request)
        check_status(instrument, may_open=not is_closing)
        _check_client_id(account, request)
        if request.close_position:
            _check_close_position(account, request)
        else:
            is_market = not request.type.has_limit_price
            filters.check_quantity(instrument, request.quantity, is_market=is_market)
        self._check_prices(instrument, request)
        if not is_closing and request.type is not OrderType.TRAILING_STOP_MARKET:
            price = request.price or request.trigger_price
            filters.check_notional(instrument, request.quantity * price)
        if request.lives_with_position:
            _check_position_exists(account, request)
        if len(account.open_conditionals) >= filters.MAX_OPEN_CONDITIONALS:
            raise VenueRejection.because(Reason.TOO_MANY_STOP_ORDERS)

    def _check_prices(self, instrument: Instrument, request: ConditionalRequest) -> None:
        price = working_price(self._floor.quotes, instrument, request.working_type)
        if request.type is OrderType.TRAILING_STOP_MARKET:
            _check_trailing(instrument, request, price)
            return
        filters.check_price(instrument, request.trigger_price, is_trigger=True)
        if request.type.has_limit_price:
            filters.check_price(instrument, request.price)
            _check_stop_limit(instrument, request)
        if is_past_trigger(request, price):
            raise VenueRejection.because(Reason.WOULD_TRIGGER)


def _regular(account: Account, order: ConditionalOrder) -> OrderRequest:
    """Return the regular order a triggered one becomes.

    That it keeps the client id of its parent is not documented.
    """
    request = order.request
    held = account.closable(request.symbol, request.position_side, request.side)
    if request.close_position and not held:
        raise VenueRejection.because(Reason.REDUCE_ONLY_REJECTED)
    tif = request.time_in_force
    return OrderRequest(
        symbol=request.symbol,
        side=request.side,
        type=OrderType.LIMIT if request.type.has_limit_price else OrderType.MARKET,
        quantity=held if request.close_position else request.quantity,
        price=request.price,
        time_in_force=TimeInForce.GTC if tif is TimeInForce.GTE_GTC else tif,
        position_side=request.position_side,
        reduce_only=not account.is_hedged and (request.reduce_only or request.close_position),
        client_id=order.client_id,
        self_trade_prevention=request.self_trade_prevention,
    )


def _origin(order: ConditionalOrder) -> Origin:
    request = order.request
    return Origin(
        algo_id=order.algo_id,
        type=request.type,
        stop_price=request.trigger_price,
        working_type=request.working_type,
        close_position=request.close_position,
        price_protect=request.price_protect,
        activate_price=request.activate_price,
        callback_rate=request.callback_rate,
    )


def _check_client_id(account: Account, request: ConditionalRequest) -> None:
    if request.client_id and any(
        order.client_id == request.client_id for order in account.open_conditionals.values()
    ):
        raise VenueRejection.because(Reason.DUPLICATE_CLIENT_ID)


def _check_close_position(account: Account, request: ConditionalRequest) -> None:
    if request.type not in _CLOSING_TYPES:
        raise VenueRejection.because(Reason.CLOSE_POSITION_TYPE, request.type)
    if request.quantity:
        raise VenueRejection.because(Reason.CLOSE_POSITION_QUANTITY)
    opening = {PositionSide.LONG: Side.BUY, PositionSide.SHORT: Side.SELL}
    if opening.get(request.position_side) is request.side:  # binance.md §2.7; the code is a guess
        raise VenueRejection.because(Reason.POSITION_SIDE_MISMATCH)
    for order in account.open_conditionals.values():
        other = order.request
        same_direction = (other.symbol, other.position_side, other.side) == (
            request.symbol,
            request.position_side,
            request.side,
        )
        if other.close_position and same_direction and other.is_stop == request.is_stop:
            raise VenueRejection.because(Reason.DUPLICATE_CLOSE_POSITION)


def _check_position_exists(account: Account, request: ConditionalRequest) -> None:
    """GTE needs a position to live with; reports from the field say an open order alone does not do."""
    if not account.closable(request.symbol, request.position_side, request.side):
        raise VenueRejection.because(Reason.GTE_WITHOUT_POSITION)


def _check_trailing(instrument: Instrument, request: ConditionalRequest, price: Decimal) -> None:
    low, high = _CALLBACK_RANGE
    if not low <= request.callback_rate <= high:
        raise VenueRejection.because(Reason.INVALID_PARAMETER, "callbackRate")
    if not request.activate_price:
        return
    filters.check_price(instrument, request.activate_price, is_trigger=True)
    is_buy = request.side is Side.BUY
    if request.activate_price >= price if is_buy else request.activate_price <= price:
        raise VenueRejection.because(Reason.WOULD_TRIGGER)


def _check_stop_limit(instrument: Instrument, request: ConditionalRequest) -> None:
    """The limit price must lie in the percent band around the trigger price: -4183, -4184."""
    bound = filters.percent_bound(instrument, request.side, request.trigger_price)
    if not within(request.side, request.price, bound):
        is_buy = request.side is Side.BUY
        reason = Reason.STOP_LIMIT_ABOVE_CAP if is_buy else Reason.STOP_LIMIT_BELOW_FLOOR
        raise VenueRejection.because(reason, f"{bound:f}")
