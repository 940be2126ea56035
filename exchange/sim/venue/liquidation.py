"""Liquidation on the mark price: who is due, at what price it closes, and who pays the rest."""

from decimal import ROUND_DOWN, Decimal

from exchange.sim.venue.account import Account, IncomeKind, PositionKey
from exchange.sim.venue.closures import close_at
from exchange.sim.venue.floor import Floor
from exchange.sim.venue.lifecycle import end_order
from exchange.sim.venue.matching import within
from exchange.sim.venue.orders import OrderStatus
from exchange.sim.venue.positions import MONEY_STEP, ZERO
from exchange.sim.venue.risk import RiskUnit, call_margin, risk_units
from exchange.sim.venue.settlement import Fill
from exchange.sim.venue.terms import Side


def liquidate_due(account: Account, floor: Floor, *, now_ms: int) -> None:
    """Close positions until no unit's balance is at its maintenance margin; warn those that come close.

    The orders of the unit's symbols are cancelled first. Of a cross unit the position with the largest
    notional goes first, whole: Binance's tier-by-tier reduction of very large positions is not modelled.
    """
    if not account.positions:
        return
    units = risk_units(account, floor)
    while due := next((unit for unit in units if unit.is_due), None):
        _cancel_orders(account, due, now_ms=now_ms)
        largest = max(due.keys, key=lambda key: account.positions[key].notional(floor.quotes.mark(key[0])))
        liquidate(account, floor, largest, now_ms=now_ms)
        units = risk_units(account, floor)
    call_margin(account, floor, units, now_ms=now_ms)


def liquidate(account: Account, floor: Floor, key: PositionKey, *, now_ms: int) -> None:
    """Close one position; its holder never loses more than the margin behind it.

    It closes at the better of the book and the bankruptcy price; the insurance fund pays the difference and
    receives the liquidation fee, which is cut to what is left.
    """
    symbol = key[0]
    held = account.positions[key].quantity
    side = Side.SELL if held > 0 else Side.BUY
    best = floor.quotes.best_bid(symbol) if side is Side.SELL else floor.quotes.best_ask(symbol)
    bankrupt = _bankruptcy_price(account, floor, key, side)
    price = best if within(side, best, bankrupt) else bankrupt
    fee = abs(held) * price * floor.instrument(symbol).liquidation_fee
    left = max(_equity_behind(account, floor, key, price), ZERO)
    fee = min(fee, left).quantize(MONEY_STEP, rounding=ROUND_DOWN)
    floor.insurance_fund += fee - abs(price - best) * abs(held)
    fill = Fill(
        price=price,
        quantity=abs(held),
        commission=fee,
        fee_kind=IncomeKind.INSURANCE,
        execution_type="CALCULATED",
    )
    close_at(account, floor, key, fill, name="autoclose", now_ms=now_ms)


def _cancel_orders(account: Account, unit: RiskUnit, *, now_ms: int) -> None:
    symbols = {key[0] for key in unit.keys}
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
