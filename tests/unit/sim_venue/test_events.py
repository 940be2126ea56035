"""User-data events have Binance's shape, order and times."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.builders_sim import SYMBOL, Terminal

PAYLOADS = Path(__file__).resolve().parents[4] / "shared" / "data" / "binance_payloads"


def _recorded(folder: str, name: str) -> Any:
    path = PAYLOADS / folder / f"{name}.json"
    if not path.exists():
        pytest.skip("recorded Binance payloads are not at ../shared/data")
    return json.loads(path.read_text())


def _event(terminal: Terminal, name: str, **where: Any) -> Any:
    events = [event for event in terminal.events() if event["e"] == name]
    return next(e for e in events if all(e["o"][key] == value for key, value in where.items()))


def _texts(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key, inner
            yield from _texts(inner)
    if isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _same_types(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Every key Binance sends is there, with a value of the same JSON type."""
    ours = json.loads(json.dumps(ours))
    for key, value in theirs.items():
        assert key in ours, key
        if ours[key] is not None and value is not None:
            assert type(ours[key]) is type(value), key


@pytest.mark.parametrize("name", ["order_update_trade", "order_update_trade_partial"])
def test_a_fill_is_told_as_binance_tells_it(name: str) -> None:
    theirs = _recorded("user_data_json", name)
    terminal = Terminal()
    terminal.order()
    ours = _event(terminal, "ORDER_TRADE_UPDATE", x="TRADE")
    _same_types(ours, theirs)
    _same_types(ours["o"], {key: one for key, one in theirs["o"].items() if key not in ("AP", "cr")})


def test_an_algo_update_has_binances_keys() -> None:
    theirs = _recorded("user_data_json", "algo_update_new")
    terminal = Terminal()
    terminal.stop("90", quantity="1")
    ours = _event(terminal, "ALGO_UPDATE", X="NEW")
    _same_types(ours, theirs)
    _same_types(ours["o"], theirs["o"])


def test_an_account_update_has_binances_keys() -> None:
    theirs = _recorded("user_data_json", "account_update")
    terminal = Terminal()
    terminal.order()
    ours = next(event for event in terminal.events() if event["e"] == "ACCOUNT_UPDATE")
    _same_types(ours, theirs)
    _same_types(ours["a"]["B"][0], theirs["a"]["B"][0])
    _same_types(ours["a"]["P"][0], theirs["a"]["P"][0])


def test_a_lite_trade_has_binances_keys() -> None:
    theirs = _recorded("user_data_json", "trade_lite")
    terminal = Terminal()
    terminal.order()
    ours = next(event for event in terminal.events() if event["e"] == "TRADE_LITE")
    _same_types(ours, theirs)


@pytest.mark.parametrize(
    ("name", "method", "path"),
    [
        ("balance", "GET", "/fapi/v2/balance"),
        ("position_risk", "GET", "/fapi/v2/positionRisk"),
        ("account_info_v2", "GET", "/fapi/v2/account"),
        ("open_algo_orders", "GET", "openAlgoOrders"),
    ],
)
def test_an_answer_has_binances_keys(name: str, method: str, path: str) -> None:
    theirs = _recorded("http_json", name)
    terminal = Terminal()
    terminal.order()
    terminal.stop("90")
    ours = terminal.ask(method, path)
    if isinstance(theirs, list):
        ours, theirs = ours[0], theirs[0]
    theirs.pop("type", None)  # the recording names the type so; today's documentation says orderType
    _same_types(ours, theirs)
    for rows in ("assets", "positions"):
        if rows in theirs:
            _same_types(ours[rows][0], theirs[rows][0])


def test_a_fill_comes_as_lite_trade_then_balance_then_order() -> None:
    terminal = Terminal()
    terminal.order()
    names = [event["e"] for event in terminal.events()]
    assert names == ["ORDER_TRADE_UPDATE", "TRADE_LITE", "ACCOUNT_UPDATE", "ORDER_TRADE_UPDATE"]


