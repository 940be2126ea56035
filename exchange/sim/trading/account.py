"""Handlers that show an account: balances, margins, positions, configuration, history."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from exchange.sim.trading import render
from exchange.sim.trading.call import Call, JsonValue
from exchange.sim.venue.account import PositionKey
from exchange.sim.venue.events import QUOTE_ASSET
from exchange.sim.venue.margin import Margins, Totals, liquidation_price, live_keys, margins, totals
from exchange.sim.venue.numerals import cash, plain
from exchange.sim.venue.positions import ZERO
from exchange.sim.venue.terms import PositionSide

_ALIAS = "SgsR"
_GROUP = -1


def account_v2(call: Call) -> JsonValue:
    sums = totals(call.account, call.venue.floor)
    return _configuration(call) | {
        **_sums(sums),
        "assets": [_asset(call, sums) | {"marginAvailable": True}],
        "positions": [_account_position_v2(call, key) for key in _all_keys(call, None)],
    }


def account_v3(call: Call) -> JsonValue:
    sums = totals(call.account, call.venue.floor)
    keys = live_keys(call.account)
    return _sums(sums) | {
        "assets": [_asset(call, sums)],
        "positions": [_account_position_v3(call, key) for key in keys],
    }


def balance(call: Call) -> JsonValue:
    sums = totals(call.account, call.venue.floor)
    return [
        {
            "accountAlias": _ALIAS,
            "asset": QUOTE_ASSET,
            "balance": cash(sums.wallet),
            "crossWalletBalance": cash(sums.cross_wallet),
            "crossUnPnl": cash(sums.cross_unrealised),
            "availableBalance": cash(max(sums.available, ZERO)),
            "maxWithdrawAmount": cash(_withdrawable(sums)),
            "marginAvailable": True,
            "updateTime": call.account.updated_ms,
        }
    ]


def position_risk_v2(call: Call) -> JsonValue:
    return [_position_risk_v2(call, key) for key in _all_keys(call, call.optional_symbol())]


def position_risk_v3(call: Call) -> JsonValue:
    """List positions, and symbols with open orders, only."""
    symbol = call.optional_symbol()
    return [_position_risk_v3(call, key) for key in live_keys(call.account) if symbol in (None, key[0])]


def configuration(call: Call) -> JsonValue:
    return _configuration(call) | {"dualSidePosition": call.account.is_hedged}


def commission_rate(call: Call) -> JsonValue:
    return {
        "symbol": call.symbol(),
        "makerCommissionRate": plain(call.account.maker_rate),
        "takerCommissionRate": plain(call.account.taker_rate),
        "rpiCommissionRate": "0",
    }


def income(call: Call) -> JsonValue:
    symbol = call.optional_symbol()
    kind = call.params.optional("incomeType")
    start, end = call.params.window()
    limit = call.params.limit(default=100, most=1000)
    page = call.params.optional_integer("page")
    found = [
        one
        for one in call.account.incomes
        if symbol in (None, one.symbol) and kind in (None, one.kind) and start <= one.at_ms <= end
    ]
    if page is not None:
        found = found[max(page - 1, 0) * limit :]
    return [render.income(one) for one in (found[:limit] if start or page else found[-limit:])]


def adl_quantile(call: Call) -> JsonValue:
    """Show 0, the last in the queue: no other trader is modelled whose loss could reach us."""
    symbol = call.optional_symbol()
    names = ("LONG", "SHORT", "HEDGE") if call.account.is_hedged else ("LONG", "SHORT", "BOTH")
    symbols = dict.fromkeys(key[0] for key in call.account.positions)
    rows = [
        {"symbol": each, "adlQuantile": dict.fromkeys(names, 0)} for each in symbols if symbol in (None, each)
    ]
    return rows[0] if symbol and rows else rows


def adl_risk(call: Call) -> JsonValue:
    """Show the lowest risk, for the reason given at ``adl_quantile``."""
    symbol = call.optional_symbol()
    rows = [
        {"symbol": one.symbol, "adlRisk": "low", "updateTime": call.now_ms}
        for one in call.venue.floor.tradable()
        if symbol in (None, one.symbol)
    ]
    return rows[0] if symbol else rows


def trading_status(call: Call) -> JsonValue:
    """Show no violation of Binance's quantitative rules; they are not modelled."""
    call.optional_symbol()
    return {"indicators": {}, "updateTime": call.now_ms}


