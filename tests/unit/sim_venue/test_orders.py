"""Regular orders against the modelled book."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.sim.venue.matching import available, take
from exchange.sim.venue.orders import Order, OrderRequest, OrderStatus
from exchange.sim.venue.terms import OrderType, Side
from tests.builders_sim import SYMBOL, Terminal

D = Decimal


def _book(terminal: Terminal, side: Side, *levels: tuple[str, str]) -> None:
    terminal.quotes.quotes[SYMBOL].levels[side] = [(D(price), D(size)) for price, size in levels]


def _query(terminal: Terminal, order: dict[str, Any]) -> Any:
    return terminal.ask("GET", "order", symbol=SYMBOL, orderId=order["orderId"])


def test_a_market_order_pays_the_ask_and_the_taker_fee() -> None:
    terminal = Terminal()
    order = terminal.order(quantity="2")
    trade = terminal.ask("GET", "userTrades", symbol=SYMBOL)[0]
    assert (order["status"], trade["price"], trade["maker"]) == ("FILLED", "100.01", False)
    assert trade["commission"] == "0.10001000"  # binance.md §2.8: 0.05 %


def test_a_market_order_walks_down_the_book() -> None:
    terminal = Terminal()
    _book(terminal, Side.SELL, ("99.9", "1"), ("99.5", "2"), ("99", "5"))
    order = terminal.order("SELL", "4")
    assert _query(terminal, order)["avgPrice"] == "99.475"
    assert len(terminal.ask("GET", "userTrades", symbol=SYMBOL)) == 3


def test_a_market_order_takes_nothing_beyond_the_take_bound() -> None:
    """Binance's marketTakeBound; that the rest expires is not verified (binance.md §7)."""
    terminal = Terminal()
    _book(terminal, Side.BUY, ("100", "1"), ("105", "1"), ("105.01", "9"))
    order = terminal.order(quantity="4")
    assert (order["status"], order["executedQty"]) == ("EXPIRED", "2")
    assert terminal.held() == 2


def test_the_answer_to_an_order_names_no_average_price() -> None:
    """binance.md trap 2: absent since 2026-07."""
    terminal = Terminal()
    order = terminal.order()
    assert not {"avgPrice", "cumQuote"} & order.keys()
    details = _query(terminal, order)
    assert (details["avgPrice"], details["cumQuote"]) == ("100.01", "100.01")


def test_an_acknowledged_order_says_nothing_about_its_fills() -> None:
    terminal = Terminal()
    order = terminal.order(newOrderRespType="ACK")
    assert (order["status"], order["executedQty"]) == ("NEW", "0")
    assert terminal.held() == 1


def test_a_limit_order_rests_until_the_market_comes_through_its_price() -> None:
    terminal = Terminal()
    order = terminal.order(price="99")
    assert order["status"] == "NEW"
    terminal.step("99.01")
    assert _query(terminal, order)["status"] == "NEW"
    terminal.step("98.99")
    assert _query(terminal, order)["status"] == "FILLED"


def test_a_resting_order_fills_at_its_own_price_for_the_maker_fee() -> None:
    terminal = Terminal()
    terminal.order("SELL", price="101")
    terminal.step("103")
    trade = terminal.ask("GET", "userTrades", symbol=SYMBOL)[0]
    assert (trade["price"], trade["maker"], trade["commission"]) == ("101", True, "0.02020000")


def test_a_crossing_limit_order_takes_to_its_price_and_rests_with_the_remainder() -> None:
    terminal = Terminal()
    _book(terminal, Side.BUY, ("100", "1"), ("101", "1"), ("102", "5"))
    order = terminal.order(quantity="5", price="101")
    assert (order["status"], order["executedQty"]) == ("PARTIALLY_FILLED", "2")
    assert [each["orderId"] for each in terminal.ask("GET", "openOrders")] == [order["orderId"]]


def test_a_resting_order_fills_in_parts_as_far_as_the_book_goes() -> None:
    terminal = Terminal()
    order = terminal.order(quantity="5", price="99")
    terminal.quotes.move("98")
    terminal.quotes.quotes[SYMBOL].depth = D(2)
    terminal.step()
    assert _query(terminal, order)["executedQty"] == "2"
    terminal.step()
    terminal.step()
    assert _query(terminal, order)["status"] == "FILLED"


