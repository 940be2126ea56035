"""Positions the exchange closes itself: auto-deleveraging, and the settlement of a delisted symbol."""

from decimal import Decimal

from core.instruments import InstrumentStatus
from exchange.sim.venue.account import Account, PositionKey
from exchange.sim.venue.conditionals import AlgoStatus
from exchange.sim.venue.floor import Floor
from exchange.sim.venue.lifecycle import begin_order, end_order, expire_orphans, move_conditional
from exchange.sim.venue.margin import live_keys
from exchange.sim.venue.orders import Order, OrderRequest, OrderStatus
from exchange.sim.venue.positions import money
from exchange.sim.venue.settlement import Fill, settle
from exchange.sim.venue.terms import OrderType, PositionSide, Side, TimeInForce


def close_at(account: Account, floor: Floor, key: PositionKey, fill: Fill, *, name: str, now_ms: int) -> None:
    """Close ``fill.quantity`` of a position by an order whose client id begins with ``name``."""
    symbol, position_side = key
    order_id = next(floor.order_ids)
    request = OrderRequest(
        symbol=symbol,
        side=Side.SELL if account.positions[key].quantity > 0 else Side.BUY,
        type=OrderType.LIQUIDATION,
        quantity=fill.quantity,
        price=fill.price,
        time_in_force=TimeInForce.IOC,
        position_side=position_side,
        reduce_only=True,
    )
    order = Order(
        order_id=order_id,
        client_id=f"{name}-{order_id}",
        request=request,
        quantity=fill.quantity,
        price=fill.price,
        created_ms=now_ms,
        updated_ms=now_ms,
    )
    begin_order(account, order, now_ms=now_ms)
    settle(account, floor, order, fill, now_ms=now_ms)
    expire_orphans(account, symbol, position_side, now_ms=now_ms)


def deleverage(account: Account, floor: Floor, key: PositionKey, quantity: Decimal, *, now_ms: int) -> None:
    """Take ``quantity`` of a winning position away at the mark price, as ADL does to somebody's counterparty.

    The price is a guess: Binance uses the bankruptcy price of the account that failed.
    """
    held = abs(account.positions[key].quantity)
    price = floor.instrument(key[0]).price_at_or_below(floor.quotes.mark(key[0]))
    fill = _forced_fill(account, price, min(quantity, held), execution_type="CALCULATED")
    close_at(account, floor, key, fill, name="adl_autoclose", now_ms=now_ms)


def settle_closed_symbols(account: Account, floor: Floor, *, now_ms: int) -> None:
    """Cancel the orders and close the positions of every symbol that ceased to trade, at the index price."""
    live = {key[0] for key in live_keys(account)}
    live.update(order.symbol for order in account.open_conditionals.values())
    for symbol in sorted(live):
        if _is_closed(floor, symbol, now_ms):
            _settle_symbol(account, floor, symbol, now_ms=now_ms)


def _is_closed(floor: Floor, symbol: str, now_ms: int) -> bool:
    """Say whether a symbol is gone from the list, closed, or past its delivery."""
    instrument = floor.instruments.get(symbol)
    if instrument is None:
        return True
    return instrument.status is InstrumentStatus.CLOSED or now_ms >= instrument.delivery_ms


def _settle_symbol(account: Account, floor: Floor, symbol: str, *, now_ms: int) -> None:
    for order in list(account.open_orders.values()):
        if order.symbol == symbol:
            end_order(account, order, OrderStatus.EXPIRED, now_ms=now_ms)
    for side in PositionSide:
        key = (symbol, side)
        if key in account.positions:
            quantity = abs(account.positions[key].quantity)
            fill = _forced_fill(account, floor.quotes.index(symbol), quantity)
            close_at(account, floor, key, fill, name="settlement_autoclose", now_ms=now_ms)
    for conditional in list(account.open_conditionals.values()):
        if conditional.symbol == symbol and conditional.is_open:
            move_conditional(account, conditional, AlgoStatus.EXPIRED, now_ms=now_ms)


def _forced_fill(
    account: Account, price: Decimal, quantity: Decimal, *, execution_type: str = "TRADE"
) -> Fill:
    fee = money(price * quantity * account.taker_rate)
    return Fill(price=price, quantity=quantity, commission=fee, execution_type=execution_type)