def order_rate_limit(call: Call) -> JsonValue:
    del call
    interval = {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 300}
    return [interval, interval | {"interval": "MINUTE", "intervalNum": 1, "limit": 1200}]


def key_restrictions(call: Call) -> JsonValue:
    """Show what the API key may do: read and trade futures, unless it was told otherwise.

    Nothing here withdraws: a right is only what a careful client looks at.
    """
    rights = {
        "ipRestrict": True,
        "createTime": 0,
        "enableReading": True,
        "enableFutures": True,
        "enableWithdrawals": False,
        "enableInternalTransfer": False,
        "enableMargin": False,
        "enableSpotAndMarginTrading": False,
        "enableVanillaOptions": False,
        "enablePortfolioMarginTrading": False,
        "permitsUniversalTransfer": False,
        "tradingAuthorityExpirationTime": call.now_ms + 90 * 86_400_000,
    }
    return {**rights, **call.account.key_rights}


def _configuration(call: Call) -> dict[str, Any]:
    return {
        "feeTier": 0,
        "canTrade": True,
        "canDeposit": True,
        "canWithdraw": True,
        "updateTime": 0,
        "multiAssetsMargin": call.account.is_multi_assets,
        "tradeGroupId": _GROUP,
    }


def _sums(sums: Totals) -> dict[str, Any]:
    return {
        "totalInitialMargin": cash(sums.position_initial + sums.order_initial),
        "totalMaintMargin": cash(sums.maintenance),
        "totalWalletBalance": cash(sums.wallet),
        "totalUnrealizedProfit": cash(sums.unrealised),
        "totalMarginBalance": cash(sums.wallet + sums.unrealised),
        "totalPositionInitialMargin": cash(sums.position_initial),
        "totalOpenOrderInitialMargin": cash(sums.order_initial),
        "totalCrossWalletBalance": cash(sums.cross_wallet),
        "totalCrossUnPnl": cash(sums.cross_unrealised),
        "availableBalance": cash(max(sums.available, ZERO)),
        "maxWithdrawAmount": cash(_withdrawable(sums)),
    }


def _asset(call: Call, sums: Totals) -> dict[str, Any]:
    return {
        "asset": QUOTE_ASSET,
        "walletBalance": cash(sums.wallet),
        "unrealizedProfit": cash(sums.unrealised),
        "marginBalance": cash(sums.wallet + sums.unrealised),
        "maintMargin": cash(sums.maintenance),
        "initialMargin": cash(sums.position_initial + sums.order_initial),
        "positionInitialMargin": cash(sums.position_initial),
        "openOrderInitialMargin": cash(sums.order_initial),
        "crossWalletBalance": cash(sums.cross_wallet),
        "crossUnPnl": cash(sums.cross_unrealised),
        "availableBalance": cash(max(sums.available, ZERO)),
        "maxWithdrawAmount": cash(_withdrawable(sums)),
        "updateTime": call.account.updated_ms,
    }


def _withdrawable(sums: Totals) -> Decimal:
    """Return what is available without counting profit not yet realised."""
    return max(sums.available - max(sums.cross_unrealised, ZERO), ZERO)


def _all_keys(call: Call, symbol: str | None) -> Iterable[PositionKey]:
    hedged = (PositionSide.BOTH, PositionSide.LONG, PositionSide.SHORT)
    sides = hedged if call.account.is_hedged else (PositionSide.BOTH,)
    symbols = [symbol] if symbol else [one.symbol for one in call.venue.floor.tradable()]
    return ((each, side) for each in symbols for side in sides)