def test_immediate_or_cancel_expires_with_its_remainder() -> None:
    terminal = Terminal()
    _book(terminal, Side.BUY, ("100", "1"))
    order = terminal.order(quantity="3", price="100", timeInForce="IOC")
    assert (order["status"], order["executedQty"]) == ("EXPIRED", "1")


def test_fill_or_kill_fills_whole_or_is_refused() -> None:
    terminal = Terminal()
    _book(terminal, Side.BUY, ("100", "1"), ("100.5", "1"))
    assert terminal.order_code(quantity="3", price="101", timeInForce="FOK") == -5021
    assert terminal.order_code(quantity="2", price="100.4", timeInForce="FOK") == -5021
    assert terminal.order(quantity="2", price="100.5", timeInForce="FOK")["status"] == "FILLED"


def test_a_post_only_order_never_takes() -> None:
    terminal = Terminal()
    assert terminal.order_code(price="100.01", timeInForce="GTX") == -5022
    assert terminal.order_code("SELL", price="99.99", timeInForce="GTX") == -5022
    assert terminal.order(price="100", timeInForce="GTX")["status"] == "NEW"


def test_a_good_till_date_order_expires_at_its_date() -> None:
    terminal = Terminal()
    until = terminal.now_ms + 700_000
    order = terminal.order(price="90", timeInForce="GTD", goodTillDate=until)
    terminal.now_ms = until - 2_000
    terminal.step()
    assert _query(terminal, order)["status"] == "NEW"
    terminal.step()
    assert _query(terminal, order)["status"] == "EXPIRED"


@pytest.mark.parametrize("ahead_ms", [0, 600_000, 253_402_300_799_000])
def test_a_good_till_date_too_near_or_too_far_is_refused(ahead_ms: int) -> None:
    terminal = Terminal()
    until = terminal.now_ms + ahead_ms
    assert terminal.order_code(price="90", timeInForce="GTD", goodTillDate=until) == -5040


def test_an_order_is_cancelled_once() -> None:
    terminal = Terminal()
    order = terminal.order(price="90", newClientOrderId="mine")
    answer = terminal.ask("DELETE", "order", symbol=SYMBOL, origClientOrderId="mine")
    assert answer["status"] == "CANCELED"
    assert terminal.refusal("DELETE", "order", symbol=SYMBOL, orderId=order["orderId"]).code == -2011


def test_a_filled_order_can_not_be_cancelled() -> None:
    terminal = Terminal()
    order = terminal.order()
    assert terminal.refusal("DELETE", "order", symbol=SYMBOL, orderId=order["orderId"]).code == -2011


def test_an_unknown_order_can_not_be_queried() -> None:
    terminal = Terminal()
    assert terminal.refusal("GET", "order", symbol=SYMBOL, orderId=1).code == -2013
    assert terminal.refusal("GET", "openOrder", symbol=SYMBOL, origClientOrderId="x").code == -2013
    assert terminal.refusal("GET", "order", symbol=SYMBOL).code == -1102


def test_a_client_id_is_unique_among_open_orders_only() -> None:
    """style.md §4a: a filled order's id can be used again."""
    terminal = Terminal()
    terminal.order(newClientOrderId="again")
    resting = terminal.order(price="90", newClientOrderId="again")
    assert terminal.order_code(newClientOrderId="again") == -4116
    found = terminal.ask("GET", "order", symbol=SYMBOL, origClientOrderId="again")
    assert found["orderId"] == resting["orderId"]


def test_cancelling_all_leaves_other_symbols_and_conditional_orders() -> None:
    """binance.md §1.1: allOpenOrders does not touch the algo service."""
    terminal = Terminal("ABCUSDT", "XYZUSDT")
    terminal.order()
    terminal.stop("90")
    terminal.order(price="90")
    terminal.order(price="90", symbol="XYZUSDT")
    terminal.ask("DELETE", "allOpenOrders", symbol=SYMBOL)
    assert [each["symbol"] for each in terminal.ask("GET", "openOrders")] == ["XYZUSDT"]
    assert len(terminal.ask("GET", "openAlgoOrders")) == 1


def test_conditional_types_belong_to_the_algo_service() -> None:
    terminal = Terminal()
    for kind in ("STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"):
        assert terminal.order_code(type=kind, stopPrice="90") == -4120  # binance.md §2.6


