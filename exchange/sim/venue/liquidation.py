"""Liquidation on the mark price: who is due, at what price it closes, and who pays the rest."""

from decimal import ROUND_DOWN, Decimal

from exchange.sim.venue import margin
from exchange.sim.venue.account import Account, IncomeKind, PositionKey
from exchange.sim.venue.floor import Floor
from exchange.sim.venue.lifecycle import begin_order, end_order, expire_orphans
from exchange.sim.venue.matching import within
from exchange.sim.venue.orders import Order, OrderRequest, OrderStatus
from exchange.sim.venue.positions import MONEY_STEP, ZERO
from exchange.sim.venue.settlement import Fill, settle
from exchange.sim.venue.terms import OrderType, Side, TimeInForce


def liquidate_due(account: Account, floor: Floor, *, now_ms: int) -> None:
    """Close every position whose margin balance fell to its maintenance margin (binance.md §2.8)."""
    for key in list(account.positions):
        if account.is_isolated(key[0]) and _isolated_is_due(account, floor, key):
            _cancel_orders(account, {key[0]}, now_ms=now_ms)
            liquidate(account, floor, key, now_ms=now_ms)
    _liquidate_cross(account, floor, now_ms=now_ms)


def liquidate(account: Account, floor: Floor, key: PositionKey, *, now_ms: int) -> None:
    """Close one position; its holder never loses more than the margin behind it.

    It closes at the better of the book and the bankruptcy price; the insurance fund pays the difference and
    receives the liquidation fee, which is cut to what is left.
    """
    symbol = key[0]
    instrument = floor.instrument(symbol)
    held = account.positions[key].quantity
    side = Side.SELL if held > 0 else Side.BUY
    bankrupt = _bankruptcy_price(account, floor, key, side)
    best = floor.quotes.best_bid(symbol) if side is Side.SELL else floor.quotes.best_ask(symbol)
    price = best if within(side, best, bankrupt) else bankrupt
    left = _equity_behind(account, floor, key, price)
    fee = min(abs(held) * price * instrument.liquidation_fee, max(left, ZERO))
    fee = fee.quantize(MONEY_STEP, rounding=ROUND_DOWN)
    floor.insurance_fund += fee - abs(price - best) * abs(held)
    fill = Fill(
        price=price,
        quantity=abs(held),
        commission=fee,
        fee_kind=IncomeKind.INSURANCE,
        execution_type="CALCULATED",
    )
    close_at(account, floor, key, fill, name="autoclose", now_ms=now_ms)


def close_at(account: Account, floor: Floor, key: PositionKey, fill: Fill, *, name: str, now_ms: int) -> None:
    """Close a position, or ``fill.quantity`` of it, by an order of the exchange's own."""
    symbol, position_side = key
    side = Side.SELL if account.positions[key].quantity > 0 else Side.BUY
    request = OrderRequest(
        symbol=symbol,
        side=side,
        type=OrderType.LIQUIDATION,
        quantity=fill.quantity,
        price=fill.price,
        time_in_force=TimeInForce.IOC,
        position_side=position_side,
        reduce_only=True,
    )
    order_id = next(floor.order_ids)
    order = Order(
        order_id=order_id,
        client_id=f"{name}-{now_ms}-{order_id}",
        request=request,
        quantity=fill.quantity,
        price=fill.price,
        created_ms=now_ms,
        updated_ms=now_ms,
    )
    begin_order(account, order, now_ms=now_ms)
    settle(account, floor, order, fill, now_ms=now_ms)
    expire_orphans(account, symbol, position_side, now_ms=now_ms)


def _isolated_is_due(account: Account, floor: Floor, key: PositionKey) -> bool:
    position = account.positions[key]
    mark = floor.quotes.mark(key[0])
    balance = position.isolated_wallet + position.unrealised(mark)
    return balance <= margin.maintenance(floor.instrument(key[0]), position.notional(mark))


def _liquidate_cross(account: Account, floor: Floor, *, now_ms: int) -> None:
    """Close cross positions, the one with the largest maintenance margin first, until margin suffices."""
    while due := _cross_due(account, floor):
        _cancel_orders(account, {key[0] for key in due}, now_ms=now_ms)
        largest = max(due, key=lambda key: margin.margins(account, floor, key).maintenance)
        liquidate(account, floor, largest, now_ms=now_ms)


def _cross_due(account: Account, floor: Floor) -> list[PositionKey]:
    """Return all cross positions if their common margin balance is used up."""
    keys = [key for key in account.positions if not account.is_isolated(key[0])]
    each = [margin.margins(account, floor, key) for key in keys]
    balance = account.cross_wallet + sum((one.unrealised for one in each), ZERO)
    return keys if balance <= sum((one.maintenance for one in each), ZERO) else []


def _cancel_orders(account: Account, symbols: set[str], *, now_ms: int) -> None:
    for order in list(account.open_orders.values()):
        if order.symbol in symbols:
            end_order(account, order, OrderStatus.CANCELED, now_ms=now_ms)


def _equity_behind(account: Account, floor: Floor, key: PositionKey, price: Decimal) -> Decimal:
    """Return the margin left if the position closed at ``price``: its own wallet, or the cross account."""
    position = account.positions[key]
    if account.is_isolated(key[0]):
        return position.isolated_wallet + position.unrealised(price)
    others = (
        held.unrealised(floor.quotes.mark(other[0]))
        for other, held in account.positions.items()
        if other != key and not account.is_isolated(other[0])
    )
    return account.cross_wallet + sum(others, ZERO) + position.unrealised(price)


def _bankruptcy_price(account: Account, floor: Floor, key: PositionKey, side: Side) -> Decimal:
    """Return the price at which nothing is left, on the tick, rounded in the holder's favour."""
    held = account.positions[key].quantity
    exact = -_equity_behind(account, floor, key, ZERO) / held
    instrument = floor.instrument(key[0])
    if side is Side.SELL:
        return max(instrument.price_at_or_above(exact), ZERO)
    return instrument.price_at_or_below(exact)
