"""What a request must say, and what Binance answers when it does not."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.sim.trading_api import ROUTES
from exchange.sim.venue.rejections import Reason, VenueRejection
from tests.builders_sim import SYMBOL, Terminal


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"symbol": None}, -1102),
        ({"symbol": ""}, -1102),
        ({"symbol": "NONEUSDT"}, -1121),
        ({"side": None}, -1102),
        ({"side": "HOLD"}, -1117),
        ({"type": None}, -1102),
        ({"type": "ICEBERG"}, -1116),
        ({"type": "LIQUIDATION"}, -1116),
        ({"quantity": None}, -1102),
        ({"quantity": "1e3"}, -1100),
        ({"quantity": "-1"}, -1100),
        ({"quantity": "NaN"}, -1100),
        ({"quantity": "٣"}, -1100),
        ({"quantity": "9" * 21}, -1100),
        ({"price": "100"}, -1106),
        ({"timeInForce": "GTC"}, -1106),
        ({"reduceOnly": "yes"}, -1130),
        ({"reduceOnly": ""}, -1105),
        ({"closePosition": "true"}, -4136),
        ({"newClientOrderId": "x" * 37}, -4015),
        ({"newClientOrderId": "with space"}, -1100),
        ({"newOrderRespType": "FULL"}, -1136),
        ({"selfTradePreventionMode": "MAYBE"}, -5039),
        ({"priceMatch": "OPPONENT"}, -5038),
    ],
)
def test_a_malformed_market_order_is_refused(params: dict[str, Any], code: int) -> None:
    wanted = {"symbol": SYMBOL, "side": "BUY", "type": "MARKET", "quantity": "1"} | params
    given = {name: value for name, value in wanted.items() if value is not None}
    assert Terminal().refusal("POST", "order", **given).code == code


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"timeInForce": None}, -1102),
        ({"timeInForce": "SOON"}, -1115),
        ({"price": None}, -1102),
        ({"timeInForce": "GTD"}, -1102),
    ],
)
def test_a_malformed_limit_order_is_refused(params: dict[str, Any], code: int) -> None:
    wanted = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "quantity": "1", "price": "99"}
    given = wanted | {"timeInForce": "GTC"} | params
    sent = {name: value for name, value in given.items() if value is not None}
    assert Terminal().refusal("POST", "order", **sent).code == code


def test_a_missing_parameter_is_named() -> None:
    refusal = Terminal().refusal("POST", "order", side="BUY")
    assert refusal.message == "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."
    assert refusal.http_status == 400


@pytest.mark.parametrize(
    ("method", "path", "params", "code"),
    [
        ("POST", "leverage", {"symbol": SYMBOL}, -1102),
        ("POST", "leverage", {"symbol": SYMBOL, "leverage": "ten"}, -1100),
        ("POST", "marginType", {"symbol": SYMBOL}, -1102),
        ("POST", "positionSide/dual", {}, -1102),
        ("POST", "positionSide/dual", {"dualSidePosition": "1"}, -1130),
        ("POST", "positionMargin", {"symbol": SYMBOL, "type": "1"}, -1102),
        ("GET", "openOrders", {"symbol": ""}, -1105),
        ("GET", "allOrders", {}, -1102),
        ("GET", "allOrders", {"symbol": SYMBOL, "limit": "0"}, -1130),
        ("GET", "userTrades", {"symbol": SYMBOL, "fromId": "x"}, -1100),
        ("DELETE", "allOpenOrders", {}, -1102),
        ("DELETE", "batchOrders", {"symbol": SYMBOL, "orderIdList": json.dumps(list(range(11)))}, -4032),
        ("DELETE", "batchOrders", {"symbol": SYMBOL}, -1102),
        ("DELETE", "batchOrders", {"symbol": SYMBOL, "orderIdList": "5"}, -1130),
        ("DELETE", "batchOrders", {"symbol": SYMBOL, "orderIdList": "[]"}, -1102),
        ("POST", "countdownCancelAll", {"symbol": SYMBOL}, -1102),
        ("PUT", "order", {"symbol": SYMBOL, "side": "BUY", "orderId": "5"}, -2013),
    ],
)
def test_a_malformed_request_is_refused(method: str, path: str, params: dict[str, str], code: int) -> None:
    assert Terminal().refusal(method, path, **params).code == code


@pytest.mark.parametrize(("method", "path"), sorted(ROUTES))
def test_every_answer_is_json(method: str, path: str) -> None:
    terminal = Terminal()
    terminal.order()
    terminal.stop("90")
    resting = terminal.order("SELL", "0.1", price="101", reduceOnly=True)
    ids = {"orderId": resting["orderId"], "algoId": "2000001"}
    answer = terminal.attempt(method, path, symbol=SYMBOL, side="SELL", **ids)
    assert isinstance(answer, VenueRejection) or json.loads(json.dumps(answer)) == answer


names = st.sampled_from(
    [
        *("symbol", "side", "type", "quantity", "price", "timeInForce", "reduceOnly", "positionSide"),
        *("newClientOrderId", "orderId", "algoId", "algoType", "triggerPrice", "closePosition", "leverage"),
        *("marginType", "amount", "batchOrders", "orderIdList", "limit", "startTime", "endTime"),
        *("callbackRate", "activatePrice", "goodTillDate", "dualSidePosition", "countdownTime", "page"),
    ]
)
words = st.sampled_from(
    [
        *(SYMBOL, "BUY", "SELL", "LIMIT", "MARKET", "STOP_MARKET", "TRAILING_STOP_MARKET", "GTC", "GTD"),
        *("true", "false", "CONDITIONAL", "ISOLATED", "LONG", "0", "1", "100", "99.99", "1000001", "[]"),
        *("", "[1]", "[[[", '[{"symbol":"ABCUSDT"}]', "null", "1e999", "-1", "0.00000001"),
    ]
)


@given(st.sampled_from(sorted(ROUTES)), st.dictionaries(names, words | st.text(max_size=40), max_size=12))
def test_no_parameters_whatever_make_a_handler_fail(route: tuple[str, str], params: dict[str, str]) -> None:
    terminal = Terminal()
    terminal.order()
    answer = terminal.attempt(*route, **params)
    assert isinstance(answer, VenueRejection) or json.dumps(answer)


def test_every_reason_renders_its_sentence() -> None:
    for reason in Reason:
        refusal = VenueRejection.because(reason, "a", "b")
        assert "{}" not in refusal.message
        assert str(refusal) == f"{refusal.code}: {refusal.message}"
