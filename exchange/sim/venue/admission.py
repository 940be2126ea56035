"""Whether an order may enter: status, sides, filters, reduce-only rules, margin and position cap."""

from decimal import Decimal

from core.instruments import Instrument, InstrumentStatus
from exchange.sim.venue import filters, margin
from exchange.sim.venue.account import Account
from exchange.sim.venue.floor import Floor
from exchange.sim.venue.matching import available, within
from exchange.sim.venue.orders import OrderRequest
from exchange.sim.venue.positions import ZERO
from exchange.sim.venue.rejections import Reason, VenueRejection
from exchange.sim.venue.terms import OrderType, PositionSide, Side, TimeInForce

ASSUMED_SLIPPAGE = Decimal("1.0005")
"""A market buy is margined at the best ask × (1 + 0.05 %), as Binance's order-cost page has it."""


def admit(account: Account, floor: Floor, request: OrderRequest, *, closes_all: bool = False) -> Decimal:
    """Return the quantity that may be worked, or raise the rejection Binance would give.

    ``closes_all`` marks the order of a triggered closePosition, whose size no filter may refuse.
    """
    instrument = floor.instrument(request.symbol)
    check_position_side(account, request.position_side, is_reduce_only=request.reduce_only)
    may_open = margin.opens(account, request)
    check_status(instrument, may_open=may_open)
    if not closes_all:
        filters.check_quantity(instrument, request.quantity, is_market=not request.type.has_limit_price)
    price = _check_prices(instrument, floor, request)
    _check_room(account, request.symbol)
    if not may_open:
        return request.quantity if closes_all else _reducible(account, request)
    filters.check_notional(instrument, request.quantity * price)
    check_margin(account, floor, request, price=_margin_price(floor, request))
    return request.quantity


def check_position_side(account: Account, position_side: PositionSide, *, is_reduce_only: bool) -> None:
    if account.is_hedged is (position_side is PositionSide.BOTH):
        raise VenueRejection.because(Reason.POSITION_SIDE_MISMATCH)
    if account.is_hedged and is_reduce_only:  # binance.md §2.7
        raise VenueRejection.because(Reason.PARAMETER_NOT_REQUIRED, "reduceonly")


def check_status(instrument: Instrument, *, may_open: bool) -> None:
    if instrument.status is InstrumentStatus.CLOSED:
        raise VenueRejection.because(Reason.SYMBOL_CLOSED)
    if may_open and instrument.status is not InstrumentStatus.TRADING:
        raise VenueRejection.because(Reason.SYMBOL_NOT_OPENING)


def check_time_in_force(floor: Floor, request: OrderRequest, quantity: Decimal) -> None:
    """Refuse a post-only order that would take and a fill-or-kill order the book can not fill."""
    if request.time_in_force is TimeInForce.GTX and would_take(floor, request.side, request):
        raise VenueRejection.because(Reason.POST_ONLY_WOULD_TAKE)
    if request.time_in_force is TimeInForce.FOK:
        levels = floor.quotes.book(request.symbol, request.side)
        if available(levels, side=request.side, limit=request.price) < quantity:
            raise VenueRejection.because(Reason.FOK_NOT_FILLED)


def would_take(floor: Floor, side: Side, request: OrderRequest) -> bool:
    """Say whether a limit order crosses the best price of the other side."""
    quotes = floor.quotes
    best = quotes.best_ask(request.symbol) if side is Side.BUY else quotes.best_bid(request.symbol)
    return within(side, best, request.price)


def check_margin(account: Account, floor: Floor, request: OrderRequest, *, price: Decimal) -> None:
    """Refuse a position beyond the bracket's cap, and an order whose cost exceeds the available balance.

    Cost = added initial margin + the loss of filling beyond the mark + the taker fee; that the fee counts is
    a guess, on the side of caution.
    """
    key = (request.symbol, request.position_side)
    now = margin.margins(account, floor, key)
    added = request.quantity * price
    bids, asks = (added, ZERO) if request.side is Side.BUY else (ZERO, added)
    largest = margin.exposure(now.notional, now.bids + bids, now.asks + asks)
    growth = largest - margin.exposure(now.notional, now.bids, now.asks)
    if growth <= 0:
        return
    leverage = account.setting(request.symbol).leverage
    if largest > floor.instrument(request.symbol).max_notional(leverage):
        raise VenueRejection.because(Reason.POSITION_CAP)
    beyond = request.side.sign * (price - floor.quotes.mark(request.symbol))
    cost = growth / leverage + max(beyond, ZERO) * request.quantity + added * account.taker_rate
    if cost > margin.totals(account, floor).available:
        raise VenueRejection.because(Reason.MARGIN_INSUFFICIENT)


def _check_prices(instrument: Instrument, floor: Floor, request: OrderRequest) -> Decimal:
    """Check the price filters; return the price MIN_NOTIONAL is measured at (the mark for MARKET)."""
    mark = floor.quotes.mark(request.symbol)
    if request.type is OrderType.MARKET:
        filters.check_counterparty(instrument, floor.quotes, request.side)
        return mark
    filters.check_price(instrument, request.price)
    filters.check_percent_price(instrument, request.side, request.price, reference=mark)
    return request.price


def _margin_price(floor: Floor, request: OrderRequest) -> Decimal:
    if request.type is not OrderType.MARKET:
        return request.price
    if request.side is Side.BUY:
        return floor.quotes.best_ask(request.symbol) * ASSUMED_SLIPPAGE
    return floor.quotes.best_bid(request.symbol)


def _check_room(account: Account, symbol: str) -> None:
    resting = sum(order.symbol == symbol for order in account.open_orders.values())
    if resting >= filters.max_open_orders(symbol):
        raise VenueRejection.because(Reason.TOO_MANY_OPEN_ORDERS)


def _reducible(account: Account, request: OrderRequest) -> Decimal:
    """Return how much of a reducing order can be worked.

    Without a position, -2022. In one-way mode an order larger than the position is cut to it (a guess:
    Binance accepts it and never fills more), but not beside a resting one: -4118 (binance.md trap 16).
    In hedge mode a larger order is refused.
    """
    held = account.closable(request.symbol, request.position_side, request.side)
    if held == 0:
        raise VenueRejection.because(Reason.REDUCE_ONLY_REJECTED)
    resting = sum(
        (
            order.remaining
            for order in account.open_orders.values()
            if (order.symbol, order.request.position_side, order.side)
            == (request.symbol, request.position_side, request.side)
            and not margin.opens(account, order.request)
        ),
        ZERO,
    )
    if resting + request.quantity <= held:
        return request.quantity
    if account.is_hedged:
        raise VenueRejection.because(Reason.REDUCE_ONLY_REJECTED)
    if resting:
        raise VenueRejection.because(Reason.REDUCE_ONLY_CONFLICT)
    return held
