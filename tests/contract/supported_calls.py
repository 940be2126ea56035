"""Every call of two real clients that the simulator answers, in an order in which each makes sense.

docs/simulator.md shows the same names; a test keeps the two equal.
"""

from collections.abc import Awaitable, Callable
from typing import Any

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
TRIGGER = {"trigger": True}

Step = Callable[[Any, dict[str, Any]], Awaitable[Any]]


async def _remember(notes: dict[str, Any], name: str, made: Awaitable[Any], key: str = "id") -> Any:
    answer = await made
    notes[name] = answer[0][key] if isinstance(answer, list) else answer[key]
    return answer


def _below(notes: dict[str, Any], fraction: float = 0.02) -> float:
    return round(notes["price"] * (1 - fraction), 1)


def _closing(notes: dict[str, Any]) -> dict[str, Any]:
    return {"stopPrice": _below(notes), "closePosition": True}


def _reducing(notes: dict[str, Any], fraction: float) -> dict[str, Any]:
    return {"stopPrice": _below(notes, fraction), "reduceOnly": True}


def _limit_buy(notes: dict[str, Any], fraction: float) -> dict[str, Any]:
    price = _below(notes, fraction)
    return {"symbol": BTC, "type": "limit", "side": "buy", "amount": 0.01, "price": price}


