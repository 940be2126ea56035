"""User-data events in Binance's wire shape; both times are market time."""

from collections.abc import Sequence
from decimal import Decimal

from exchange.sim.venue.account import Account, Payload, PositionKey, Trade
from exchange.sim.venue.conditionals import ConditionalOrder
from exchange.sim.venue.floor import Floor
from exchange.sim.venue.margin import maintenance
from exchange.sim.venue.numerals import cash, plain
from exchange.sim.venue.orders import Order, OrderStatus
from exchange.sim.venue.positions import ZERO
from exchange.sim.venue.quotes import Quotes
from exchange.sim.venue.terms import OrderType, WorkingType

QUOTE_ASSET = "USDT"


def order_update(order: Order, execution_type: str, *, now_ms: int, trade: Trade | None = None) -> Payload:
    """ORDER_TRADE_UPDATE; ``trade`` is the fill that caused it, if one did."""
    request, origin = order.request, order.origin
    details: Payload = {
        "s": order.symbol,
        "c": order.client_id,
        "S": order.side,
        "o": wire_type(order),
        "f": request.time_in_force,
        "q": plain(order.quantity),
        "p": plain(order.price),
        "ap": plain(order.average_price),
        "sp": plain(origin.stop_price if origin else ZERO),
        "x": execution_type,
        "X": order.status,
        "i": order.order_id,
        "l": plain(trade.quantity if trade else ZERO),
        "z": plain(order.executed),
        "L": plain(trade.price if trade else ZERO),
        "n": cash(trade.commission) if trade else "0",
        "N": QUOTE_ASSET,
        "T": now_ms,
        "t": trade.trade_id if trade else 0,
        "b": "0",
        "a": "0",
        "m": trade.is_maker if trade else False,
        "R": request.reduce_only,
        "wt": origin.working_type if origin else WorkingType.CONTRACT_PRICE,
        "ot": origin.type if origin else wire_type(order),
        "ps": request.position_side,
        "cp": origin.close_position if origin else False,
        "pP": origin.price_protect if origin else False,
        "si": 0,
        "ss": 0,
        "rp": cash(trade.realised) if trade else "0",
        "V": request.self_trade_prevention,
        "pm": request.price_match,
        "gtd": request.good_till_ms,
    }
    if origin is not None and origin.type is OrderType.TRAILING_STOP_MARKET:
        details |= {"AP": plain(origin.activate_price), "cr": plain(origin.callback_rate)}
    return {"e": "ORDER_TRADE_UPDATE", "E": now_ms, "T": now_ms, "o": details}


def wire_type(order: Order) -> str:
    """A liquidation is shown as the LIMIT IOC order that Binance sends for it."""
    kind = order.request.type
    return OrderType.LIMIT if kind is OrderType.LIQUIDATION else kind


def trade_lite(order: Order, trade: Trade, *, now_ms: int) -> Payload:
    return {
        "e": "TRADE_LITE",
        "E": now_ms,
        "T": now_ms,
        "s": order.symbol,
        "q": plain(order.quantity),
        "p": plain(order.price),
        "m": trade.is_maker,
        "c": order.client_id,
        "S": order.side,
        "L": plain(trade.price),
        "l": plain(trade.quantity),
        "t": trade.trade_id,
        "i": order.order_id,
    }


def account_update(
    account: Account,
    quotes: Quotes,
    reason: str,
    *,
    keys: Sequence[PositionKey],
    now_ms: int,
    balance_change: Decimal = ZERO,
) -> Payload:
    """ACCOUNT_UPDATE; ``balance_change`` is what neither profit nor commission explains (``bc``)."""
    balance = {
        "a": QUOTE_ASSET,
        "wb": cash(account.wallet),
        "cw": cash(account.cross_wallet),
        "bc": cash(balance_change) if balance_change else "0",
    }
    body: Payload = {"m": reason, "B": [balance], "P": [_position(account, quotes, key) for key in keys]}
    if reason == "FUNDING_FEE" and keys:
        body["S"] = keys[0][0]
    return {"e": "ACCOUNT_UPDATE", "E": now_ms, "T": now_ms, "a": body}


