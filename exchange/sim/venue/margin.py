"""Margin arithmetic: what is locked, what is free, and at which mark price a position is liquidated."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from core.instruments import Instrument
from exchange.sim.venue.account import Account, PositionKey
from exchange.sim.venue.conditionals import ConditionalRequest
from exchange.sim.venue.floor import Floor
from exchange.sim.venue.orders import OrderRequest
from exchange.sim.venue.positions import ZERO, Position
from exchange.sim.venue.terms import PositionSide, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Margins:
    """The margins of one position and its open orders, in quote units."""

    notional: Decimal
    unrealised: Decimal
    maintenance: Decimal
    position_initial: Decimal
    order_initial: Decimal
    bids: Decimal
    asks: Decimal
    is_isolated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The account's sums; ``available`` may be negative here and is shown as zero."""

    wallet: Decimal
    unrealised: Decimal
    maintenance: Decimal
    position_initial: Decimal
    order_initial: Decimal
    cross_wallet: Decimal
    cross_unrealised: Decimal
    cross_maintenance: Decimal
    available: Decimal


def maintenance(instrument: Instrument, notional: Decimal) -> Decimal:
    """Return notional × rate − cum of the bracket (binance.md §2.8)."""
    bracket = instrument.bracket_of(notional)
    return notional * bracket.maintenance_margin_rate - bracket.cum


def exposure(held: Decimal, bids: Decimal, asks: Decimal) -> Decimal:
    """Return the largest notional that position and open orders can become; ``held`` is signed."""
    return max(abs(held + bids), abs(held - asks))


def opens(account: Account, request: OrderRequest | ConditionalRequest) -> bool:
    """Say whether an order may enlarge a position; reduce-only and hedged closing orders may not."""
    if request.reduce_only:
        return False
    is_closing_side = {PositionSide.LONG: Side.SELL, PositionSide.SHORT: Side.BUY}
    return not account.is_hedged or is_closing_side.get(request.position_side) is not request.side


def open_notional(account: Account, key: PositionKey) -> tuple[Decimal, Decimal]:
    """Return the notional of open orders that can enlarge a position: bids, asks."""
    sums = {Side.BUY: ZERO, Side.SELL: ZERO}
    for order in account.open_orders.values():
        if (order.symbol, order.request.position_side) == key and opens(account, order.request):
            sums[order.side] += order.remaining * order.price
    return sums[Side.BUY], sums[Side.SELL]


def margins(account: Account, floor: Floor, key: PositionKey) -> Margins:
    symbol, _ = key
    position = account.positions.get(key, Position())
    mark = floor.quotes.mark(symbol)
    held = position.quantity * mark
    bids, asks = open_notional(account, key)
    leverage = account.setting(symbol).leverage
    return Margins(
        notional=held,
        unrealised=position.unrealised(mark),
        maintenance=maintenance(floor.instrument(symbol), abs(held)) if held else ZERO,
        position_initial=abs(held) / leverage,
        order_initial=(exposure(held, bids, asks) - abs(held)) / leverage,
        bids=bids,
        asks=asks,
        is_isolated=account.is_isolated(symbol),
    )


def live_keys(account: Account) -> list[PositionKey]:
    """Return positions and symbols with open orders, each once, in a stable order."""
    keys = dict.fromkeys(account.positions)
    keys.update(dict.fromkeys((o.symbol, o.request.position_side) for o in account.open_orders.values()))
    return list(keys)


def totals(account: Account, floor: Floor) -> Totals:
    each = [margins(account, floor, key) for key in live_keys(account)]
    cross = [one for one in each if not one.is_isolated]
    cross_unrealised = _sum(one.unrealised for one in cross)
    order_initial = _sum(one.order_initial for one in each)
    locked = _sum(one.position_initial for one in cross) + order_initial
    return Totals(
        wallet=account.wallet,
        unrealised=_sum(one.unrealised for one in each),
        maintenance=_sum(one.maintenance for one in each),
        position_initial=_sum(one.position_initial for one in each),
        order_initial=order_initial,
        cross_wallet=account.cross_wallet,
        cross_unrealised=cross_unrealised,
        cross_maintenance=_sum(one.maintenance for one in cross),
        available=account.cross_wallet + cross_unrealised - locked,
    )


def liquidation_price(account: Account, floor: Floor, key: PositionKey) -> Decimal:
    """Return the mark price at which this position is liquidated, zero where no price does it.

    LP = (WB − TMM₁ + UPNL₁ + Σcum − Σcost) / (Σ|q|·mmr − Σq) over the positions that share one wallet and
    symbol, with each bracket taken at LP itself, by iteration (binance.md §2.8).
    """
    symbol, _ = key
    instrument = floor.instrument(symbol)
    together, wallet = _sharing(account, floor, key)
    price = floor.quotes.mark(symbol)
    for _ in range(len(instrument.brackets) + 2):
        solved = _solve(instrument, together, wallet=wallet, price=price)
        if solved <= 0 or solved == price:
            return max(solved, ZERO)
        price = solved
    return price


def _sharing(account: Account, floor: Floor, key: PositionKey) -> tuple[list[Position], Decimal]:
    symbol, _ = key
    position = account.positions[key]
    if account.is_isolated(symbol):
        return [position], position.isolated_wallet
    wallet = account.cross_wallet
    together = []
    for other, held in account.positions.items():
        if other[0] == symbol:
            together.append(held)
        elif not account.is_isolated(other[0]):
            one = margins(account, floor, other)
            wallet += one.unrealised - one.maintenance
    return together, wallet


def _solve(instrument: Instrument, together: list[Position], *, wallet: Decimal, price: Decimal) -> Decimal:
    numerator, denominator = wallet, ZERO
    for position in together:
        bracket = instrument.bracket_of(position.notional(price))
        numerator += bracket.cum - position.cost
        denominator += abs(position.quantity) * bracket.maintenance_margin_rate - position.quantity
    return numerator / denominator if denominator else ZERO


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, ZERO)