CCXT: dict[str, Step] = {
    "load_markets": lambda c, _: c.load_markets(),
    "fetch_time": lambda c, _: c.fetch_time(),
    "fetch_ticker": lambda c, n: _remember(n, "price", c.fetch_ticker(BTC), "last"),
    "fetch_tickers": lambda c, _: c.fetch_tickers(),
    "fetch_last_prices": lambda c, _: c.fetch_last_prices(),
    "fetch_bids_asks": lambda c, _: c.fetch_bids_asks(),
    "fetch_order_book": lambda c, _: c.fetch_order_book(BTC, 50),
    "fetch_l2_order_book": lambda c, _: c.fetch_l2_order_book(BTC, 20),
    "fetch_trades": lambda c, _: c.fetch_trades(BTC, limit=50),
    "fetch_ohlcv": lambda c, _: c.fetch_ohlcv(BTC, "5m", limit=10),
    "fetch_mark_ohlcv": lambda c, _: c.fetch_mark_ohlcv(BTC, "1h", limit=5),
    "fetch_index_ohlcv": lambda c, _: c.fetch_index_ohlcv(BTC, "1h", limit=5),
    "fetch_premium_index_ohlcv": lambda c, _: c.fetch_premium_index_ohlcv(BTC, "1h", limit=5),
    "fetch_mark_price": lambda c, _: c.fetch_mark_price(BTC),
    "fetch_mark_prices": lambda c, _: c.fetch_mark_prices(),
    "fetch_funding_rate": lambda c, _: c.fetch_funding_rate(BTC),
    "fetch_funding_rates": lambda c, _: c.fetch_funding_rates(),
    "fetch_funding_intervals": lambda c, _: c.fetch_funding_intervals(),
    "fetch_funding_rate_history": lambda c, _: c.fetch_funding_rate_history(BTC, limit=2),
    "fetch_open_interest": lambda c, _: c.fetch_open_interest(BTC),
    "load_time_difference": lambda c, _: c.load_time_difference(),
    "fetch_status": lambda c, _: c.fetch_status(),
    "fetch_markets": lambda c, _: c.fetch_markets(),
    "fetch_trading_limits": lambda c, _: c.fetch_trading_limits([BTC]),
    "fetch_balance": lambda c, _: c.fetch_balance(),
    "fetch_leverage_tiers": lambda c, _: c.fetch_leverage_tiers(),
    "fetch_market_leverage_tiers": lambda c, _: c.fetch_market_leverage_tiers(BTC),
    "fetch_leverages": lambda c, _: c.fetch_leverages(),
    "fetch_leverage": lambda c, _: c.fetch_leverage(BTC),
    "fetch_margin_modes": lambda c, _: c.fetch_margin_modes(),
    "fetch_margin_mode": lambda c, _: c.fetch_margin_mode(BTC),
    "fetch_position_mode": lambda c, _: c.fetch_position_mode(),
    "fetch_trading_fee": lambda c, _: c.fetch_trading_fee(BTC),
    "fetch_trading_fees": lambda c, _: c.fetch_trading_fees(),
    "set_margin_mode": lambda c, _: c.set_margin_mode("isolated", BTC),
    "set_leverage": lambda c, _: c.set_leverage(5, BTC),
    "create_order (MARKET)": lambda c, _: c.create_order(BTC, "market", "buy", 0.01),
    "create_order (LIMIT)": lambda c, n: _remember(
        n, "limit", c.create_order(BTC, "limit", "buy", 0.01, _below(n))
    ),
    "create_order (LIMIT, GTX)": lambda c, n: c.create_order(
        BTC, "limit", "buy", 0.01, _below(n, 0.03), {"postOnly": True}
    ),
    "create_order (LIMIT, IOC)": lambda c, n: c.create_order(
        BTC, "limit", "buy", 0.01, _below(n), {"timeInForce": "IOC"}
    ),
    "create_order (STOP_MARKET)": lambda c, n: _remember(
        n,
        "stop",
        c.create_order(BTC, "STOP_MARKET", "sell", None, None, _closing(n)),
    ),
    "create_order (TAKE_PROFIT_MARKET)": lambda c, n: c.create_order(
        BTC, "TAKE_PROFIT_MARKET", "sell", 0.01, None, {"stopPrice": _below(n, -0.02), "reduceOnly": True}
    ),
    "create_order (STOP)": lambda c, n: c.create_order(
        BTC, "STOP", "sell", 0.005, _below(n, 0.021), {"stopPrice": _below(n), "reduceOnly": True}
    ),
    "create_order (TAKE_PROFIT)": lambda c, n: c.create_order(
        BTC,
        "TAKE_PROFIT",
        "sell",
        0.005,
        _below(n, -0.02),
        {"stopPrice": _below(n, -0.02), "reduceOnly": True},
    ),
    "create_order (TRAILING_STOP_MARKET)": lambda c, _: c.create_order(
        BTC, "TRAILING_STOP_MARKET", "sell", 0.005, None, {"trailingPercent": 1.0, "reduceOnly": True}
    ),
    "create_orders": lambda c, n: c.create_orders(
        [
            {"symbol": BTC, "type": "limit", "side": "buy", "amount": 0.01, "price": _below(n, d)}
            for d in (0.02, 0.03)
        ]
    ),
    "create_market_order": lambda c, _: c.create_market_order(BTC, "buy", 0.01),
    "create_market_buy_order": lambda c, _: c.create_market_buy_order(BTC, 0.01),
    "create_market_sell_order": lambda c, _: c.create_market_sell_order(BTC, 0.01),
    "create_limit_order": lambda c, n: c.create_limit_order(BTC, "buy", 0.01, _below(n, 0.04)),
    "create_limit_buy_order": lambda c, n: c.create_limit_buy_order(BTC, 0.01, _below(n, 0.04)),
    "create_limit_sell_order": lambda c, n: c.create_limit_sell_order(BTC, 0.005, _below(n, -0.04)),
    "create_post_only_order": lambda c, n: c.create_post_only_order(
        BTC, "limit", "buy", 0.01, _below(n, 0.04)
    ),
    "create_reduce_only_order": lambda c, _: c.create_reduce_only_order(BTC, "market", "sell", 0.005),
    "create_trigger_order": lambda c, n: c.create_trigger_order(
        BTC, "market", "sell", 0.005, None, _below(n, 0.03)
    ),
    "create_stop_order": lambda c, n: c.create_stop_order(
        BTC, "market", "sell", 0.005, None, _below(n, 0.03)
    ),
    "create_stop_market_order": lambda c, n: c.create_stop_market_order(BTC, "sell", 0.005, _below(n, 0.03)),
    "create_stop_limit_order": lambda c, n: c.create_stop_limit_order(
        BTC, "sell", 0.005, _below(n, 0.031), _below(n, 0.03)
    ),
    "create_stop_loss_order": lambda c, n: c.create_stop_loss_order(
        BTC, "market", "sell", 0.005, None, _below(n, 0.03)
    ),
    "create_take_profit_order": lambda c, n: c.create_take_profit_order(
        BTC, "market", "sell", 0.005, None, _below(n, -0.03)
    ),
    "create_trailing_percent_order": lambda c, _: c.create_trailing_percent_order(
        BTC, "market", "sell", 0.005, None, 1.0
    ),
    "edit_orders": lambda c, n: c.edit_orders([{**_limit_buy(n, 0.026), "id": n["limit"]}]),
    "edit_order": lambda c, n: c.edit_order(n["limit"], BTC, "limit", "buy", 0.02, _below(n, 0.025)),
    "fetch_order": lambda c, n: c.fetch_order(n["limit"], BTC),
    "fetch_order (trigger)": lambda c, n: c.fetch_order(n["stop"], BTC, TRIGGER),
    "fetch_open_order": lambda c, n: c.fetch_open_order(n["limit"], BTC),
    "fetch_open_orders": lambda c, _: c.fetch_open_orders(BTC),
    "fetch_open_orders (trigger)": lambda c, _: c.fetch_open_orders(BTC, params=TRIGGER),
    "fetch_orders": lambda c, _: c.fetch_orders(BTC),
    "fetch_orders (trigger)": lambda c, _: c.fetch_orders(BTC, params=TRIGGER),
    "fetch_closed_orders": lambda c, _: c.fetch_closed_orders(BTC),
    "fetch_canceled_orders": lambda c, _: c.fetch_canceled_orders(BTC),
    "fetch_canceled_and_closed_orders": lambda c, _: c.fetch_canceled_and_closed_orders(BTC),
    "fetch_my_trades": lambda c, _: c.fetch_my_trades(BTC),
    "fetch_positions": lambda c, _: c.fetch_positions(),
    "fetch_positions_risk": lambda c, _: c.fetch_positions_risk(),
    "fetch_positions (account)": lambda c, _: c.fetch_positions(params={"method": "account"}),
    "add_margin": lambda c, _: c.add_margin(BTC, 20),
    "reduce_margin": lambda c, _: c.reduce_margin(BTC, 10),
    "fetch_margin_adjustment_history": lambda c, _: c.fetch_margin_adjustment_history(BTC),
    "fetch_positions_adl_rank": lambda c, _: c.fetch_positions_adl_rank(),
    "fetch_position_adl_rank": lambda c, _: c.fetch_position_adl_rank(BTC),
    "fetch_adl_rank": lambda c, _: c.fetch_adl_rank(BTC),
    "fetch_funding_history": lambda c, _: c.fetch_funding_history(BTC),
    "fetch_ledger": lambda c, _: c.fetch_ledger("USDT"),
    "fetch_my_liquidations": lambda c, _: c.fetch_my_liquidations(BTC),
    "cancel_order": lambda c, n: c.cancel_order(n["limit"], BTC),
    "cancel_order (trigger)": lambda c, n: c.cancel_order(n["stop"], BTC, TRIGGER),
    "cancel_orders": lambda c, n: _cancel_several(c),
    "cancel_all_orders": lambda c, _: c.cancel_all_orders(BTC),
    "cancel_all_orders (trigger)": lambda c, _: c.cancel_all_orders(BTC, TRIGGER),
    "close by MARKET, reduceOnly": lambda c, _: c.create_order(
        BTC, "market", "sell", 0.015, params={"reduceOnly": True}
    ),
    "set_position_mode": lambda c, _: c.set_position_mode(True),
}