def test_a_reduce_only_order_needs_a_position_to_reduce() -> None:
    terminal = Terminal()
    assert terminal.order_code("SELL", reduceOnly=True) == -2022
    terminal.order("BUY")
    assert terminal.order_code("BUY", reduceOnly=True) == -2022


def test_a_reduce_only_market_order_never_turns_the_position_around() -> None:
    terminal = Terminal()
    terminal.order(quantity="1")
    order = terminal.order("SELL", "5", reduceOnly=True)
    assert (order["status"], order["executedQty"]) == ("FILLED", "1")
    assert terminal.held() == 0


def test_a_resting_reduce_only_order_blocks_a_second_full_close() -> None:
    terminal = Terminal()
    terminal.order(quantity="2")
    terminal.order("SELL", "2", price="101", reduceOnly=True)
    assert terminal.order_code("SELL", "2", reduceOnly=True) == -4118  # binance.md trap 16


def test_a_resting_reduce_only_order_leaves_room_for_the_rest() -> None:
    terminal = Terminal()
    terminal.order(quantity="3")
    terminal.order("SELL", "2", price="101", reduceOnly=True)
    assert terminal.order("SELL", "1", reduceOnly=True)["status"] == "FILLED"


def test_resting_reduce_only_orders_expire_with_their_position() -> None:
    terminal = Terminal()
    terminal.order(quantity="2")
    resting = terminal.order("SELL", "1", price="101", reduceOnly=True)
    terminal.order("SELL", "2")
    assert _query(terminal, resting)["status"] == "EXPIRED"


def test_an_amended_order_keeps_its_id() -> None:
    terminal = Terminal()
    order = terminal.order(quantity="2", price="90")
    changed = terminal.ask(
        "PUT", "order", symbol=SYMBOL, side="BUY", orderId=order["orderId"], quantity=3, price=91
    )
    assert (changed["orderId"], changed["price"], changed["origQty"]) == (order["orderId"], "91", "3")
    update = terminal.events()[-1]["o"]
    assert (update["x"], update["X"]) == ("AMENDMENT", "NEW")
    history = terminal.ask("GET", "orderAmendment", symbol=SYMBOL)
    assert history[0]["amendment"]["price"] == {"before": "90", "after": "91"}


def test_an_order_amended_across_the_market_fills() -> None:
    terminal = Terminal()
    order = terminal.order(price="90")
    terminal.ask("PUT", "order", symbol=SYMBOL, side="BUY", orderId=order["orderId"], price=101, quantity=1)
    assert _query(terminal, order)["status"] == "FILLED"


def test_an_order_amended_below_its_fills_is_cancelled() -> None:
    terminal = Terminal()
    _book(terminal, Side.BUY, ("100", "2"))
    order = terminal.order(quantity="5", price="100")
    changed = terminal.ask(
        "PUT", "order", symbol=SYMBOL, side="BUY", orderId=order["orderId"], quantity=2, price=100
    )
    assert changed["status"] == "CANCELED"


def test_amending_nothing_or_the_impossible_is_refused() -> None:
    terminal = Terminal()
    order = terminal.order(price="90")
    same = {"symbol": SYMBOL, "side": "BUY", "orderId": order["orderId"]}
    assert terminal.refusal("PUT", "order", **same, quantity=1, price=90).code == -5027
    assert terminal.refusal("PUT", "order", **same, quantity="0", price=90).code == -4003
    assert terminal.refusal("PUT", "order", **same, quantity="0.01", price=90).code == -1111
    assert terminal.refusal("PUT", "order", **same, quantity=1, price="106").code == -4016
    assert _query(terminal, order)["price"] == "90"
    assert len(terminal.ask("GET", "openOrders")) == 1


def test_a_batch_answers_each_order_on_its_own() -> None:
    terminal = Terminal()
    good = '{"symbol":"ABCUSDT","side":"BUY","type":"MARKET","quantity":"1"}'
    bad = '{"symbol":"ABCUSDT","side":"BUY","type":"STOP_MARKET","quantity":"1"}'
    answers = terminal.ask("POST", "batchOrders", batchOrders=f"[{good},{bad},5]")
    assert answers[0]["symbol"] == SYMBOL
    assert [one.get("code") for one in answers] == [None, -4120, -1130]