def _position(account: Account, quotes: Quotes, key: PositionKey) -> Payload:
    symbol, position_side = key
    position = account.position(symbol, position_side)
    is_isolated = account.is_isolated(symbol)
    return {
        "s": symbol,
        "pa": plain(position.quantity),
        "ep": plain(position.entry_price),
        "bep": plain(position.break_even_price),
        "cr": cash(account.realised.get(key, ZERO)),
        "up": cash(position.unrealised(quotes.mark(symbol))),
        "mt": "isolated" if is_isolated else "cross",
        "iw": cash(position.isolated_wallet),
        "ps": position_side,
        "ma": QUOTE_ASSET,
    }


def algo_update(order: ConditionalOrder, *, now_ms: int) -> Payload:
    request = order.request
    details: Payload = {
        "caid": order.client_id,
        "aid": order.algo_id,
        "at": "CONDITIONAL",
        "o": request.type,
        "s": order.symbol,
        "S": request.side,
        "ps": request.position_side,
        "f": request.time_in_force,
        "q": plain(request.quantity),
        "X": order.status,
        "ai": str(order.order_id) if order.order_id is not None else "",
        "ap": plain(order.average_price),
        "aq": plain(order.executed),
        "act": "0" if order.order_id is None else request.type,
        "tp": plain(request.trigger_price),
        "p": plain(request.price),
        "V": request.self_trade_prevention,
        "wt": request.working_type,
        "pm": "NONE",
        "cp": request.close_position,
        "pP": request.price_protect,
        "R": request.reduce_only,
        "tt": order.triggered_ms,
        "gtd": request.good_till_ms,
        "rm": order.reason,
    }
    if request.type is OrderType.TRAILING_STOP_MARKET:
        details |= {"AP": plain(request.activate_price), "cr": plain(request.callback_rate)}
    return {"e": "ALGO_UPDATE", "T": now_ms, "E": now_ms, "o": details}


def margin_call(account: Account, floor: Floor, keys: Sequence[PositionKey], *, now_ms: int) -> Payload:
    """MARGIN_CALL for the positions that came close to liquidation."""
    payload: Payload = {"e": "MARGIN_CALL", "E": now_ms}
    if any(not account.is_isolated(symbol) for symbol, _ in keys):
        payload["cw"] = cash(account.cross_wallet)
    payload["p"] = [_called_position(account, floor, key) for key in keys]
    return payload


def _called_position(account: Account, floor: Floor, key: PositionKey) -> Payload:
    symbol, position_side = key
    position, mark = account.positions[key], floor.quotes.mark(symbol)
    is_isolated = account.is_isolated(symbol)
    return {
        "s": symbol,
        "ps": position_side,
        "pa": plain(position.quantity),
        "mt": "ISOLATED" if is_isolated else "CROSSED",
        "iw": cash(position.isolated_wallet) if is_isolated else "0",
        "mp": plain(mark),
        "up": cash(position.unrealised(mark)),
        "mm": cash(maintenance(floor.instrument(symbol), position.notional(mark))),
    }


def leverage_update(symbol: str, leverage: int, *, now_ms: int) -> Payload:
    change = {"s": symbol, "l": leverage}
    return {"e": "ACCOUNT_CONFIG_UPDATE", "E": now_ms, "T": now_ms, "ac": change}


def multi_assets_update(is_on: bool, *, now_ms: int) -> Payload:
    return {"e": "ACCOUNT_CONFIG_UPDATE", "E": now_ms, "T": now_ms, "ai": {"j": is_on}}


def ending_execution_type(status: OrderStatus) -> str:
    """Name what happened to an order by where it ended (``x``)."""
    return {
        OrderStatus.CANCELED: "CANCELED",
        OrderStatus.EXPIRED: "EXPIRED",
        OrderStatus.EXPIRED_IN_MATCH: "EXPIRED",
    }[status]