def _account_position_v2(call: Call, key: PositionKey) -> dict[str, Any]:
    one = margins(call.account, call.venue.floor, key)
    position = call.account.position(*key)
    leverage = call.account.setting(key[0]).leverage
    return {
        "symbol": key[0],
        "initialMargin": cash(one.position_initial + one.order_initial),
        "maintMargin": cash(one.maintenance),
        "unrealizedProfit": cash(one.unrealised),
        "positionInitialMargin": cash(one.position_initial),
        "openOrderInitialMargin": cash(one.order_initial),
        "leverage": str(leverage),
        "isolated": one.is_isolated,
        "entryPrice": plain(position.entry_price),
        "breakEvenPrice": plain(position.break_even_price),
        "maxNotional": plain(call.venue.floor.instrument(key[0]).max_notional(leverage)),
        "bidNotional": plain(one.bids),
        "askNotional": plain(one.asks),
        "positionSide": key[1],
        "positionAmt": plain(position.quantity),
        "notional": cash(one.notional),
        "isolatedWallet": cash(position.isolated_wallet),
        "updateTime": position.updated_ms,
    }


def _account_position_v3(call: Call, key: PositionKey) -> dict[str, Any]:
    one = margins(call.account, call.venue.floor, key)
    position = call.account.position(*key)
    return {
        "symbol": key[0],
        "positionSide": key[1],
        "positionAmt": plain(position.quantity),
        "unrealizedProfit": cash(one.unrealised),
        "isolatedMargin": _isolated_margin(call, key, one),
        "notional": cash(one.notional),
        "isolatedWallet": cash(position.isolated_wallet) if one.is_isolated else "0",
        "initialMargin": cash(one.position_initial + one.order_initial),
        "maintMargin": cash(one.maintenance),
        "updateTime": position.updated_ms,
    }


def _position_risk_v3(call: Call, key: PositionKey) -> dict[str, Any]:
    one = margins(call.account, call.venue.floor, key)
    position = call.account.position(*key)
    return _account_position_v3(call, key) | {
        "entryPrice": plain(position.entry_price),
        "breakEvenPrice": plain(position.break_even_price),
        "markPrice": plain(call.venue.floor.quotes.mark(key[0])),
        "unRealizedProfit": cash(one.unrealised),
        "liquidationPrice": _liquidation_price(call, key),
        "marginAsset": QUOTE_ASSET,
        "positionInitialMargin": cash(one.position_initial),
        "openOrderInitialMargin": cash(one.order_initial),
        "adl": 0,
        "bidNotional": plain(one.bids),
        "askNotional": plain(one.asks),
    }


def _position_risk_v2(call: Call, key: PositionKey) -> dict[str, Any]:
    one = margins(call.account, call.venue.floor, key)
    position = call.account.position(*key)
    leverage = call.account.setting(key[0]).leverage
    return {
        "symbol": key[0],
        "positionAmt": plain(position.quantity),
        "entryPrice": plain(position.entry_price),
        "breakEvenPrice": plain(position.break_even_price),
        "markPrice": plain(call.venue.floor.quotes.mark(key[0])),
        "unRealizedProfit": cash(one.unrealised),
        "liquidationPrice": _liquidation_price(call, key),
        "leverage": str(leverage),
        "maxNotionalValue": plain(call.venue.floor.instrument(key[0]).max_notional(leverage)),
        "marginType": "isolated" if one.is_isolated else "cross",
        "isolatedMargin": _isolated_margin(call, key, one),
        "isAutoAddMargin": "false",
        "positionSide": key[1],
        "notional": cash(one.notional),
        "isolatedWallet": cash(position.isolated_wallet) if one.is_isolated else "0",
        "updateTime": position.updated_ms,
    }


def _isolated_margin(call: Call, key: PositionKey, one: Margins) -> str:
    """Return ``0`` for a cross position: clients tell the margin type by it (binance.md trap 13)."""
    if not one.is_isolated:
        return "0"
    return cash(call.account.position(*key).isolated_wallet + one.unrealised)


def _liquidation_price(call: Call, key: PositionKey) -> str:
    if key not in call.account.positions:
        return "0"
    return plain(liquidation_price(call.account, call.venue.floor, key))