@pytest.mark.parametrize(
    ("orders", "code"),
    [("[]", -4082), (f"[{','.join('{}' for _ in range(6))}]", -4082), ("{", -1130), ("7", -1130)],
)
def test_a_batch_holds_one_to_five_orders(orders: str, code: int) -> None:
    assert Terminal().refusal("POST", "batchOrders", batchOrders=orders).code == code


def test_a_batch_of_cancels_answers_each() -> None:
    terminal = Terminal()
    order = terminal.order(price="90")
    answers = terminal.ask("DELETE", "batchOrders", symbol=SYMBOL, orderIdList=f"[{order['orderId']},7]")
    assert answers[0]["status"] == "CANCELED"
    assert answers[1]["code"] == -2011


@pytest.mark.parametrize("listed", ['["a","b"]', "[a,b]"])
@pytest.mark.parametrize("name", ["origClientOrderIdList", "origclientorderidlist"])
def test_a_batch_of_cancels_may_name_client_ids(name: str, listed: str) -> None:
    terminal = Terminal()
    for own in ("a", "b"):
        terminal.order(price="90", newClientOrderId=own)
    terminal.ask("DELETE", "batchOrders", symbol=SYMBOL, **{name: listed})
    assert terminal.ask("GET", "openOrders") == []


def test_a_countdown_not_renewed_cancels_the_symbols_orders() -> None:
    terminal = Terminal()
    order = terminal.order(price="90")
    terminal.ask("POST", "countdownCancelAll", symbol=SYMBOL, countdownTime=5_000)
    terminal.step()
    assert _query(terminal, order)["status"] == "NEW"
    terminal.ask("POST", "countdownCancelAll", symbol=SYMBOL, countdownTime=0)
    terminal.now_ms += 60_000
    terminal.step()
    assert _query(terminal, order)["status"] == "NEW"
    terminal.ask("POST", "countdownCancelAll", symbol=SYMBOL, countdownTime=1_000)
    terminal.step()
    assert _query(terminal, order)["status"] == "CANCELED"


def test_a_test_order_is_checked_and_not_placed() -> None:
    terminal = Terminal()
    wanted = {"symbol": SYMBOL, "side": "BUY", "type": "MARKET"}
    assert terminal.ask("POST", "order/test", **wanted, quantity="1") == {}
    assert terminal.refusal("POST", "order/test", **wanted, quantity="0").code == -4003
    assert terminal.held() == 0


BOOK = [(Decimal(100) + Decimal(n) / 100, Decimal(5)) for n in range(1, 11)]


@pytest.mark.parametrize(
    ("side", "match", "price"),
    [("BUY", "OPPONENT", "100.01"), ("BUY", "OPPONENT_5", "100.05"), ("SELL", "QUEUE_10", "100.1")],
)
def test_a_price_match_takes_its_price_from_the_book(side: str, match: str, price: str) -> None:
    """Codes -5037, -5038 and -5041 are in Binance's table; what the levels mean is on the New Order page."""
    terminal = Terminal()
    terminal.quotes.quotes[SYMBOL].levels = {Side.BUY: BOOK}
    params = {"type": "LIMIT", "timeInForce": "GTC", "quantity": "1", "symbol": SYMBOL, "side": side}
    placed = terminal.ask("POST", "order", priceMatch=match, **params)
    assert (placed["price"], placed["priceMatch"]) == (price, match)


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"type": "LIMIT", "timeInForce": "GTC", "priceMatch": "OPPONENT_7"}, -5037),
        ({"type": "LIMIT", "timeInForce": "GTC", "priceMatch": "OPPONENT_20"}, -5041),
        ({"type": "LIMIT", "timeInForce": "GTC", "priceMatch": "QUEUE", "price": "100"}, -1106),
        ({"type": "MARKET", "priceMatch": "QUEUE"}, -5038),
    ],
)
def test_a_price_match_that_can_not_be_is_refused(wish: dict[str, str], code: int) -> None:
    refusal = Terminal().refusal("POST", "order", symbol=SYMBOL, side="BUY", quantity="1", **wish)
    assert refusal.code == code


