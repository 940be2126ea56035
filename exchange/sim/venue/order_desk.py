"""The desk for regular orders: accept, match, rest, amend, cancel."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from core.instruments import InstrumentStatus
from exchange.sim.venue import events
from exchange.sim.venue.account import Account, Amendment
from exchange.sim.venue.admission import admit, check_time_in_force
from exchange.sim.venue.floor import Floor
from exchange.sim.venue.lifecycle import begin_order, end_order, expire_orphans
from exchange.sim.venue.margin import opens
from exchange.sim.venue.matching import Execution, take, within
from exchange.sim.venue.orders import Order, OrderRequest, OrderStatus, Origin
from exchange.sim.venue.positions import money
from exchange.sim.venue.rejections import Reason, VenueRejection
from exchange.sim.venue.settlement import Fill, settle
from exchange.sim.venue.terms import OrderType, Side, TimeInForce

_REST = (TimeInForce.GTC, TimeInForce.GTX, TimeInForce.GTD, TimeInForce.GTE_GTC)
_MAX_AMENDMENTS = 10_000


class OrderDesk:
    """Works regular orders of every account against the modelled book."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    def place(self, account: Account, request: OrderRequest, *, now_ms: int) -> Order:
        """Accept an order and fill what the book gives at once; raises VenueRejection."""
        order = self.accept(account, request, now_ms=now_ms)
        self.match(account, order, now_ms=now_ms)
        return order

    def accept(
        self, account: Account, request: OrderRequest, *, now_ms: int, origin: Origin | None = None
    ) -> Order:
        """Let an order into the book without filling it yet; raises VenueRejection."""
        closes_all = origin is not None and origin.close_position
        _check_client_id(account, request)
        quantity = admit(account, self._floor, request, closes_all=closes_all)
        check_time_in_force(self._floor, request, quantity)
        order_id = next(self._floor.order_ids)
        order = Order(
            order_id=order_id,
            client_id=request.client_id or f"auto-{order_id}",
            request=request,
            quantity=quantity,
            price=request.price,
            created_ms=now_ms,
            updated_ms=now_ms,
            origin=origin,
        )
        begin_order(account, order, now_ms=now_ms)
        return order

    def match(self, account: Account, order: Order, *, now_ms: int) -> None:
        """Take from the book; what is left rests or expires by its time in force."""
        self._take(account, order, now_ms=now_ms)
        may_rest = order.request.type is OrderType.LIMIT and order.request.time_in_force in _REST
        if order.is_open and not may_rest:
            end_order(account, order, OrderStatus.EXPIRED, now_ms=now_ms)
        expire_orphans(account, order.symbol, order.request.position_side, now_ms=now_ms)

    def work(self, account: Account, order: Order, *, now_ms: int) -> None:
        """Fill a resting order where the market came through its price; expire it at its date."""
        if order.request.good_till_ms and now_ms >= order.request.good_till_ms:
            end_order(account, order, OrderStatus.EXPIRED, now_ms=now_ms)
            return
        quotes = self._floor.quotes
        best = quotes.best_ask if order.side is Side.BUY else quotes.best_bid
        if not within(order.side, best(order.symbol), order.price):
            return
        levels = quotes.book(order.symbol, order.side)
        crossed = take(levels, order.remaining, side=order.side, limit=order.price)
        at_own_price = (Execution(order.price, one.quantity, is_maker=True) for one in crossed)
        self._fill(account, order, at_own_price, now_ms=now_ms)
        expire_orphans(account, order.symbol, order.request.position_side, now_ms=now_ms)

    def cancel(self, account: Account, order: Order, *, now_ms: int) -> None:
        if not order.is_open:
            raise VenueRejection.because(Reason.UNKNOWN_ORDER)
        end_order(account, order, OrderStatus.CANCELED, now_ms=now_ms)

    def cancel_overdue(self, account: Account, *, now_ms: int) -> None:
        """Cancel the orders of symbols whose countdown was not renewed; conditional ones stay (a guess)."""
        overdue = {symbol for symbol, deadline in account.cancel_deadlines.items() if now_ms >= deadline}
        for symbol in overdue:
            del account.cancel_deadlines[symbol]
        for order in list(account.open_orders.values()):
            if order.symbol in overdue:
                self.cancel(account, order, now_ms=now_ms)

    def amend(
        self, account: Account, order: Order, *, quantity: Decimal, price: Decimal, now_ms: int
    ) -> None:
        """Change a resting limit order; one cut to what it already filled is cancelled."""
        self._check_amendment(account, order, quantity=quantity, price=price)
        account.amendments.append(
            Amendment(
                order=order, at_ms=now_ms, price=(order.price, price), quantity=(order.quantity, quantity)
            )
        )
        order.amendments += 1
        if quantity <= order.executed:
            end_order(account, order, OrderStatus.CANCELED, now_ms=now_ms)
            return
        order.price, order.quantity, order.updated_ms = price, quantity, now_ms
        account.push(events.order_update(order, "AMENDMENT", now_ms=now_ms))
        self.match(account, order, now_ms=now_ms)

    def _check_amendment(self, account: Account, order: Order, *, quantity: Decimal, price: Decimal) -> None:
        """Admit the amended order as if the old one were gone."""
        if order.request.type is not OrderType.LIMIT:
            raise VenueRejection.because(Reason.AMEND_ONLY_LIMIT)
        if self._floor.instrument(order.symbol).status is not InstrumentStatus.TRADING:
            raise VenueRejection.because(Reason.AMEND_SYMBOL_STATUS)
        if (quantity, price) == (order.quantity, order.price):
            raise VenueRejection.because(Reason.AMEND_SAME)
        if order.amendments >= _MAX_AMENDMENTS:
            raise VenueRejection.because(Reason.AMEND_LIMIT)
        if 0 < quantity <= order.executed:
            return
        amended = replace(order.request, quantity=quantity - order.executed, price=price)
        del account.open_orders[order.order_id]
        try:
            admit(account, self._floor, amended)
            check_time_in_force(self._floor, amended, amended.quantity)
        finally:
            account.open_orders[order.order_id] = order

    def _take(self, account: Account, order: Order, *, now_ms: int) -> None:
        levels = self._floor.quotes.book(order.symbol, order.side)
        taken = take(levels, order.remaining, side=order.side, limit=self._limit(order))
        self._fill(account, order, taken, now_ms=now_ms)

    def _limit(self, order: Order) -> Decimal:
        """Return the worst price to take: the order's own, or the market's take bound around the mark."""
        if order.request.type is OrderType.LIMIT:
            return order.price
        instrument = self._floor.instrument(order.symbol)
        bound = 1 + order.side.sign * instrument.market_take_bound
        return self._floor.quotes.mark(order.symbol) * bound

    def _fill(self, account: Account, order: Order, executions: Iterable[Execution], *, now_ms: int) -> None:
        reduces = not opens(account, order.request)
        for execution in executions:
            quantity = execution.quantity
            if reduces:
                held = account.closable(order.symbol, order.request.position_side, order.side)
                quantity = min(quantity, held)
            if quantity <= 0:
                return
            rate = account.maker_rate if execution.is_maker else account.taker_rate
            fill = Fill(
                price=execution.price,
                quantity=quantity,
                commission=money(execution.price * quantity * rate),
                is_maker=execution.is_maker,
            )
            settle(account, self._floor, order, fill, now_ms=now_ms)


def _check_client_id(account: Account, request: OrderRequest) -> None:
    """A client id must be unique among open orders of the symbol only: -4116."""
    if request.client_id and any(
        order.client_id == request.client_id and order.symbol == request.symbol
        for order in account.open_orders.values()
    ):
        raise VenueRejection.because(Reason.DUPLICATE_CLIENT_ID)
