"""User-data events as Binance words them, and the reports we make of them."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core.income import WalletMoved
from core.orders import (
    ConditionalChanged,
    ConditionalStatus,
    OrderEnded,
    OrderFilled,
    Report,
)
from core.signals import Side
from exchange.binance.transport import SocketClosed
from exchange.binance.user_stream import Translator

RECORDED = Path(__file__).parents[4] / "shared" / "data" / "binance_payloads" / "user_data_json"
OURS = "ps-0123456789abcdef01-e1"
STOP = "ps-0123456789abcdef01-s1"


def order_update(**changes: Any) -> dict[str, Any]:
    order = {
        "s": "BTCUSDT",
        "c": OURS,
        "S": "BUY",
        "o": "MARKET",
        "x": "TRADE",
        "X": "FILLED",
        "i": 77,
        "l": "0.002",
        "z": "0.005",
        "L": "7100.50",
        "N": "USDT",
        "n": "0.01",
        "T": 1568879465651,
        "t": 12345,
        "rp": "-1.5",
    }
    return {"e": "ORDER_TRADE_UPDATE", "T": 1, "E": 1, "o": order | changes}


def conditional_update(status: str, *, became: str = "") -> dict[str, Any]:
    order = {"caid": STOP, "aid": 5, "s": "BTCUSDT", "X": status, "ai": became, "rm": "why"}
    return {"e": "ALGO_UPDATE", "T": 9, "E": 9, "o": order}


def translate(*events: dict[str, Any]) -> list[Report]:
    translator = Translator()
    return [report for event in events for report in translator.reports(json.dumps(event))]


def recorded(name: str) -> dict[str, Any]:
    path = RECORDED / f"{name}.json"
    if not path.exists():
        pytest.skip("the recorded payloads are not here")
    event: dict[str, Any] = json.loads(path.read_text())
    return event


def test_the_last_trade_of_an_order_of_ours_is_a_fill_and_its_end() -> None:
    filled, ended = translate(order_update())
    assert filled == OrderFilled(
        symbol="BTCUSDT",
        client_order_id=OURS,
        venue_order_id="77",
        trade_id="12345",
        side=Side.LONG,
        quantity=Decimal("0.002"),
        price=Decimal("7100.50"),
        fee=Decimal("0.01"),
        realised_pnl=Decimal("-1.5"),
        at=1568879465651,
    )
    assert ended == OrderEnded(
        symbol="BTCUSDT", client_order_id=OURS, filled=Decimal("0.005"), at=1568879465651
    )


def test_a_partial_fill_does_not_end_the_order() -> None:
    (filled,) = translate(order_update(X="PARTIALLY_FILLED", S="SELL"))
    assert isinstance(filled, OrderFilled)
    assert filled.side is Side.SHORT


def test_an_order_that_expires_unfilled_just_ends() -> None:
    (ended,) = translate(order_update(x="EXPIRED", X="EXPIRED", l="0", z="0", t=0))
    assert ended == OrderEnded(symbol="BTCUSDT", client_order_id=OURS, filled=Decimal(0), at=1568879465651)


def test_a_fee_paid_in_another_coin_is_taken_at_the_usual_rate() -> None:
    filled, _ = translate(order_update(N="BNB", n="0.00001"))
    assert isinstance(filled, OrderFilled)
    assert filled.fee == Decimal("0.002") * Decimal("7100.50") * Decimal("0.0005")


def test_a_new_order_is_no_news() -> None:
    assert translate(order_update(x="NEW", X="NEW", l="0", z="0", t=0)) == []


def test_fills_of_an_order_born_from_our_stop_carry_the_stops_id() -> None:
    changed, filled, ended = translate(
        conditional_update("TRIGGERED", became="77"), order_update(c="made-by-binance", S="SELL")
    )
    assert isinstance(changed, ConditionalChanged)
    assert changed.venue_order_id == "77"
    assert isinstance(filled, OrderFilled)
    assert isinstance(ended, OrderEnded)
    assert filled.client_order_id == ended.client_order_id == STOP


@pytest.mark.parametrize("wire", ["", "0"])
def test_a_resting_conditional_has_not_become_any_order(wire: str) -> None:
    (changed,) = translate(conditional_update("NEW", became=wire))
    assert changed == ConditionalChanged(
        symbol="BTCUSDT",
        client_order_id=STOP,
        status=ConditionalStatus.NEW,
        at=9,
        venue_order_id="",
        reason="why",
    )


def test_a_status_never_heard_of_is_no_proof_of_protection() -> None:
    (changed,) = translate(conditional_update("PONDERING"))
    assert isinstance(changed, ConditionalChanged)
    assert changed.status is ConditionalStatus.REJECTED


@pytest.mark.parametrize(
    "name",
    ["order_update_adl", "order_update_calculated", "order_update_delivery", "order_update_settlement"],
)
def test_what_the_venue_closed_by_itself_is_a_fill_of_nobody(name: str) -> None:
    (filled,) = translate(recorded(name))
    assert isinstance(filled, OrderFilled)
    assert filled.client_order_id == ""


def test_a_liquidation_that_has_filled_nothing_yet_is_no_news() -> None:
    assert translate(recorded("order_update_calculated_pending")) == []


def test_recorded_events_are_understood() -> None:
    (canceled,) = translate(recorded("algo_update_canceled"))
    assert isinstance(canceled, ConditionalChanged)
    assert canceled.status is ConditionalStatus.CANCELED
    assert translate(recorded("account_update"), recorded("trade_lite")) == []


@pytest.mark.parametrize("cause", ["FUNDING_FEE", "DEPOSIT", "WITHDRAW", "ASSET_TRANSFER", "NEW_ON_THE_WIRE"])
def test_money_that_moved_without_a_trade_is_told_for_usdt_only(cause: str) -> None:
    usdt, other = {"a": "USDT", "wb": "1", "cw": "1", "bc": "-0.25"}, {"a": "BNB", "bc": "1"}
    for balances, told in (([usdt, other], [WalletMoved(at=3)]), ([other], [])):
        account = {"m": cause, "B": balances, "P": []}
        assert translate({"e": "ACCOUNT_UPDATE", "T": 3, "E": 3, "a": account}) == told


def test_what_an_order_did_to_the_balance_is_no_transfer() -> None:
    account = {"m": "ORDER", "B": [{"a": "USDT", "bc": "-40"}], "P": []}
    assert list(translate({"e": "ACCOUNT_UPDATE", "T": 3, "E": 3, "a": account})) == []


def test_an_expired_listen_key_ends_the_connection() -> None:
    with pytest.raises(SocketClosed):
        translate({"e": "listenKeyExpired", "E": 1, "listenKey": "x"})
