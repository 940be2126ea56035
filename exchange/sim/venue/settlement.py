"""What one fill does: to the position, the wallet, the records, and the user's stream."""

from dataclasses import dataclass, replace
from decimal import Decimal

from exchange.sim.venue import events
from exchange.sim.venue.account import Account, IncomeKind, Trade
from exchange.sim.venue.floor import Floor
from exchange.sim.venue.lifecycle import leave_book
from exchange.sim.venue.orders import Order
from exchange.sim.venue.positions import ZERO, after_trade, charged


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One fill with its fee; liquidations differ in who gets the fee and what the stream calls it."""

    price: Decimal
    quantity: Decimal
    commission: Decimal
    is_maker: bool = False
    fee_kind: IncomeKind = IncomeKind.COMMISSION
    execution_type: str = "TRADE"


def settle(account: Account, floor: Floor, order: Order, fill: Fill, *, now_ms: int) -> None:
    """Book a fill and tell the user: TRADE_LITE, ACCOUNT_UPDATE, ORDER_TRADE_UPDATE, in this order.

    Fees and closing profit settle in the cross wallet; opening an isolated position moves its margin out of
    it, closing returns the released share. That the fee does not come out of the isolated wallet is a guess.
    """
    realised = _move_position(account, order, fill, now_ms=now_ms)
    order.fill(fill.price, fill.quantity, now_ms=now_ms)
    order.realised += realised
    trade = _record(account, floor, order, fill, realised=realised, now_ms=now_ms)
    key = (order.symbol, order.request.position_side)
    if fill.execution_type == "TRADE":
        account.push(events.trade_lite(order, trade, now_ms=now_ms))
    account.push(events.account_update(account, floor.quotes, "ORDER", keys=[key], now_ms=now_ms))
    account.push(events.order_update(order, fill.execution_type, now_ms=now_ms, trade=trade))
    if not order.is_open:
        leave_book(account, order, now_ms=now_ms)


def _move_position(account: Account, order: Order, fill: Fill, *, now_ms: int) -> Decimal:
    symbol, position_side = order.symbol, order.request.position_side
    setting = account.setting(symbol)
    outcome = after_trade(
        account.position(symbol, position_side),
        order.side.sign * fill.quantity,
        price=fill.price,
        leverage=Decimal(setting.leverage) if account.is_isolated(symbol) else None,
    )
    account.cross_wallet += outcome.realised + outcome.released - outcome.locked - fill.commission
    position = charged(outcome.position, fill.commission, now_ms=now_ms)
    key = (symbol, position_side)
    account.realised[key] = account.realised.get(key, ZERO) + outcome.realised
    account.hold(symbol, position_side, replace(position, updated_ms=now_ms))
    return outcome.realised


def _record(
    account: Account, floor: Floor, order: Order, fill: Fill, *, realised: Decimal, now_ms: int
) -> Trade:
    trade = Trade(
        trade_id=next(floor.trade_ids),
        order_id=order.order_id,
        symbol=order.symbol,
        side=order.side,
        position_side=order.request.position_side,
        price=fill.price,
        quantity=fill.quantity,
        realised=realised,
        commission=fill.commission,
        is_maker=fill.is_maker,
        at_ms=now_ms,
    )
    account.trades.append(trade)
    of_trade = {"at_ms": now_ms, "trade_id": trade.trade_id}
    account.book(IncomeKind.REALISED, order.symbol, realised, **of_trade)
    account.book(fill.fee_kind, order.symbol, -fill.commission, **of_trade)
    return trade
