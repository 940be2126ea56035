"""The unmodified python-binance reads every answer of the venue; its session alone is replaced."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from binance.client import Client
from binance.exceptions import BinanceAPIException

from tests.builders_sim import SYMBOL, Terminal


class Response:
    """What python-binance asks of a requests.Response."""

    def __init__(self, status_code: int, body: Any) -> None:
        self.status_code = status_code
        self.text = json.dumps(body)
        self.headers: dict[str, str] = {}

    def json(self) -> Any:
        return json.loads(self.text)


class DirectSession:
    """Stands where requests.Session stood, and calls the venue's routes."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    def __getattr__(self, method: str) -> Any:
        return lambda uri, **sent: self._ask(method.upper(), uri, sent)

    def close(self) -> None:
        """Nothing was opened."""

    def _ask(self, method: str, uri: str, sent: dict[str, Any]) -> Response:
        params = dict(parse_qsl(urlsplit(uri).query))
        for part in (sent.get("params"), sent.get("data")):
            params.update(parse_qsl(part) if isinstance(part, str) else part or {})
        answer = self._terminal.attempt(method, urlsplit(uri).path, **params)
        if isinstance(answer, Exception):
            return Response(400, {"code": answer.code, "msg": answer.message})  # type: ignore[attr-defined]
        return Response(200, answer)


@pytest.fixture
def terminal() -> Terminal:
    return Terminal("ABCUSDT", "XYZUSDT")


@pytest.fixture
def client(terminal: Terminal) -> Iterator[Client]:
    with loop_of_its_own():
        client = Client("k", "s", ping=False)
        client.session.close()
        client.session = DirectSession(terminal)
        yield client
        client.close_connection()


@contextmanager
def loop_of_its_own() -> Iterator[None]:
    """Give the client the event loop it would make, and leave open, where there is none."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        yield
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def test_orders(client: Client) -> None:
    wanted = {"symbol": SYMBOL, "side": "BUY", "quantity": "1"}
    filled = client.futures_create_order(**wanted, type="MARKET", newOrderRespType="RESULT")
    assert (filled["status"], filled["executedQty"]) == ("FILLED", "1")
    assert client.futures_create_test_order(**wanted, type="MARKET") == {}
    resting = client.futures_create_order(**wanted, type="LIMIT", timeInForce="GTC", price="90")
    same = {"symbol": SYMBOL, "orderId": resting["orderId"]}
    assert client.futures_get_order(**same)["status"] == "NEW"
    assert len(client.futures_get_open_orders()) == 1
    assert client.futures_modify_order(**same, side="BUY", quantity="2", price="91")["origQty"] == "2"
    assert client.futures_cancel_order(**same)["status"] == "CANCELED"
    assert len(client.futures_get_all_orders(symbol=SYMBOL)) == 2
    assert client.futures_account_trades(symbol=SYMBOL)[0]["price"] == "100.01"


def test_batches(client: Client, terminal: Terminal) -> None:
    one = {
        "symbol": SYMBOL,
        "side": "BUY",
        "type": "LIMIT",
        "quantity": "1",
        "price": "90",
        "timeInForce": "GTC",
    }
    placed = client.futures_place_batch_order(batchOrders=[dict(one), dict(one, quantity="0.01")])
    assert [each.get("code") for each in placed] == [None, -1111]
    client.futures_cancel_orders(symbol=SYMBOL, orderIdList=f"[{placed[0]['orderId']}]")
    assert client.futures_get_open_orders() == []
    assert client.futures_cancel_all_open_orders(symbol=SYMBOL)["code"] == 200
    assert client.futures_countdown_cancel_all(symbol=SYMBOL, countdownTime=1000)["symbol"] == SYMBOL


def test_conditional_orders_find_their_own_way_to_the_algo_service(
    client: Client, terminal: Terminal
) -> None:
    client.futures_create_order(symbol=SYMBOL, side="BUY", type="MARKET", quantity="1")
    stop = client.futures_create_order(
        symbol=SYMBOL, side="SELL", type="STOP_MARKET", triggerPrice="95", closePosition="true"
    )
    target = client.futures_create_algo_order(
        symbol=SYMBOL, side="SELL", type="TAKE_PROFIT_MARKET", triggerPrice="105", closePosition="true"
    )
    assert len(client.futures_get_open_orders(conditional=True)) == 2
    assert len(client.futures_get_open_algo_orders()) == 2
    assert client.futures_cancel_order(algoId=target["algoId"], conditional=True)["msg"] == "success"
    terminal.step("94")
    assert client.futures_get_algo_order(algoId=stop["algoId"])["algoStatus"] == "FINISHED"
    statuses = [one["algoStatus"] for one in client.futures_get_all_algo_orders(symbol=SYMBOL)]
    assert statuses == ["FINISHED", "CANCELED"]
    assert client.futures_cancel_all_algo_open_orders(symbol=SYMBOL)["code"] == 200


def test_the_account(client: Client) -> None:
    client.futures_create_order(symbol=SYMBOL, side="BUY", type="MARKET", quantity="2")
    account = client.futures_account()
    assert [p["positionAmt"] for p in account["positions"] if p["symbol"] == SYMBOL] == ["2"]
    assert client.futures_account_balance()[0]["asset"] == "USDT"
    assert client.futures_position_information(symbol=SYMBOL)[0]["positionAmt"] == "2"
    assert client.futures_income_history(incomeType="COMMISSION")[0]["income"] == "-0.10001000"
    assert client.futures_commission_rate(symbol=SYMBOL)["takerCommissionRate"] == "0.0005"
    assert client.futures_leverage_bracket(symbol=SYMBOL)[0]["brackets"][0]["initialLeverage"] == 50
    assert client.futures_adl_quantile_estimate(symbol=SYMBOL)["symbol"] == SYMBOL
    assert client.futures_symbol_adl_risk(symbol=SYMBOL)["adlRisk"] == "low"
    assert client.futures_api_trading_status()["indicators"] == {}
    assert client.futures_account_config()["canTrade"] is True
    assert client.futures_symbol_config(symbol=SYMBOL)[0]["leverage"] == 20
    assert client.futures_liquidation_orders() == []


def test_settings(client: Client) -> None:
    assert client.futures_change_leverage(symbol=SYMBOL, leverage=5)["leverage"] == 5
    assert client.futures_change_margin_type(symbol=SYMBOL, marginType="ISOLATED")["code"] == 200
    client.futures_create_order(symbol=SYMBOL, side="BUY", type="MARKET", quantity="2")
    assert client.futures_change_position_margin(symbol=SYMBOL, amount="5", type=1)["amount"] == 5
    assert len(client.futures_position_margin_history(symbol=SYMBOL)) == 1
    assert client.futures_get_position_mode() == {"dualSidePosition": False}
    assert client.futures_get_multi_assets_mode() == {"multiAssetsMargin": False}
    with pytest.raises(BinanceAPIException) as refused:
        client.futures_change_position_mode(dualSidePosition="true")
    assert refused.value.code == -4068
    with pytest.raises(BinanceAPIException) as isolated:
        client.futures_change_multi_assets_mode(multiAssetsMargin="true")
    assert isolated.value.code == -4167
