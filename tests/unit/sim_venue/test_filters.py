"""Each filter refuses with its own code, and lets through what lies exactly on its edge."""

from decimal import Decimal

import pytest

from core.instruments import InstrumentStatus
from exchange.sim.venue.filters import max_open_orders
from exchange.sim.venue.terms import Side
from tests.builders_sim import SYMBOL, Terminal, contract

D = Decimal


@pytest.mark.parametrize(
    ("quantity", "code"),
    [
        ("0", -4003),  # binance.md §2.5
        ("0.01", -1111),  # more digits than the contract has
        ("501", -4005),  # above MARKET_LOT_SIZE
    ],
)
def test_a_market_quantity_outside_its_filters_is_refused(quantity: str, code: int) -> None:
    assert Terminal().order_code(quantity=quantity) == code


def test_the_market_lot_size_is_tighter_than_the_limit_lot_size() -> None:
    terminal = Terminal(deposit="1000000")
    assert terminal.order_code("SELL", "1001", price="101") == -4005
    terminal.ask("POST", "leverage", symbol=SYMBOL, leverage=10)
    assert terminal.order("SELL", "900", price="101")["status"] == "NEW"


def test_the_largest_market_quantity_itself_is_allowed() -> None:
    terminal = Terminal(deposit="1000000")
    terminal.ask("POST", "leverage", symbol=SYMBOL, leverage=10)
    assert terminal.order(quantity="500")["status"] == "FILLED"


def test_a_quantity_below_the_minimum_is_refused() -> None:
    terminal = Terminal(instruments={SYMBOL: contract(min_quantity=D("0.5"))})
    assert terminal.order_code(quantity="0.4") == -4004
    assert terminal.order(quantity="0.5")["status"] == "FILLED"


def test_a_quantity_off_the_step_is_refused() -> None:
    terminal = Terminal(instruments={SYMBOL: contract(step_size=D("0.5"))})
    assert terminal.order_code(quantity="0.7") == -4023
    assert terminal.order(quantity="1.5")["status"] == "FILLED"


@pytest.mark.parametrize(
    ("price", "code"),
    [("0", -4001), ("99.001", -1111), ("105.01", -4016), ("100.5", None), ("105", None)],
)
def test_a_buy_price_must_be_positive_on_the_tick_and_below_the_cap(price: str, code: int | None) -> None:
    terminal = Terminal()
    if code is None:
        assert terminal.order(price=price)["orderId"]
        return
    assert terminal.order_code(price=price) == code


def test_a_price_off_the_tick_is_refused() -> None:
    terminal = Terminal(instruments={SYMBOL: contract(tick_size=D("0.05"))})
    assert terminal.order_code(price="99.97") == -4014
    assert terminal.order(price="99.95")["status"] == "NEW"


def test_a_sell_price_must_not_lie_below_the_floor_around_the_mark() -> None:
    terminal = Terminal()
    assert terminal.order_code("SELL", price="94.99") == -4024
    assert terminal.order("SELL", price="95")["status"] == "FILLED"


def test_a_cheap_buy_and_a_dear_sell_are_nobodys_harm() -> None:
    terminal = Terminal()
    assert terminal.order(price="1", quantity="5")["status"] == "NEW"
    assert terminal.order("SELL", price="900")["status"] == "NEW"


def test_the_refusal_names_the_cap_of_the_band() -> None:
    refusal = Terminal().refusal(
        "POST", "order", symbol=SYMBOL, side="BUY", type="LIMIT", timeInForce="GTC", quantity=1, price="106"
    )
    assert refusal.message == "Limit price can't be higher than 105.00."


def test_a_market_order_needs_a_counterparty_inside_the_band() -> None:
    terminal = Terminal()
    terminal.quotes.quotes[SYMBOL].levels = {
        Side.BUY: [(D("105.01"), D(10))],
        Side.SELL: [(D("94.99"), D(10))],
    }
    assert terminal.order_code("BUY") == -4131
    assert terminal.order_code("SELL") == -4131


@pytest.mark.parametrize(("quantity", "ok"), [("0.1", False), ("0.2", False), ("0.3", True)])
def test_the_notional_must_reach_the_minimum(quantity: str, ok: bool) -> None:
    terminal = Terminal(instruments={SYMBOL: contract(min_notional=D(30))})
    if ok:
        assert terminal.order(quantity=quantity)["status"] == "FILLED"
        return
    refusal = terminal.refusal("POST", "order", symbol=SYMBOL, side="BUY", type="MARKET", quantity=quantity)
    assert refusal.code == -4164
    assert refusal.message == "Order's notional must be no smaller than 30 (unless you choose reduce only)."


def test_a_reduce_only_order_may_be_smaller_than_the_minimum_notional() -> None:
    terminal = Terminal(instruments={SYMBOL: contract(min_notional=D(30))})
    terminal.order(quantity="1")
    assert terminal.order("SELL", "0.1", reduceOnly=True)["status"] == "FILLED"


def test_bitcoin_and_ether_hold_ten_thousand() -> None:
    assert [max_open_orders(symbol) for symbol in ("BTCUSDT", "ETHUSDT", "SOLUSDT")] == [10_000, 10_000, 200]


def test_a_symbol_holds_at_most_two_hundred_open_orders() -> None:
    terminal = Terminal("ABCUSDT", "XYZUSDT")
    for _ in range(200):
        terminal.order(quantity="0.1", price="90")
    assert terminal.order_code(quantity="0.1", price="90") == -2025
    assert terminal.order(symbol="XYZUSDT", quantity="0.1", price="90")["status"] == "NEW"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (InstrumentStatus.PENDING, -4140),
        (InstrumentStatus.SETTLING, -4140),
        (InstrumentStatus.CLOSED, -4141),
    ],
)
def test_a_symbol_that_does_not_trade_takes_no_new_position(status: InstrumentStatus, code: int) -> None:
    assert Terminal(instruments={SYMBOL: contract(status=status)}).order_code() == code


def test_a_settling_symbol_still_lets_a_position_be_reduced() -> None:
    terminal = Terminal()
    terminal.order()
    terminal.instruments[SYMBOL] = contract(status=InstrumentStatus.SETTLING)
    assert terminal.order("SELL", reduceOnly=True)["status"] == "FILLED"


def test_a_filter_changed_while_running_holds_from_then_on() -> None:
    terminal = Terminal()
    terminal.order(quantity="0.3")
    terminal.instruments[SYMBOL] = contract(step_size=D(1), min_quantity=D(1))
    assert terminal.order_code(quantity="0.3") == -4004


def test_a_symbol_without_brackets_is_unknown_here() -> None:
    assert Terminal(instruments={SYMBOL: contract(brackets=())}).order_code() == -1121
