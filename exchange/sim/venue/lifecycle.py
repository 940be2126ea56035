"""How orders begin and end, and what ends with them."""

from exchange.sim.venue import events
from exchange.sim.venue.account import Account
from exchange.sim.venue.conditionals import AlgoStatus, ConditionalOrder
from exchange.sim.venue.margin import opens
from exchange.sim.venue.orders import Order, OrderStatus
from exchange.sim.venue.terms import PositionSide


def begin_order(account: Account, order: Order, *, now_ms: int) -> None:
    account.orders[order.order_id] = order
    account.open_orders[order.order_id] = order
    account.push(events.order_update(order, "NEW", now_ms=now_ms))


def end_order(account: Account, order: Order, status: OrderStatus, *, now_ms: int) -> None:
    """Cancel or expire an order and say so."""
    order.become(status, now_ms)
    account.push(events.order_update(order, events.ending_execution_type(status), now_ms=now_ms))
    leave_book(account, order, now_ms=now_ms)


def leave_book(account: Account, order: Order, *, now_ms: int) -> None:
    """Take an ended order out of the book and finish the conditional order it came from."""
    account.open_orders.pop(order.order_id, None)
    if order.origin is None:
        return
    parent = account.conditionals[order.origin.algo_id]
    parent.executed = order.executed
    parent.average_price = order.average_price
    move_conditional(account, parent, AlgoStatus.FINISHED, now_ms=now_ms)


def begin_conditional(account: Account, order: ConditionalOrder, *, now_ms: int) -> None:
    account.conditionals[order.algo_id] = order
    account.open_conditionals[order.algo_id] = order
    account.push(events.algo_update(order, now_ms=now_ms))


def move_conditional(account: Account, order: ConditionalOrder, status: AlgoStatus, *, now_ms: int) -> None:
    """Change a conditional order's status and say so."""
    order.become(status, now_ms)
    if not order.is_open:
        account.open_conditionals.pop(order.algo_id, None)
    account.push(events.algo_update(order, now_ms=now_ms))


def expire_orphans(account: Account, symbol: str, position_side: PositionSide, *, now_ms: int) -> None:
    """End what can only reduce a position that is no longer there.

    closePosition and GTE_GTC orders expire (binance.md §2.7); resting reduce-only orders expire with them
    (not documented for a position closed by another order, but a fill of theirs would be refused).
    A conditional order that is merely reduce-only stays, an orphan, as it does on Binance.
    """
    for conditional in list(account.open_conditionals.values()):
        wanted = conditional.request
        if (wanted.symbol, wanted.position_side) != (symbol, position_side):
            continue
        is_orphan = wanted.lives_with_position and not account.closable(symbol, position_side, wanted.side)
        if is_orphan and conditional.status is AlgoStatus.NEW:
            move_conditional(account, conditional, AlgoStatus.EXPIRED, now_ms=now_ms)
    for order in list(account.open_orders.values()):
        if (order.symbol, order.request.position_side) != (symbol, position_side):
            continue
        if not opens(account, order.request) and not account.closable(symbol, position_side, order.side):
            end_order(account, order, OrderStatus.EXPIRED, now_ms=now_ms)
