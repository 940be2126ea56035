"""Leverage, brackets, isolated and cross margin, and the price of liquidation."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.sim.venue.margin import exposure, liquidation_price, maintenance
from exchange.sim.venue.risk import risk_units
from exchange.sim.venue.terms import PositionSide
from tests.builders_sim import BRACKETS, MAIN, SYMBOL, Terminal, contract

D = Decimal
KEY = (SYMBOL, PositionSide.BOTH)


def _isolated(leverage: int = 10, **facts: Any) -> Terminal:
    terminal = Terminal(**facts)
    terminal.ask("POST", "marginType", symbol=SYMBOL, marginType="ISOLATED")
    terminal.ask("POST", "leverage", symbol=SYMBOL, leverage=leverage)
    terminal.events()
    return terminal


def _account(terminal: Terminal) -> Any:
    return terminal.ask("GET", "/fapi/v3/account")


def _risk(terminal: Terminal) -> Any:
    return terminal.ask("GET", "/fapi/v3/positionRisk")[0]


def test_maintenance_margin_is_continuous_across_brackets() -> None:
    """binance.md §2.8: notional × rate − cum."""
    instrument = contract()
    assert maintenance(instrument, D(4_000)) == 40
    assert maintenance(instrument, D(5_000)) == 50
    assert maintenance(instrument, D("5000.4")) == D("50.01")
    assert maintenance(instrument, D(20_000)) == 425
    assert maintenance(instrument, D("20000.2")) == D("425.01")


def test_a_cross_position_locks_notional_over_leverage() -> None:
    terminal = Terminal()
    terminal.order(quantity="10")
    terminal.quotes.move("101")
    sums = _account(terminal)
    assert sums["totalPositionInitialMargin"] == "50.50000000"  # 1,010 at the default 20×
    assert sums["totalUnrealizedProfit"] == "9.90000000"
    assert D(sums["availableBalance"]) == D(sums["totalCrossWalletBalance"]) + D("9.9") - D("50.5")


def test_an_isolated_position_takes_its_margin_out_of_the_cross_wallet() -> None:
    terminal = _isolated()
    terminal.order(quantity="10")
    row = _risk(terminal)
    assert (row["isolatedWallet"], row["isolatedMargin"]) == ("100.01000000", "99.91000000")
    sums = _account(terminal)
    assert D(sums["totalCrossWalletBalance"]) == D(10_000) - D("100.01") - D("0.50005")
    assert D(sums["totalWalletBalance"]) == D(10_000) - D("0.50005")


def test_an_isolated_loss_does_not_touch_the_available_balance() -> None:
    terminal = _isolated()
    terminal.order(quantity="10")
    before = _account(terminal)["availableBalance"]
    terminal.quotes.move("95")
    assert _account(terminal)["availableBalance"] == before


def test_closing_an_isolated_position_returns_its_margin_and_result() -> None:
    terminal = _isolated()
    terminal.order(quantity="10")
    terminal.quotes.move("98")
    terminal.order("SELL", "10")
    sums = _account(terminal)
    fees = D("0.50005") + D("0.48995")
    assert D(sums["totalCrossWalletBalance"]) == D(sums["totalWalletBalance"]) == D(10_000) - fees - D("20.2")


def test_an_order_beyond_the_available_balance_is_refused() -> None:
    terminal = Terminal(deposit="100")
    assert terminal.order_code(quantity="20") == -2019
    assert terminal.order(quantity="19")["status"] == "FILLED"


def test_an_open_order_locks_margin_until_it_is_cancelled() -> None:
    terminal = Terminal(deposit="100")
    order = terminal.order(quantity="20", price="96")
    assert _account(terminal)["totalOpenOrderInitialMargin"] == "96.00000000"
    assert terminal.order_code(quantity="1") == -2019
    terminal.ask("DELETE", "order", symbol=SYMBOL, orderId=order["orderId"])
    assert terminal.order(quantity="1")["status"] == "FILLED"


def test_an_open_order_locks_margin_for_its_own_symbol() -> None:
    terminal = Terminal("ABCUSDT", "XYZUSDT")
    terminal.order(quantity="1", price="90")
    terminal.order(quantity="2", price="90", symbol="XYZUSDT")
    rows = {row["symbol"]: row for row in terminal.ask("GET", "/fapi/v3/positionRisk")}
    assert rows["ABCUSDT"]["openOrderInitialMargin"] == "4.50000000"
    assert rows["XYZUSDT"]["openOrderInitialMargin"] == "9.00000000"
    assert (rows["ABCUSDT"]["bidNotional"], rows["ABCUSDT"]["askNotional"]) == ("90", "0")


def test_a_reduce_only_order_locks_nothing() -> None:
    terminal = Terminal()
    terminal.order(quantity="2")
    terminal.order("SELL", "2", price="101", reduceOnly=True)
    assert _account(terminal)["totalOpenOrderInitialMargin"] == "0.00000000"


def test_closing_is_allowed_without_any_available_balance() -> None:
    terminal = Terminal(deposit="60")
    terminal.order(quantity="11")
    terminal.quotes.move("96.5")
    assert terminal.order_code(quantity="1") == -2019
    assert terminal.order("SELL", "11")["status"] == "FILLED"


def test_a_position_beyond_the_cap_of_its_leverage_is_refused() -> None:
    terminal = Terminal(deposit="1000000")
    assert terminal.order(quantity="199")["status"] == "FILLED"
    assert terminal.order_code(quantity="2") == -2027  # the 20× bracket ends at 20,000
    assert terminal.order("SELL", "199")["status"] == "FILLED"


def test_a_position_of_exactly_the_cap_is_allowed() -> None:
    terminal = Terminal(deposit="1000000")
    assert terminal.order(quantity="200", price="100", timeInForce="GTX")["status"] == "NEW"


def test_the_fee_and_the_loss_beyond_the_mark_belong_to_the_cost_of_an_order() -> None:
    """10 at 104 and 10×: 104 margin + 40 beyond the mark + 0.52 fee (the fee is a guess)."""
    for deposit, is_enough in (("144.51", False), ("144.52", True)):
        terminal = Terminal(deposit=deposit)
        terminal.ask("POST", "leverage", symbol=SYMBOL, leverage=10)
        answer = terminal.attempt(
            "POST",
            "order",
            symbol=SYMBOL,
            side="BUY",
            type="LIMIT",
            timeInForce="GTC",
            quantity="10",
            price="104",
        )
        assert isinstance(answer, dict) is is_enough


def test_open_orders_count_toward_the_cap() -> None:
    terminal = Terminal(deposit="1000000")
    terminal.order(quantity="200", price="96")
    assert terminal.order_code(quantity="9", price="96") == -2027
    assert terminal.order(quantity="8", price="96")["status"] == "NEW"


def test_a_new_account_starts_cross_at_twenty_times_or_what_the_symbol_allows() -> None:
    terminal = Terminal(
        "ABCUSDT", instruments={"ABCUSDT": contract(), "LOWUSDT": contract("LOWUSDT", brackets=BRACKETS[2:])}
    )
    rows = {one["symbol"]: one for one in terminal.ask("GET", "symbolConfig")}
    assert (rows["ABCUSDT"]["leverage"], rows["LOWUSDT"]["leverage"]) == (20, 10)
    assert rows["ABCUSDT"]["marginType"] == "CROSSED"


def test_setting_leverage_tells_the_largest_notional_and_the_stream() -> None:
    terminal = Terminal()
    answer = terminal.ask("POST", "leverage", symbol=SYMBOL, leverage=50)
    assert answer == {"symbol": SYMBOL, "leverage": 50, "maxNotionalValue": "5000"}
    assert terminal.events()[-1]["ac"] == {"s": SYMBOL, "l": 50}


@pytest.mark.parametrize("leverage", [0, 51, 126])
def test_a_leverage_outside_the_brackets_is_refused(leverage: int) -> None:
    refusal = Terminal().refusal("POST", "leverage", symbol=SYMBOL, leverage=leverage)
    assert (refusal.code, refusal.message) == (-4028, f"Leverage {leverage} is not valid")


def test_leverage_can_not_rise_above_what_the_position_allows() -> None:
    terminal = Terminal()
    terminal.order(quantity="60")
    assert terminal.refusal("POST", "leverage", symbol=SYMBOL, leverage=50).code == -2027


def test_leverage_may_rise_to_where_the_position_is_exactly_the_cap() -> None:
    terminal = Terminal()
    terminal.quotes.quotes[SYMBOL].half_spread = D(0)
    terminal.order(quantity="50")
    assert terminal.ask("POST", "leverage", symbol=SYMBOL, leverage=50)["maxNotionalValue"] == "5000"


def test_leverage_can_not_fall_where_the_margin_would_not_suffice() -> None:
    terminal = Terminal(deposit="100")
    terminal.order(quantity="15")
    assert terminal.refusal("POST", "leverage", symbol=SYMBOL, leverage=10).code == -2028
    assert terminal.ask("POST", "leverage", symbol=SYMBOL, leverage=18)["leverage"] == 18


def test_leverage_of_an_isolated_position_can_only_rise() -> None:
    terminal = _isolated(10)
    terminal.order(quantity="1")
    assert terminal.refusal("POST", "leverage", symbol=SYMBOL, leverage=9).code == -4161
    assert terminal.ask("POST", "leverage", symbol=SYMBOL, leverage=11)["leverage"] == 11


def test_isolated_margin_can_be_added_and_taken_back() -> None:
    terminal = _isolated()
    terminal.order(quantity="10")
    terminal.events()
    terminal.ask("POST", "positionMargin", symbol=SYMBOL, amount="50", type=1)
    assert terminal.events()[-1]["a"]["m"] == "MARGIN_TRANSFER"
    assert _risk(terminal)["isolatedWallet"] == "150.01000000"
    terminal.ask("POST", "positionMargin", symbol=SYMBOL, amount="40", type=2)
    assert _risk(terminal)["isolatedWallet"] == "110.01000000"
    history = terminal.ask("GET", "positionMargin/history", symbol=SYMBOL)
    assert [(one["type"], one["amount"]) for one in history] == [(1, "50.00000000"), (2, "40.00000000")]


@pytest.mark.parametrize(
    ("amount", "kind", "code"), [("0", 1, -4055), ("99999", 1, -4050), ("1", 2, -4051), ("1", 3, -1130)]
)
def test_an_impossible_change_of_isolated_margin_is_refused(amount: str, kind: int, code: int) -> None:
    terminal = _isolated()
    terminal.order(quantity="10")
    assert terminal.refusal("POST", "positionMargin", symbol=SYMBOL, amount=amount, type=kind).code == code


def test_margin_is_added_to_isolated_positions_only() -> None:
    cross = Terminal()
    cross.order()
    assert cross.refusal("POST", "positionMargin", symbol=SYMBOL, amount="1", type=1).code == -4049
    flat = _isolated()
    assert flat.refusal("POST", "positionMargin", symbol=SYMBOL, amount="1", type=1).code == -4054


def test_accounts_do_not_share_money_or_positions() -> None:
    terminal = Terminal()
    other = terminal.venue.open_account("other", D(500))
    terminal.order(quantity="3")
    assert other.wallet == 500
    assert not other.positions
    assert terminal.venue.drain("other") == []
    assert terminal.venue.account(MAIN).positions


sides = st.sampled_from(["BUY", "SELL"])


@given(sides, st.integers(1, 50), st.integers(1, 450).map(lambda n: D(n) / 10))
def test_an_isolated_position_is_liquidated_exactly_at_its_liquidation_price(
    side: str, leverage: int, quantity: Decimal
) -> None:
    terminal = _isolated(leverage)
    terminal.order(side, str(quantity))
    price = liquidation_price(terminal.account, terminal.venue.floor, KEY)
    if price == 0:
        return
    terminal.quotes.move(price)
    unit = risk_units(terminal.account, terminal.venue.floor)[0]
    assert abs(unit.balance - unit.maintenance) < D("1e-6")


@given(sides, st.integers(1, 1_990).map(lambda n: D(n) / 10), st.integers(500, 20_000))
def test_a_cross_position_is_liquidated_at_its_liquidation_price(
    side: str, quantity: Decimal, deposit: int
) -> None:
    terminal = Terminal("ABCUSDT", "XYZUSDT", deposit=str(deposit + 1_000))
    terminal.order("BUY", "20", symbol="XYZUSDT")
    if quantity * 100 > deposit * 15:
        return
    terminal.order(side, str(quantity))
    price = liquidation_price(terminal.account, terminal.venue.floor, KEY)
    if price == 0:
        return
    terminal.quotes.move(price)
    unit = risk_units(terminal.account, terminal.venue.floor)[-1]
    assert abs(unit.balance - unit.maintenance) < D("1e-6")


def test_a_hand_computed_liquidation_price() -> None:
    """10 long at 100.01, 10×: (100.01 − 1000.1) ÷ (10 × 0.01 − 10)."""
    terminal = _isolated()
    terminal.order(quantity="10")
    assert _risk(terminal)["liquidationPrice"] == "90.918181818182"


amounts = st.integers(-1_000, 1_000).map(Decimal)


@given(amounts, amounts.map(abs), amounts.map(abs))
def test_exposure_is_never_less_than_what_is_held(held: Decimal, bids: Decimal, asks: Decimal) -> None:
    assert exposure(held, bids, asks) >= max(abs(held), abs(held + bids), abs(held - asks))
    assert exposure(held, D(0), D(0)) == abs(held)