def test_events_are_delivered_once() -> None:
    terminal = Terminal()
    terminal.order()
    assert terminal.events()
    assert terminal.events() == []


def test_every_event_carries_market_time() -> None:
    terminal = Terminal()
    terminal.now_ms = 1_764_115_200_123
    terminal.order()
    terminal.stop("95")
    for event in terminal.events() + terminal.step("94"):
        assert event["E"] == event["T"]
        assert event["E"] in (1_764_115_200_123, terminal.now_ms)


def test_the_balance_event_agrees_with_the_account() -> None:
    terminal = Terminal()
    terminal.ask("POST", "marginType", symbol=SYMBOL, marginType="ISOLATED")
    terminal.order(quantity="3")
    update = next(event for event in terminal.events() if event["e"] == "ACCOUNT_UPDATE")["a"]
    account = terminal.ask("GET", "/fapi/v3/account")
    row = terminal.ask("GET", "/fapi/v3/positionRisk")[0]
    assert update["B"][0]["wb"] == account["totalWalletBalance"]
    assert update["B"][0]["cw"] == account["totalCrossWalletBalance"]
    held = update["P"][0]
    assert (held["pa"], held["ep"], held["up"]) == (
        row["positionAmt"],
        row["entryPrice"],
        row["unRealizedProfit"],
    )
    assert (held["mt"], held["iw"]) == ("isolated", row["isolatedWallet"])


def test_no_number_is_written_with_an_exponent() -> None:
    terminal = Terminal()
    terminal.order("BUY", "0.3")
    terminal.quotes.move("100.02")
    terminal.order("SELL", "0.1")
    for key, value in _texts(terminal.events() + terminal.ask("GET", "/fapi/v3/positionRisk")):
        if isinstance(value, str) and value[:1].isdigit():
            assert "e" not in value.lower(), key


def test_a_deposit_after_opening_is_told_as_one() -> None:
    terminal = Terminal()
    terminal.venue.settings.deposit(terminal.account, terminal.account.wallet, now_ms=5)
    update = terminal.events()[0]["a"]
    assert (update["m"], update["B"][0]["bc"]) == ("DEPOSIT", "10000.00000000")


def test_realised_profit_adds_up_over_the_life_of_an_account() -> None:
    """The ``cr`` of a flat position is not zero in Binance's own sample."""
    terminal = Terminal()
    for price in ("110", "120"):
        terminal.quotes.move("100")
        terminal.order()
        terminal.quotes.move(price)
        terminal.order("SELL")
    update = [event for event in terminal.events() if event["e"] == "ACCOUNT_UPDATE"][-1]["a"]
    assert (update["P"][0]["pa"], update["P"][0]["cr"]) == ("0", "29.96000000")


def test_a_withdrawal_is_told_as_one() -> None:
    terminal = Terminal()
    terminal.venue.settings.deposit(terminal.account, Decimal(-100), now_ms=5)
    update = terminal.events()[0]["a"]
    assert (update["m"], update["B"][0]["wb"]) == ("WITHDRAW", "9900.00000000")


def _story() -> list[Any]:
    terminal = Terminal("ABCUSDT", "XYZUSDT")
    for symbol in ("ABCUSDT", "XYZUSDT"):
        terminal.order(symbol=symbol, quantity="30")
        terminal.stop("95", symbol=symbol)
        terminal.order("SELL", symbol=symbol, price="104", reduceOnly=True)
    told = terminal.events()
    for price in ("97", "105", "94", "60"):
        told += terminal.step(price) + terminal.step(price, symbol="XYZUSDT")
    return told


def test_the_same_calls_and_prices_tell_the_same_story() -> None:
    first, second = _story(), _story()
    assert first == second
    assert len(first) > 30


def test_trade_and_order_ids_only_grow() -> None:
    fills = [
        event["o"] for event in _story() if event["e"] == "ORDER_TRADE_UPDATE" and event["o"]["x"] == "TRADE"
    ]
    ids = [fill["t"] for fill in fills]
    assert ids == sorted(set(ids))
