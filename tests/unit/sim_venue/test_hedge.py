"""Hedge mode: a long and a short on one symbol, each with its own rules."""

from decimal import Decimal

import pytest

from exchange.sim.venue.terms import PositionSide
from tests.builders_sim import SYMBOL, Terminal, contract

D = Decimal


def _hedged() -> Terminal:
    terminal = Terminal()
    terminal.ask("POST", "positionSide/dual", dualSidePosition=True)
    return terminal


def test_long_and_short_stand_side_by_side() -> None:
    terminal = _hedged()
    terminal.order("BUY", "3", positionSide="LONG")
    terminal.order("SELL", "2", positionSide="SHORT")
    rows = {row["positionSide"]: row["positionAmt"] for row in terminal.ask("GET", "/fapi/v3/positionRisk")}
    assert rows == {"LONG": "3", "SHORT": "-2"}


@pytest.mark.parametrize("params", [{}, {"positionSide": "BOTH"}])
def test_an_order_must_name_its_position_in_hedge_mode(params: dict[str, str]) -> None:
    assert _hedged().order_code(**params) == -4061


def test_an_order_must_not_name_one_in_one_way_mode() -> None:
    assert Terminal().order_code(positionSide="LONG") == -4061
    assert Terminal().order_code(positionSide="UP") == -4060


def test_reduce_only_is_not_a_parameter_of_hedge_mode() -> None:
    terminal = _hedged()
    terminal.order("BUY", positionSide="LONG")
    assert terminal.order_code("SELL", positionSide="LONG", reduceOnly=True) == -1106  # binance.md §2.7


def test_selling_a_long_closes_it_and_never_more() -> None:
    terminal = _hedged()
    terminal.order("BUY", "3", positionSide="LONG")
    assert terminal.order_code("SELL", "4", positionSide="LONG") == -2022
    assert terminal.order("SELL", "3", positionSide="LONG")["status"] == "FILLED"
    assert terminal.order_code("SELL", "1", positionSide="LONG") == -2022


def test_close_position_guards_one_side_only() -> None:
    terminal = _hedged()
    terminal.order("BUY", "3", positionSide="LONG")
    terminal.order("SELL", "2", positionSide="SHORT")
    terminal.stop("95", positionSide="LONG")
    assert terminal.stop("105", "BUY", positionSide="SHORT")["algoStatus"] == "NEW"
    terminal.step("94")
    assert terminal.account.position(SYMBOL, PositionSide.LONG).is_flat
    assert terminal.account.position(SYMBOL, PositionSide.SHORT).quantity == -2


@pytest.mark.parametrize(("side", "position_side"), [("BUY", "LONG"), ("SELL", "SHORT")])
def test_close_position_can_not_open(side: str, position_side: str) -> None:
    terminal = _hedged()
    trigger = "105" if side == "BUY" else "95"
    assert terminal.stop_code(trigger, side, positionSide=position_side) == -4061


def test_both_sides_count_their_margin() -> None:
    terminal = _hedged()
    terminal.order("BUY", "3", positionSide="LONG")
    terminal.order("SELL", "2", positionSide="SHORT")
    assert terminal.ask("GET", "/fapi/v3/account")["totalPositionInitialMargin"] == "25.00000000"


def test_the_two_sides_share_one_liquidation_price_in_cross_margin() -> None:
    terminal = _hedged()
    terminal.order("BUY", "30", positionSide="LONG")
    terminal.order("SELL", "20", positionSide="SHORT")
    prices = {row["liquidationPrice"] for row in terminal.ask("GET", "/fapi/v3/positionRisk")}
    assert len(prices) == 1


def test_the_mode_changes_only_when_nothing_is_open() -> None:
    terminal = Terminal()
    path = ("POST", "positionSide/dual")
    assert terminal.refusal(*path, dualSidePosition=False).code == -4059  # binance.md trap 12
    order = terminal.order(price="90")
    assert terminal.refusal(*path, dualSidePosition=True).code == -4067
    terminal.ask("DELETE", "order", symbol=SYMBOL, orderId=order["orderId"])
    terminal.order()
    assert terminal.refusal(*path, dualSidePosition=True).code == -4068
    terminal.order("SELL")
    terminal.ask(*path, dualSidePosition="true")
    assert terminal.ask("GET", "positionSide/dual") == {"dualSidePosition": True}


def test_the_margin_type_changes_only_when_the_symbol_is_idle() -> None:
    terminal = Terminal("ABCUSDT", "XYZUSDT")
    path = ("POST", "marginType")
    assert terminal.refusal(*path, symbol=SYMBOL, marginType="CROSSED").code == -4046
    assert terminal.refusal(*path, symbol=SYMBOL, marginType="BOTH").code == -1130
    order = terminal.order(price="90")
    assert terminal.refusal(*path, symbol=SYMBOL, marginType="ISOLATED").code == -4047
    assert terminal.ask(*path, symbol="XYZUSDT", marginType="ISOLATED")["code"] == 200
    terminal.ask("DELETE", "order", symbol=SYMBOL, orderId=order["orderId"])
    terminal.order()
    assert terminal.refusal(*path, symbol=SYMBOL, marginType="ISOLATED").code == -4048


def test_multi_assets_mode_is_cross_only() -> None:
    terminal = Terminal("ABCUSDT", "XYZUSDT")
    path = ("POST", "multiAssetsMargin")
    assert terminal.refusal(*path, multiAssetsMargin=False).code == -4171
    terminal.ask("POST", "marginType", symbol=SYMBOL, marginType="ISOLATED")
    assert terminal.refusal(*path, multiAssetsMargin=True).code == -4167
    terminal.ask("POST", "marginType", symbol=SYMBOL, marginType="CROSSED")
    order = terminal.order(price="90")
    assert terminal.refusal(*path, multiAssetsMargin=True).code == -4170
    terminal.ask("DELETE", "order", symbol=SYMBOL, orderId=order["orderId"])
    terminal.ask(*path, multiAssetsMargin=True)
    assert terminal.ask("GET", "multiAssetsMargin") == {"multiAssetsMargin": True}
    assert terminal.events()[-1]["ai"] == {"j": True}
    assert terminal.refusal("POST", "marginType", symbol=SYMBOL, marginType="ISOLATED").code == -4168


def test_a_conditional_order_of_the_symbol_blocks_its_margin_type_too() -> None:
    """A guess: conditional orders did while they were regular orders."""
    terminal = Terminal("ABCUSDT", "XYZUSDT")
    terminal.stop("90", quantity="1")
    path = ("POST", "marginType")
    assert terminal.refusal(*path, symbol="ABCUSDT", marginType="ISOLATED").code == -4047
    assert terminal.ask(*path, symbol="XYZUSDT", marginType="ISOLATED")["code"] == 200


def test_a_stop_that_closes_a_side_may_be_small() -> None:
    terminal = _hedged()
    terminal.instruments[SYMBOL] = contract(min_notional=D(30))
    terminal.order("BUY", "3", positionSide="LONG")
    assert terminal.stop("95", quantity="0.1", positionSide="LONG")["algoStatus"] == "NEW"
    assert terminal.stop_code("105", "BUY", quantity="0.1", positionSide="LONG") == -4164
