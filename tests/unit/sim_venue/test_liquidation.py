"""Liquidation, margin calls, ADL and settlement: what the exchange does to a position by itself."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.instruments import InstrumentStatus
from exchange.sim.venue.account import IncomeKind
from exchange.sim.venue.terms import PositionSide
from tests.builders_sim import MAIN, SYMBOL, Terminal, contract

D = Decimal


def _isolated(quantity: str = "10", side: str = "BUY", **facts: Any) -> Terminal:
    """10 at 10×; the long is due below 90.92, bankrupt at 90.009."""
    terminal = Terminal(**facts)
    terminal.ask("POST", "marginType", symbol=SYMBOL, marginType="ISOLATED")
    terminal.ask("POST", "leverage", symbol=SYMBOL, leverage=10)
    terminal.order(side, quantity)
    terminal.events()
    return terminal


def _orders(events: list[Any], name: str) -> list[Any]:
    return [e["o"] for e in events if e["e"] == "ORDER_TRADE_UPDATE" and e["o"]["c"].startswith(name)]


def test_a_position_is_liquidated_when_the_mark_reaches_its_price_and_not_before() -> None:
    terminal = _isolated()
    terminal.step("95", mark="90.92")
    assert terminal.held() == 10
    terminal.step("95", mark="90.91")
    assert terminal.held() == 0


def test_the_last_price_liquidates_nobody() -> None:
    terminal = _isolated()
    terminal.step("80", mark="95")
    assert terminal.held() == 10


def test_a_liquidation_is_an_autoclose_order_with_a_fee_for_the_insurance_fund() -> None:
    terminal = _isolated()
    filled = _orders(terminal.step("90.9"), "autoclose-")[-1]
    assert (filled["x"], filled["X"], filled["o"], filled["f"]) == ("CALCULATED", "FILLED", "LIMIT", "IOC")
    assert (filled["L"], filled["rp"]) == ("90.89", "-91.20000000")
    left = D("100.01") - D("91.2")
    assert D(filled["n"]) == left  # 1.25 % would be 11.36, and only this much is left
    assert terminal.venue.floor.insurance_fund == left
    assert terminal.ask("GET", "income", incomeType="INSURANCE_CLEAR")[0]["income"] == f"-{filled['n']}"


def test_a_liquidation_fee_that_can_be_paid_is_paid_by_the_contracts_rate() -> None:
    terminal = _isolated(instruments={SYMBOL: contract(liquidation_fee=D("0.005"))})
    filled = _orders(terminal.step("90.9"), "autoclose-")[-1]
    assert filled["n"] == "4.54450000"  # 908.9 × 0.5 %


@pytest.mark.parametrize("side", ["BUY", "SELL"])
def test_a_gap_beyond_bankruptcy_costs_the_isolated_margin_and_no_more(side: str) -> None:
    terminal = _isolated(side=side)
    cross = terminal.account.cross_wallet
    terminal.step("50" if side == "BUY" else "150")
    assert terminal.held() == 0
    assert D(0) <= terminal.account.cross_wallet - cross < D("0.11")  # a tick's worth of rounding
    assert terminal.venue.floor.insurance_fund < -300


def test_liquidation_comes_before_a_stop_that_the_same_gap_crossed() -> None:
    terminal = _isolated()
    stop = terminal.stop("95")
    terminal.step("85")
    assert terminal.ask("GET", "algoOrder", algoId=stop["algoId"])["algoStatus"] == "EXPIRED"
    assert len(terminal.ask("GET", "forceOrders", symbol=SYMBOL)) == 1


def test_a_stop_above_the_liquidation_price_saves_the_position_in_a_smooth_fall() -> None:
    terminal = _isolated()
    terminal.stop("92")
    for price in ("95", "92", "90"):
        terminal.step(price)
    assert terminal.ask("GET", "forceOrders") == []
    assert terminal.held() == 0


def test_open_orders_of_the_symbol_are_cancelled_before_its_position_is_liquidated() -> None:
    terminal = _isolated()
    order = terminal.order(quantity="1", price="80")
    terminal.step("90")
    assert terminal.ask("GET", "order", symbol=SYMBOL, orderId=order["orderId"])["status"] == "CANCELED"


def test_cross_positions_stand_together_and_the_largest_falls_first() -> None:
    cheap = {name: contract(name, liquidation_fee=D("0.001")) for name in ("ABCUSDT", "XYZUSDT")}
    terminal = Terminal(instruments=cheap, deposit="100")
    terminal.order(quantity="10")
    terminal.order(quantity="5", symbol="XYZUSDT")
    terminal.step("91")
    assert (terminal.held("ABCUSDT"), terminal.held("XYZUSDT")) == (0, 5)


def test_a_winning_cross_position_carries_a_losing_one() -> None:
    terminal = Terminal("ABCUSDT", "XYZUSDT", deposit="100")
    terminal.order(quantity="10")
    terminal.order(quantity="5", symbol="XYZUSDT")
    terminal.quotes.move("110", symbol="XYZUSDT")
    terminal.step("91")
    assert terminal.held("ABCUSDT") == 10


def test_an_isolated_liquidation_leaves_cross_positions_alone() -> None:
    terminal = _isolated(instruments={name: contract(name) for name in ("ABCUSDT", "XYZUSDT")})
    terminal.order(symbol="XYZUSDT")
    terminal.step("90")
    assert (terminal.held("ABCUSDT"), terminal.held("XYZUSDT")) == (0, 1)


moves = st.lists(st.integers(20, 300), min_size=1, max_size=6)


@given(st.sampled_from(["BUY", "SELL"]), moves, moves)
def test_no_cross_account_ends_below_zero(side: str, first: list[int], second: list[int]) -> None:
    terminal = Terminal("ABCUSDT", "XYZUSDT", deposit="100")
    terminal.order(side, "10")
    terminal.order("BUY", "5", symbol="XYZUSDT")
    for one, other in zip(first, second, strict=False):
        terminal.quotes.move(str(other), symbol="XYZUSDT")
        terminal.step(str(one))
    if terminal.account.positions:
        assert all(unit > 0 for unit in _balances(terminal))
        return
    assert terminal.account.wallet >= 0


def _balances(terminal: Terminal) -> list[Decimal]:
    from exchange.sim.venue.risk import risk_units

    return [unit.balance for unit in risk_units(terminal.account, terminal.venue.floor)]


def test_a_margin_call_comes_once_and_again_only_after_recovery() -> None:
    terminal = _isolated()
    calls = [
        [event for event in terminal.step(price) if event["e"] == "MARGIN_CALL"]
        for price in ("93", "91.1", "91", "95", "91.1")
    ]
    assert [len(each) for each in calls] == [0, 1, 0, 0, 1]
    called = calls[1][0]["p"][0]
    assert (called["s"], called["ps"], called["mt"], called["mp"]) == (SYMBOL, "BOTH", "ISOLATED", "91.1")
    assert "cw" not in calls[1][0]


def test_a_cross_margin_call_names_the_cross_wallet() -> None:
    terminal = Terminal(deposit="100")
    terminal.order(quantity="10")
    terminal.events()
    call = next(event for event in terminal.step("91") if event["e"] == "MARGIN_CALL")
    assert call["cw"] == "99.49995000"


def test_auto_deleveraging_takes_part_of_a_position_under_its_own_id() -> None:
    terminal = _isolated()
    terminal.quotes.move("120")
    terminal.venue.deleverage(MAIN, SYMBOL, PositionSide.BOTH, quantity=D(4), now_ms=terminal.now_ms)
    filled = _orders(terminal.events(), "adl_autoclose")[-1]
    assert (filled["x"], filled["l"], filled["L"]) == ("CALCULATED", "4", "120")
    assert terminal.held() == 6
    assert [one["clientOrderId"] for one in terminal.ask("GET", "forceOrders", autoCloseType="ADL")]
    assert terminal.ask("GET", "forceOrders", autoCloseType="LIQUIDATION") == []


def test_auto_deleveraging_takes_no_more_than_a_short_holds() -> None:
    terminal = _isolated(side="SELL")
    terminal.venue.deleverage(MAIN, SYMBOL, PositionSide.BOTH, quantity=D(99), now_ms=terminal.now_ms)
    assert _orders(terminal.events(), "adl_autoclose")[-1]["S"] == "BUY"
    assert terminal.held() == 0


def test_a_delisted_symbol_settles_its_position_and_ends_its_orders() -> None:
    terminal = _isolated()
    order = terminal.order(quantity="1", price="90")
    stop = terminal.stop("91")
    free = terminal.stop("92", quantity="1")
    terminal.instruments[SYMBOL] = contract(status=InstrumentStatus.CLOSED)
    filled = _orders(terminal.step("105"), "settlement_autoclose-")[-1]
    assert (filled["x"], filled["X"], filled["L"]) == ("TRADE", "FILLED", "105")
    assert terminal.account.positions == {}
    assert terminal.ask("GET", "order", symbol=SYMBOL, orderId=order["orderId"])["status"] == "EXPIRED"
    for each in (stop, free):
        assert terminal.ask("GET", "algoOrder", algoId=each["algoId"])["algoStatus"] == "EXPIRED"


def test_a_symbol_past_its_delivery_time_settles_by_itself() -> None:
    terminal = _isolated()
    terminal.instruments[SYMBOL] = contract(delivery_ms=terminal.now_ms + 2_000)
    terminal.step("101")
    assert terminal.held() == 10
    terminal.step("101")
    assert terminal.held() == 0


def test_every_forced_close_explains_its_money() -> None:
    terminal = _isolated()
    terminal.step("50")
    booked = sum((one.amount for one in terminal.account.incomes), D(0))
    assert booked == terminal.account.wallet
    assert {one.kind for one in terminal.account.incomes} >= {IncomeKind.TRANSFER, IncomeKind.REALISED}


def test_a_delisting_leaves_other_symbols_alone() -> None:
    terminal = Terminal("ABCUSDT", "XYZUSDT")
    for symbol in ("ABCUSDT", "XYZUSDT"):
        terminal.order(symbol=symbol)
        terminal.stop("95", symbol=symbol)
        terminal.order(price="90", symbol=symbol)
    terminal.instruments[SYMBOL] = contract(status=InstrumentStatus.CLOSED)
    terminal.step("100")
    assert terminal.held("XYZUSDT") == 1
    assert [one["symbol"] for one in terminal.ask("GET", "openAlgoOrders")] == ["XYZUSDT"]
    assert [one["symbol"] for one in terminal.ask("GET", "openOrders")] == ["XYZUSDT"]


def test_a_symbol_taken_off_the_list_settles_too() -> None:
    terminal = _isolated()
    del terminal.instruments[SYMBOL]
    terminal.step("101")
    assert terminal.account.positions == {}


def test_a_settlement_costs_the_taker_fee() -> None:
    terminal = _isolated()
    terminal.instruments[SYMBOL] = contract(status=InstrumentStatus.CLOSED)
    assert _orders(terminal.step("100"), "settlement")[-1]["n"] == "0.50000000"


@pytest.mark.parametrize("other_move", ["100", "150"])
def test_an_isolated_profit_does_not_save_a_cross_position(other_move: str) -> None:
    terminal = Terminal("ABCUSDT", "XYZUSDT", deposit="100")
    terminal.ask("POST", "marginType", symbol="XYZUSDT", marginType="ISOLATED")
    terminal.order(quantity="1", symbol="XYZUSDT")
    terminal.order(quantity="10")
    terminal.quotes.move(other_move, symbol="XYZUSDT")
    terminal.step("50")
    assert (terminal.held("ABCUSDT"), terminal.held("XYZUSDT")) == (0, 1)
    assert 0 <= terminal.account.cross_wallet < D("0.11")


def test_a_stop_that_opens_into_a_losing_price_is_liquidated_in_the_same_step() -> None:
    terminal = Terminal()
    terminal.ask("POST", "marginType", symbol=SYMBOL, marginType="ISOLATED")
    terminal.ask("POST", "leverage", symbol=SYMBOL, leverage=50)
    terminal.order("SELL", "1", price="100")
    terminal.step("103")
    assert terminal.held() == 0
    assert len(terminal.ask("GET", "forceOrders")) == 1