WATCHED: dict[str, Callable[[Any], Awaitable[Any]]] = {
    "watch_ohlcv": lambda c: c.watch_ohlcv(BTC, "1m"),
    "watch_ohlcv_for_symbols": lambda c: c.watch_ohlcv_for_symbols([[BTC, "1m"], [ETH, "15m"]]),
    "watch_trades": lambda c: c.watch_trades(BTC),
    "watch_ticker": lambda c: c.watch_ticker(BTC),
    "watch_tickers": lambda c: c.watch_tickers(),
    "watch_bids_asks": lambda c: c.watch_bids_asks([BTC]),
    "watch_mark_price": lambda c: c.watch_mark_price(BTC),
    "watch_mark_prices": lambda c: c.watch_mark_prices(),
    "watch_order_book": lambda c: c.watch_order_book(BTC),
    "watch_order_book_for_symbols": lambda c: c.watch_order_book_for_symbols([BTC, ETH]),
    "watch_trades_for_symbols": lambda c: c.watch_trades_for_symbols([BTC, ETH]),
    "un_watch_ohlcv": lambda c: _then(c.watch_ohlcv(BTC, "1m"), lambda: c.un_watch_ohlcv(BTC, "1m")),
    "un_watch_ohlcv_for_symbols": lambda c: _then(
        c.watch_ohlcv_for_symbols([[BTC, "1m"]]), lambda: c.un_watch_ohlcv_for_symbols([[BTC, "1m"]])
    ),
    "un_watch_bids_asks": lambda c: _then(c.watch_bids_asks([BTC]), lambda: c.un_watch_bids_asks([BTC])),
    "un_watch_trades": lambda c: _then(c.watch_trades(BTC), lambda: c.un_watch_trades(BTC)),
    "un_watch_trades_for_symbols": lambda c: _then(
        c.watch_trades_for_symbols([BTC]), lambda: c.un_watch_trades_for_symbols([BTC])
    ),
    "un_watch_ticker": lambda c: _then(c.watch_ticker(BTC), lambda: c.un_watch_ticker(BTC)),
    "un_watch_tickers": lambda c: _then(c.watch_tickers([BTC]), lambda: c.un_watch_tickers([BTC])),
    "un_watch_mark_price": lambda c: _then(c.watch_mark_price(BTC), lambda: c.un_watch_mark_price(BTC)),
    "un_watch_mark_prices": lambda c: _then(
        c.watch_mark_prices([BTC]), lambda: c.un_watch_mark_prices([BTC])
    ),
    "un_watch_order_book": lambda c: _then(c.watch_order_book(BTC), lambda: c.un_watch_order_book(BTC)),
    "un_watch_order_book_for_symbols": lambda c: _then(
        c.watch_order_book_for_symbols([BTC]), lambda: c.un_watch_order_book_for_symbols([BTC])
    ),
    "watch_orders": lambda c: c.watch_orders(),
    "watch_positions": lambda c: c.watch_positions(),
    "watch_balance": lambda c: c.watch_balance(),
    "watch_my_trades": lambda c: c.watch_my_trades(),
}
"""Each returns with the next news; the last four need an order to be placed meanwhile."""