def test_histories_page_by_id_and_time() -> None:
    terminal = Terminal()
    ids = []
    for _ in range(4):
        ids.append(terminal.order()["orderId"])
        terminal.now_ms += 10
    listed = terminal.ask("GET", "allOrders", symbol=SYMBOL, orderId=ids[1], limit=2)
    assert [one["orderId"] for one in listed] == ids[1:3]
    newest = terminal.ask("GET", "allOrders", symbol=SYMBOL, limit=2)
    assert [one["orderId"] for one in newest] == ids[2:]
    late = terminal.ask("GET", "userTrades", symbol=SYMBOL, startTime=1_010, endTime=1_020)
    assert [one["orderId"] for one in late] == ids[1:3]
    one = terminal.ask("GET", "userTrades", symbol=SYMBOL, orderId=ids[3])
    assert len(one) == 1
    assert terminal.refusal("GET", "allOrders", symbol=SYMBOL, startTime=5, endTime=4).code == -1023


def test_an_ended_order_never_changes_again() -> None:
    request = OrderRequest(symbol=SYMBOL, side=Side.BUY, type=OrderType.MARKET, quantity=D(1))
    order = Order(
        order_id=1, client_id="a", request=request, quantity=D(1), price=D(0), created_ms=0, updated_ms=0
    )
    order.become(OrderStatus.CANCELED, 1)
    with pytest.raises(ValueError, match="can not go from CANCELED to FILLED"):
        order.become(OrderStatus.FILLED, 2)


levels = st.lists(st.tuples(st.integers(1, 200), st.integers(1, 50)), max_size=8).map(
    lambda raw: sorted((D(price), D(size)) for price, size in raw)
)


@given(levels, st.integers(1, 300).map(Decimal), st.integers(1, 200).map(Decimal))
def test_a_taker_gets_no_more_than_it_wants_the_book_has_or_its_limit_allows(
    asks: list[tuple[Decimal, Decimal]], quantity: Decimal, limit: Decimal
) -> None:
    taken = list(take(asks, quantity, side=Side.BUY, limit=limit))
    total = sum((one.quantity for one in taken), D(0))
    assert total == min(quantity, available(asks, side=Side.BUY, limit=limit))
    assert all(one.price <= limit and one.quantity > 0 for one in taken)
    assert [one.price for one in taken] == sorted(one.price for one in taken)


def test_an_amendment_margins_only_what_is_still_to_be_filled() -> None:
    terminal = Terminal(deposit="100")
    _book(terminal, Side.BUY, ("100", "9"))
    order = terminal.order(quantity="10", price="100")
    same = {"symbol": SYMBOL, "side": "BUY", "orderId": order["orderId"], "price": "100"}
    assert terminal.refusal("PUT", "order", **same, quantity="21").code == -2019
    assert terminal.ask("PUT", "order", **same, quantity="18")["origQty"] == "18"


def test_windows_include_both_their_ends() -> None:
    terminal = Terminal()
    terminal.ask("POST", "marginType", symbol=SYMBOL, marginType="ISOLATED")
    terminal.order()
    terminal.stop("95")
    terminal.ask("POST", "positionMargin", symbol=SYMBOL, amount="1", type=1)
    order = terminal.order(price="90")
    terminal.ask("PUT", "order", symbol=SYMBOL, side="BUY", orderId=order["orderId"], price="91")
    for path in (
        *("allOrders", "userTrades", "income", "allAlgoOrders", "positionMargin/history", "orderAmendment"),
    ):
        at = terminal.now_ms
        assert terminal.ask("GET", path, symbol=SYMBOL, startTime=at, endTime=at), path
        assert not terminal.ask("GET", path, symbol=SYMBOL, startTime=at + 1), path
        assert not terminal.ask("GET", path, symbol=SYMBOL, startTime=1, endTime=at - 1), path


def test_a_batch_may_hold_one_order_or_five() -> None:
    one = '{"symbol":"ABCUSDT","side":"BUY","type":"MARKET","quantity":"1","reduceOnly":false}'
    for count in (1, 5):
        answers = Terminal().ask("POST", "batchOrders", batchOrders=f"[{','.join([one] * count)}]")
        assert [answer["status"] for answer in answers] == ["NEW"] * count


def test_a_client_id_may_have_thirty_six_characters() -> None:
    name = "A.b:/_-9" + "x" * 28
    assert Terminal().order(newClientOrderId=name)["clientOrderId"] == name


def test_ten_orders_can_be_cancelled_at_once() -> None:
    answers = Terminal().ask("DELETE", "batchOrders", symbol=SYMBOL, orderIdList=str(list(range(10))))
    assert [one["code"] for one in answers] == [-2011] * 10
