"""The unmodified ccxt reads every answer of the venue; its transport alone is replaced, by direct calls."""

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import ccxt
import pytest

from exchange.sim.server.exchange_info import exchange_info
from tests.builders_sim import SYMBOL, Terminal, contract

UNIFIED = "ABC/USDT:USDT"


class DirectBinance(ccxt.binanceusdm):  # type: ignore[misc]  # ccxt ships no types
    """ccxt on Binance's real addresses, so that its errors have their real classes."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__({"apiKey": "k", "secret": "s", "options": {"fetchCurrencies": False}})
        self.enableRateLimit = False
        self.options["fetchOpenOrders"] = {"warnWithoutSymbol": False}
        self.terminal = terminal

    def fetch(self, url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        parts = urlsplit(url)
        params = dict(parse_qsl(parts.query) + parse_qsl(body or ""))
        if parts.path == "/fapi/v1/exchangeInfo":
            contracts = self.terminal.instruments.values()
            return exchange_info(contracts, now_ms=0, server_ms=0, weight_limit=2400)
        answer = self.terminal.attempt(method, parts.path, **params)
        if isinstance(answer, Exception):
            refused = {"code": answer.code, "msg": answer.message}  # type: ignore[attr-defined]
            text = json.dumps(refused)
            self.handle_errors(400, "Bad Request", url, method, {}, text, refused, headers, body)
        return json.loads(json.dumps(answer))


@pytest.fixture
def client() -> DirectBinance:
    return DirectBinance(Terminal("ABCUSDT", "XYZUSDT"))


def test_a_round_trip_of_market_orders(client: DirectBinance) -> None:
    bought = client.create_order(UNIFIED, "market", "buy", 2, None, {"newOrderRespType": "RESULT"})
    assert (bought["status"], bought["filled"], bought["average"]) == ("closed", 2.0, None)
    fetched = client.fetch_order(bought["id"], UNIFIED)
    assert (fetched["average"], fetched["cost"]) == (100.01, 200.02)
    sold = client.create_order(UNIFIED, "market", "sell", 2, None, {"reduceOnly": True})
    assert sold["reduceOnly"] is True
    trades = client.fetch_my_trades(UNIFIED)
    assert [(one["side"], one["amount"], one["takerOrMaker"]) for one in trades] == [
        ("buy", 2.0, "taker"),
        ("sell", 2.0, "taker"),
    ]
    assert trades[0]["fee"] == {"cost": 0.10001, "currency": "USDT"}


def test_limit_orders_are_placed_listed_edited_and_cancelled(client: DirectBinance) -> None:
    order = client.create_order(UNIFIED, "limit", "buy", 1, 90, {"postOnly": True})
    assert (order["status"], order["timeInForce"], order["postOnly"]) == ("open", "PO", True)
    assert [one["id"] for one in client.fetch_open_orders()] == [order["id"]]
    edited = client.edit_order(order["id"], UNIFIED, "limit", "buy", 2, 91)
    assert (edited["price"], edited["amount"]) == (91.0, 2.0)
    assert client.fetch_open_order(order["id"], UNIFIED)["price"] == 91.0
    assert client.cancel_order(order["id"], UNIFIED)["status"] == "canceled"
    assert [one["status"] for one in client.fetch_orders(UNIFIED)] == ["canceled"]
    assert client.fetch_canceled_orders(UNIFIED)[0]["id"] == order["id"]


def test_batches_answer_order_by_order(client: DirectBinance) -> None:
    wanted = {"symbol": UNIFIED, "type": "limit", "side": "buy", "price": 90}
    placed = client.create_orders([wanted | {"amount": 1}, wanted | {"amount": 0.1, "price": 20}])
    placed.sort(key=lambda one: str(one["status"]))  # ccxt puts what has no time first
    assert [one["status"] for one in placed] == ["open", "rejected"]
    second = client.create_order(UNIFIED, "limit", "buy", 1, 89)
    client.cancel_orders([placed[0]["id"], second["id"]], UNIFIED)
    assert client.fetch_open_orders(UNIFIED) == []
    client.create_order(UNIFIED, "limit", "buy", 1, 89)
    client.cancel_all_orders(UNIFIED)
    assert client.fetch_open_orders(UNIFIED) == []


@pytest.mark.parametrize("kind", ["STOP_MARKET", "TAKE_PROFIT_MARKET"])
def test_closing_stops_and_targets(client: DirectBinance, kind: str) -> None:
    client.create_order(UNIFIED, "market", "buy", 2)
    trigger = 95 if kind == "STOP_MARKET" else 105
    params = {
        "stopPrice": trigger,
        "closePosition": True,
        "workingType": "MARK_PRICE",
        "priceProtect": True,
        "clientOrderId": "mine-1",
    }
    order = client.create_order(UNIFIED, kind, "sell", None, None, params)
    assert (order["status"], order["triggerPrice"], order["clientOrderId"]) == ("open", trigger, "mine-1")
    found = client.fetch_order(order["id"], UNIFIED, {"trigger": True})
    assert found["info"]["algoStatus"] == "NEW"
    assert [one["id"] for one in client.fetch_open_orders(params={"trigger": True})] == [order["id"]]
    client.terminal.step(str(trigger))
    done = client.fetch_orders(UNIFIED, params={"trigger": True})[0]
    assert (done["status"], done["info"]["algoStatus"]) == ("closed", "FINISHED")
    regular = client.fetch_order(done["info"]["actualOrderId"], UNIFIED)
    assert (regular["status"], regular["filled"]) == ("closed", 2.0)


def test_the_other_conditional_types(client: DirectBinance) -> None:
    client.create_order(UNIFIED, "market", "buy", 2)
    client.create_order(UNIFIED, "limit", "sell", 1, 94, {"stopLossPrice": 95})
    client.create_order(UNIFIED, "limit", "sell", 1, 106, {"takeProfitPrice": 105})
    client.create_order(UNIFIED, "market", "sell", 1, None, {"trailingPercent": 1, "reduceOnly": True})
    kinds = [one["info"]["orderType"] for one in client.fetch_open_orders(UNIFIED, params={"trigger": True})]
    assert kinds == ["STOP", "TAKE_PROFIT", "TRAILING_STOP_MARKET"]
    client.cancel_all_orders(UNIFIED, {"trigger": True})
    assert client.fetch_open_orders(UNIFIED, params={"trigger": True}) == []


def test_balance_and_positions(client: DirectBinance) -> None:
    client.set_margin_mode("isolated", UNIFIED)
    client.set_leverage(10, UNIFIED)
    client.create_order(UNIFIED, "market", "sell", 3)
    client.create_order("XYZ/USDT:USDT", "market", "buy", 2)
    balance = client.fetch_balance()["USDT"]
    wallet = client.terminal.account.wallet
    assert balance["total"] == pytest.approx(float(wallet) - 0.03 - 0.02)
    held = {one["symbol"]: one for one in client.fetch_positions()}
    short = held[UNIFIED]
    assert (short["side"], short["contracts"], short["entryPrice"]) == ("short", 3.0, 99.99)
    assert (short["marginMode"], held["XYZ/USDT:USDT"]["marginMode"]) == ("isolated", "cross")
    assert short["liquidationPrice"] == pytest.approx(108.9, abs=0.01)
    assert short["maintenanceMarginPercentage"] == pytest.approx(0.01)
    assert len(client.fetch_positions_risk([UNIFIED])) == 1
    assert {one["symbol"] for one in client.fetch_account_positions()} >= {UNIFIED}


def test_settings_read_back(client: DirectBinance) -> None:
    client.set_leverage(7, UNIFIED)
    client.set_margin_mode("isolated", UNIFIED)
    assert client.fetch_leverages([UNIFIED])[UNIFIED]["longLeverage"] == 7
    assert client.fetch_margin_modes([UNIFIED])[UNIFIED]["marginMode"] == "isolated"
    assert client.fetch_leverage_tiers([UNIFIED])[UNIFIED][1]["maxLeverage"] == 20
    client.set_position_mode(True)
    assert client.fetch_position_mode()["hedged"] is True
    assert client.fetch_trading_fee(UNIFIED)["taker"] == 0.0005


def test_isolated_margin_and_its_history(client: DirectBinance) -> None:
    client.set_margin_mode("isolated", UNIFIED)
    client.create_order(UNIFIED, "market", "buy", 2)
    assert client.add_margin(UNIFIED, 5)["status"] == "ok"
    assert client.reduce_margin(UNIFIED, 3)["type"] == "reduce"
    history = client.fetch_margin_adjustment_history(UNIFIED)
    assert [(one["type"], one["amount"]) for one in history] == [("add", 5.0), ("reduce", 3.0)]


def test_income_and_forced_orders(client: DirectBinance) -> None:
    client.create_order(UNIFIED, "market", "buy", 2)
    terminal = client.terminal
    terminal.now_ms = 8 * 3_600_000 - 2_000
    terminal.step()
    terminal.step()
    assert client.fetch_funding_history(UNIFIED)[0]["amount"] == -0.02
    assert {one["type"] for one in client.fetch_ledger("USDT")} >= {"transfer", "fee"}
    assert client.fetch_my_liquidations(UNIFIED) == []
    client.set_leverage(20, UNIFIED)
    terminal.account.cross_wallet -= 9_990
    terminal.step("95")
    assert client.fetch_my_liquidations(UNIFIED)[0]["symbol"] == UNIFIED


@pytest.mark.parametrize(
    ("wanted", "fault"),
    [
        (("market", "buy", 500, None, {}), ccxt.OperationRejected),  # -2027
        (("market", "sell", 1, None, {"reduceOnly": True}), ccxt.InvalidOrder),  # -2022
        (("STOP_MARKET", "sell", 1, None, {"stopPrice": 101}), ccxt.OrderImmediatelyFillable),  # -2021
        (("limit", "buy", 1, 100.5, {"postOnly": True}), ccxt.OrderNotFillable),  # -5022
        (("limit", "buy", 0.1, 20, {}), ccxt.InvalidOrder),  # -4164
    ],
)
def test_refusals_have_the_classes_they_have_in_production(
    client: DirectBinance, wanted: tuple[Any, ...], fault: type[Exception]
) -> None:
    client.load_markets()
    with pytest.raises(fault):
        client.create_order(UNIFIED, *wanted)


def test_too_little_margin_is_insufficient_funds() -> None:
    client = DirectBinance(Terminal(deposit="10", instruments={SYMBOL: contract()}))
    with pytest.raises(ccxt.InsufficientFunds):
        client.create_order(UNIFIED, "market", "buy", 5)


def test_what_did_not_change_is_said_so(client: DirectBinance) -> None:
    """binance.md trap 12."""
    with pytest.raises(ccxt.MarginModeAlreadySet):
        client.set_margin_mode("cross", UNIFIED)
    with pytest.raises(ccxt.OperationRejected):
        client.set_position_mode(False)
    with pytest.raises(ccxt.OrderNotFound):
        client.cancel_order("5", UNIFIED)
    with pytest.raises(ccxt.OrderNotFound):
        client.fetch_order("5", UNIFIED)