LIQUIDATIONS: dict[str, Callable[[Any], Awaitable[Any]]] = {
    "watch_liquidations": lambda c: c.watch_liquidations(BTC),
    "watch_liquidations_for_symbols": lambda c: c.watch_liquidations_for_symbols([BTC]),
}
"""Each returns with the next liquidation of a position of ours."""


async def _then(first: Awaitable[Any], second: Callable[[], Awaitable[Any]]) -> Any:
    await first
    return await second()


async def _cancel_several(client: Any) -> Any:
    orders = await client.fetch_open_orders(BTC)
    return await client.cancel_orders([order["id"] for order in orders[:2]], BTC)


def _of(symbol: str = "BTCUSDT", **more: Any) -> dict[str, Any]:
    return {"symbol": symbol, **more}


def _conditional(notes: dict[str, Any]) -> dict[str, Any]:
    stop = f"{float(notes['price']) * 0.97:.1f}"
    return _of(side="SELL", type="STOP_MARKET", triggerPrice=stop, closePosition="true")


def _resting(notes: dict[str, Any], factor: float = 0.97) -> dict[str, Any]:
    price = f"{float(notes['price']) * factor:.1f}"
    return _of(side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.01", price=price)


async def _listen(client: Any, notes: dict[str, Any]) -> Any:
    notes["key"] = await client.futures_stream_get_listen_key()
    return notes["key"]


async def _flat_and_hedged(client: Any, _notes: dict[str, Any]) -> Any:
    for each in await client.futures_position_information(**_of()):
        closing = _of(side="SELL", type="MARKET", quantity=each["positionAmt"], reduceOnly="true")
        await client.futures_create_order(**closing)
    return await client.futures_change_position_mode(dualSidePosition="true")


async def _all_crossed_and_shared(client: Any, _notes: dict[str, Any]) -> Any:
    await client.futures_change_margin_type(**_of(marginType="CROSSED"))
    return await client.futures_change_multi_assets_mode(multiAssetsMargin=True)


def _without_type(order: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in order.items() if name not in ("type", "side")} | {"side": "BUY"}


PYTHON_BINANCE: dict[str, Step] = {
    "futures_ping": lambda c, _: c.futures_ping(),
    "futures_time": lambda c, _: c.futures_time(),
    "futures_exchange_info": lambda c, _: c.futures_exchange_info(),
    "futures_order_book": lambda c, _: c.futures_order_book(**_of()),
    "futures_recent_trades": lambda c, _: c.futures_recent_trades(**_of()),
    "futures_historical_trades": lambda c, _: c.futures_historical_trades(**_of()),
    "futures_aggregate_trades": lambda c, _: c.futures_aggregate_trades(**_of()),
    "futures_klines": lambda c, _: c.futures_klines(**_of(interval="1m")),
    "futures_continuous_klines": lambda c, _: c.futures_continuous_klines(
        pair="BTCUSDT", contractType="PERPETUAL", interval="1m"
    ),
    "futures_mark_price_klines": lambda c, _: c.futures_mark_price_klines(**_of(interval="1h")),
    "futures_index_price_klines": lambda c, _: c.futures_index_price_klines(pair="BTCUSDT", interval="1h"),
    "futures_premium_index_klines": lambda c, _: c.futures_premium_index_klines(**_of(interval="1h")),
    "futures_historical_klines": lambda c, _: c.futures_historical_klines("BTCUSDT", "1h", "1 day ago UTC"),
    "futures_rpi_depth": lambda c, _: c.futures_rpi_depth(**_of(limit=1000)),
    "futures_index_info": lambda c, _: c.futures_index_info(),
    "futures_v1_get_funding_info": lambda c, _: c.futures_v1_get_funding_info(),
    "futures_v1_get_rate_limit_order": lambda c, _: c.futures_v1_get_rate_limit_order(),
    "futures_v1_get_fee_burn": lambda c, _: c.futures_v1_get_fee_burn(),
    "futures_v1_post_fee_burn": lambda c, _: c.futures_v1_post_fee_burn(feeBurn="true"),
    "futures_mark_price": lambda c, _: c.futures_mark_price(),
    "futures_funding_rate": lambda c, _: c.futures_funding_rate(**_of()),
    "futures_ticker": lambda c, _: c.futures_ticker(),
    "futures_symbol_ticker": lambda c, n: _remember(n, "price", c.futures_symbol_ticker(**_of()), "price"),
    "futures_orderbook_ticker": lambda c, _: c.futures_orderbook_ticker(**_of()),
    "futures_open_interest": lambda c, _: c.futures_open_interest(**_of()),
    "futures_account": lambda c, _: c.futures_account(),
    "futures_account_balance": lambda c, _: c.futures_account_balance(),
    "futures_account_config": lambda c, _: c.futures_account_config(),
    "futures_symbol_config": lambda c, _: c.futures_symbol_config(),
    "futures_commission_rate": lambda c, _: c.futures_commission_rate(**_of()),
    "futures_leverage_bracket": lambda c, _: c.futures_leverage_bracket(),
    "futures_get_position_mode": lambda c, _: c.futures_get_position_mode(),
    "futures_get_multi_assets_mode": lambda c, _: c.futures_get_multi_assets_mode(),
    "futures_api_trading_status": lambda c, _: c.futures_api_trading_status(),
    "futures_change_margin_type": lambda c, _: c.futures_change_margin_type(**_of(marginType="ISOLATED")),
    "futures_change_leverage": lambda c, _: c.futures_change_leverage(**_of(leverage=5)),
    "futures_create_test_order": lambda c, n: c.futures_create_test_order(**_resting(n)),
    "futures_create_order (MARKET)": lambda c, _: c.futures_create_order(
        **_of(side="BUY", type="MARKET", quantity="0.01")
    ),
    "futures_create_order (LIMIT)": lambda c, n: _remember(
        n, "order", c.futures_create_order(**_resting(n)), "orderId"
    ),
    "futures_create_order (STOP_MARKET)": lambda c, n: _remember(
        n, "algo", c.futures_create_order(**_conditional(n)), "algoId"
    ),
    "futures_place_batch_order": lambda c, n: c.futures_place_batch_order(
        batchOrders=[_resting(n, 0.96), _resting(n, 0.95)]
    ),
    "futures_modify_order": lambda c, n: c.futures_modify_order(
        **_of(orderId=n["order"], side="BUY", quantity="0.02", price=_resting(n, 0.96)["price"])
    ),
    "futures_v1_get_order_amendment": lambda c, _: c.futures_v1_get_order_amendment(**_of()),
    "futures_v1_get_open_order": lambda c, n: c.futures_v1_get_open_order(**_of(orderId=n["order"])),
    "futures_limit_order": lambda c, n: c.futures_limit_order(**_without_type(_resting(n, 0.96))),
    "futures_limit_buy_order": lambda c, n: c.futures_limit_buy_order(**_without_type(_resting(n, 0.96))),
    "futures_limit_sell_order": lambda c, n: c.futures_limit_sell_order(
        **_without_type(_resting(n, 1.04)) | {"quantity": "0.005"}
    ),
    "futures_market_order": lambda c, _: c.futures_market_order(**_of(side="BUY", quantity="0.01")),
    "futures_market_buy_order": lambda c, _: c.futures_market_buy_order(**_of(quantity="0.01")),
    "futures_market_sell_order": lambda c, _: c.futures_market_sell_order(**_of(quantity="0.01")),
    "futures_get_order": lambda c, n: c.futures_get_order(**_of(orderId=n["order"])),
    "futures_get_open_orders": lambda c, _: c.futures_get_open_orders(**_of()),
    "futures_get_open_orders (conditional)": lambda c, _: c.futures_get_open_orders(conditional=True),
    "futures_get_all_orders": lambda c, _: c.futures_get_all_orders(**_of()),
    "futures_get_algo_order": lambda c, n: c.futures_get_algo_order(algoId=n["algo"]),
    "futures_get_open_algo_orders": lambda c, _: c.futures_get_open_algo_orders(),
    "futures_get_all_algo_orders": lambda c, _: c.futures_get_all_algo_orders(**_of()),
    "futures_position_information": lambda c, _: c.futures_position_information(),
    "futures_account_trades": lambda c, _: c.futures_account_trades(**_of()),
    "futures_income_history": lambda c, _: c.futures_income_history(),
    "futures_liquidation_orders": lambda c, _: c.futures_liquidation_orders(),
    "futures_adl_quantile_estimate": lambda c, _: c.futures_adl_quantile_estimate(),
    "futures_symbol_adl_risk": lambda c, _: c.futures_symbol_adl_risk(),
    "futures_change_position_margin": lambda c, _: c.futures_change_position_margin(**_of(amount=10, type=1)),
    "futures_position_margin_history": lambda c, _: c.futures_position_margin_history(**_of()),
    "futures_countdown_cancel_all": lambda c, _: c.futures_countdown_cancel_all(**_of(countdownTime=0)),
    "futures_cancel_order (conditional)": lambda c, n: c.futures_cancel_order(
        algoId=n["algo"], conditional=True
    ),
    "futures_create_algo_order": lambda c, n: _remember(
        n, "algo", c.futures_create_algo_order(**_conditional(n), algoType="CONDITIONAL"), "algoId"
    ),
    "futures_cancel_algo_order": lambda c, n: c.futures_cancel_algo_order(algoId=n["algo"]),
    "futures_cancel_all_algo_open_orders": lambda c, _: c.futures_cancel_all_algo_open_orders(**_of()),
    "futures_cancel_order": lambda c, n: c.futures_cancel_order(**_of(orderId=n["order"])),
    "futures_cancel_orders": lambda c, n: c.futures_cancel_orders(**_of(orderidlist=[n["order"]])),
    "futures_cancel_all_open_orders": lambda c, _: c.futures_cancel_all_open_orders(**_of()),
    "futures_stream_get_listen_key": _listen,
    "futures_change_position_mode": _flat_and_hedged,
    "futures_change_multi_assets_mode": _all_crossed_and_shared,
    "futures_stream_keepalive": lambda c, n: c.futures_stream_keepalive(n["key"]),
    "futures_stream_close": lambda c, n: c.futures_stream_close(n["key"]),
}
