"""Conditional orders: when they trigger, what they become, and what ends them."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.sim.venue.conditionals import AlgoStatus, ConditionalOrder, ConditionalRequest
from exchange.sim.venue.terms import OrderType, Side
from tests.builders_sim import SYMBOL, Terminal, contract

D = Decimal


def _long(**facts: Any) -> Terminal:
    terminal = Terminal(**facts)
    terminal.order(quantity="2")
    terminal.events()
    return terminal


def _algo(terminal: Terminal, order: dict[str, Any]) -> Any:
    return terminal.ask("GET", "algoOrder", algoId=order["algoId"])


def _status(terminal: Terminal, order: dict[str, Any]) -> Any:
    return _algo(terminal, order)["algoStatus"]


def _states(events: list[Any]) -> list[str]:
    return [event["o"]["X"] for event in events if event["e"] == "ALGO_UPDATE"]


@pytest.mark.parametrize(
    ("kind", "side", "trigger", "short_of", "at"),
    [
        ("STOP_MARKET", "SELL", "95", "95.01", "95"),  # binance.md §2.7
        ("STOP_MARKET", "BUY", "105", "104.99", "105"),
        ("TAKE_PROFIT_MARKET", "SELL", "105", "104.99", "105"),
        ("TAKE_PROFIT_MARKET", "BUY", "95", "95.01", "95"),
    ],
)
def test_an_order_triggers_at_its_price_and_not_before(
    kind: str, side: str, trigger: str, short_of: str, at: str
) -> None:
    terminal = Terminal()
    order = terminal.stop(trigger, side, type=kind, quantity="1")
    terminal.step(short_of)
    assert _status(terminal, order) == "NEW"
    terminal.step(at)
    assert _status(terminal, order) == "FINISHED"
    assert abs(terminal.held()) == 1


def test_a_triggered_stop_becomes_an_order_of_its_own() -> None:
    terminal = _long()
    stop = terminal.stop("95", clientAlgoId="sl-1")
    terminal.events()
    events = terminal.step("94.9")
    assert [event["e"] for event in events] == [
        "ALGO_UPDATE",
        "ORDER_TRADE_UPDATE",
        "ALGO_UPDATE",
        "TRADE_LITE",
        "ACCOUNT_UPDATE",
        "ORDER_TRADE_UPDATE",
        "ALGO_UPDATE",
    ]
    assert _states(events) == ["TRIGGERING", "TRIGGERED", "FINISHED"]
    finished, filled = events[-1]["o"], events[-2]["o"]
    assert (finished["ai"], finished["aq"], finished["ap"]) == (str(filled["i"]), "2", "94.89")
    assert (filled["o"], filled["ot"], filled["sp"], filled["cp"]) == ("MARKET", "STOP_MARKET", "95", True)
    details = _algo(terminal, stop)
    assert (details["actualOrderId"], details["actualPrice"]) == (str(filled["i"]), "94.89")
    assert details["triggerTime"] == terminal.now_ms
    regular = terminal.ask("GET", "order", symbol=SYMBOL, orderId=filled["i"])
    assert (regular["origType"], regular["type"], regular["status"]) == ("STOP_MARKET", "MARKET", "FILLED")


def test_the_mark_price_is_cut_to_the_price_precision_before_it_is_compared() -> None:
    """binance.md §2.7: a mark of 95.009 counts as 95.00."""
    terminal = _long()
    stop = terminal.stop("95")
    terminal.step("96", mark="95.0101")
    assert _status(terminal, stop) == "NEW"
    terminal.step("96", mark="95.0099")
    assert _status(terminal, stop) == "FINISHED"


def test_the_mark_is_cut_and_not_rounded_for_a_rising_trigger_too() -> None:
    terminal = _long()
    target = terminal.stop("105", type="TAKE_PROFIT_MARKET")
    terminal.step("104", mark="104.9999")
    assert _status(terminal, target) == "NEW"


def test_a_contract_price_order_ignores_the_mark() -> None:
    terminal = _long()
    stop = terminal.stop("95", workingType="CONTRACT_PRICE")
    terminal.step("95.5", mark="94")
    assert _status(terminal, stop) == "NEW"
    terminal.step("95", mark="97")
    assert _status(terminal, stop) == "FINISHED"


def test_the_contract_price_is_the_default() -> None:
    terminal = _long()
    assert terminal.stop("95", workingType=None)["workingType"] == "CONTRACT_PRICE"


@pytest.mark.parametrize(
    ("kind", "side", "trigger"),
    [
        ("STOP_MARKET", "SELL", "100"),
        ("STOP_MARKET", "BUY", "100"),
        ("TAKE_PROFIT_MARKET", "SELL", "99"),
        ("TAKE_PROFIT_MARKET", "BUY", "101"),
    ],
)
def test_an_order_already_past_its_trigger_is_refused(kind: str, side: str, trigger: str) -> None:
    assert Terminal().stop_code(trigger, side, type=kind, quantity="1") == -2021


def test_price_protection_holds_a_trigger_back_while_mark_and_last_disagree() -> None:
    terminal = _long()
    guarded = terminal.stop("95", priceProtect=True)
    terminal.step("85", mark="94.9")
    assert _status(terminal, guarded) == "NEW"
    terminal.step("94", mark="94.9")
    assert _status(terminal, guarded) == "FINISHED"


def test_without_price_protection_the_same_gap_triggers() -> None:
    terminal = _long()
    stop = terminal.stop("95")
    terminal.step("91", mark="94.9")
    assert _status(terminal, stop) == "FINISHED"


def test_the_protection_bound_is_the_contracts_own() -> None:
    terminal = _long(instruments={SYMBOL: contract(trigger_protect=D("0.0005"))})
    guarded = terminal.stop("95", priceProtect=True)
    terminal.step("94.8", mark="94.9")
    assert _status(terminal, guarded) == "NEW"


def test_close_position_closes_whatever_is_held_at_the_trigger() -> None:
    terminal = _long()
    terminal.stop("95")
    terminal.order(quantity="3")
    terminal.step("95")
    assert terminal.held() == 0


def test_close_position_may_exceed_the_market_lot_size() -> None:
    """A close-all can not be refused for its size; not documented."""
    terminal = Terminal(deposit="1000000")
    terminal.ask("POST", "leverage", symbol=SYMBOL, leverage=10)
    terminal.order(quantity="400")
    terminal.order(quantity="400")
    terminal.stop("98")
    terminal.step("98")
    assert terminal.held() == 0


def test_the_sibling_expires_when_the_position_is_gone() -> None:
    terminal = _long()
    terminal.stop("95")
    target = terminal.stop("110", type="TAKE_PROFIT_MARKET")
    terminal.step("94")
    assert _status(terminal, target) == "EXPIRED"  # binance.md §2.3, §2.7
    assert terminal.ask("GET", "openAlgoOrders") == []


def test_closing_by_hand_expires_close_position_orders_but_not_merely_reduce_only_ones() -> None:
    terminal = _long()
    closing = terminal.stop("95")
    orphan = terminal.stop("96", quantity="2", reduceOnly=True)
    terminal.order("SELL", "2")
    assert (_status(terminal, closing), _status(terminal, orphan)) == ("EXPIRED", "NEW")


def test_an_orphaned_reduce_only_stop_is_rejected_when_it_triggers() -> None:
    terminal = _long()
    orphan = terminal.stop("96", quantity="2", reduceOnly=True)
    terminal.order("SELL", "2")
    terminal.events()
    events = terminal.step("95.9")
    assert _states(events) == ["TRIGGERING", "REJECTED"]
    assert events[-1]["o"]["rm"] == "Reduce Only reject"
    assert (_status(terminal, orphan), terminal.held()) == ("REJECTED", 0)


def test_a_tighter_reduce_only_stop_stands_beside_the_close_position_stop() -> None:
    """strategy.md §9 needs this; Binance does not say that it may not be."""
    terminal = _long()
    terminal.stop("95")
    terminal.stop("97", quantity="2", reduceOnly=True)
    terminal.step("96.5")
    assert terminal.held() == 0
    assert terminal.ask("GET", "openAlgoOrders") == []


def test_margin_is_checked_at_the_trigger_and_not_before() -> None:
    terminal = Terminal(deposit="100")
    order = terminal.stop("105", "BUY", quantity="100")
    terminal.events()
    events = terminal.step("105")
    assert _states(events) == ["TRIGGERING", "REJECTED"]
    assert events[-1]["o"]["rm"] == "Margin is insufficient."
    assert _status(terminal, order) == "REJECTED"


def test_an_order_at_the_same_trigger_as_its_sibling_finds_nothing_left() -> None:
    """faults.md 39: both trigger in one step; the second is refused, the position stays flat."""
    terminal = _long()
    terminal.stop("95", quantity="2", reduceOnly=True)
    second = terminal.stop("95", quantity="2", reduceOnly=True)
    terminal.step("94")
    assert (_status(terminal, second), terminal.held()) == ("REJECTED", 0)


def test_a_second_close_position_stop_in_the_same_direction_is_refused() -> None:
    terminal = _long()
    terminal.stop("95")
    assert terminal.stop_code("94") == -4130
    assert terminal.stop("110", type="TAKE_PROFIT_MARKET")["algoStatus"] == "NEW"
    assert terminal.stop_code("111", type="TAKE_PROFIT_MARKET") == -4130


def test_a_cancelled_close_position_stop_makes_room_for_the_next() -> None:
    terminal = _long()
    stop = terminal.stop("95")
    answer = terminal.ask("DELETE", "algoOrder", algoId=stop["algoId"])
    assert (answer["code"], answer["msg"]) == ("200", "success")
    assert terminal.stop("94")["algoStatus"] == "NEW"


def test_close_position_needs_a_position_in_the_right_direction() -> None:
    assert Terminal().stop_code("95") == -4509
    terminal = _long()
    assert terminal.stop_code("105", "BUY") == -4509


def test_close_position_takes_no_quantity_no_reduce_only_and_no_limit_price() -> None:
    terminal = _long()
    assert terminal.stop_code("95", closePosition=True, quantity="1") == -4137
    refusal = terminal.refusal(
        "POST",
        "algoOrder",
        symbol=SYMBOL,
        side="SELL",
        algoType="CONDITIONAL",
        type="STOP_MARKET",
        triggerPrice="95",
        closePosition=True,
        reduceOnly=True,
    )
    assert (refusal.code, refusal.message) == (-1106, "Parameter 'reduceonly' sent when not required.")
    assert terminal.stop_code("95", type="STOP", price="95") == -4136


def test_a_gte_order_lives_and_dies_with_the_position() -> None:
    terminal = _long()
    order = terminal.stop("95", quantity="1", reduceOnly=True, timeInForce="GTE_GTC")
    terminal.order("SELL", "1")
    assert _status(terminal, order) == "NEW"
    terminal.order("SELL", "1")
    assert _status(terminal, order) == "EXPIRED"
    assert terminal.stop_code("95", quantity="1", reduceOnly=True, timeInForce="GTE_GTC") == -4509


def test_two_hundred_conditional_orders_are_all_there_can_be_across_symbols() -> None:
    terminal = Terminal("ABCUSDT", "XYZUSDT")
    for index in range(200):
        terminal.stop("90", quantity="1", symbol=("ABCUSDT", "XYZUSDT")[index % 2])
    assert terminal.stop_code("90", quantity="1") == -4045  # binance.md §2.5
    first = terminal.ask("GET", "openAlgoOrders")[0]
    terminal.ask("DELETE", "algoOrder", algoId=first["algoId"])
    assert terminal.stop("90", quantity="1")["algoStatus"] == "NEW"


def test_a_stop_limit_rests_at_its_price_after_the_trigger() -> None:
    terminal = _long()
    stop = terminal.stop("95", type="STOP", price="96", quantity="2", reduceOnly=True)
    events = terminal.step("94")
    assert _states(events) == ["NEW", "TRIGGERING", "TRIGGERED"]
    resting = terminal.ask("GET", "openOrders")[0]
    assert (resting["type"], resting["origType"], resting["price"]) == ("LIMIT", "STOP", "96")
    assert terminal.held() == 2
    assert _states(terminal.step("96.5")) == ["FINISHED"]
    assert (_status(terminal, stop), terminal.held()) == ("FINISHED", 0)


def test_cancelling_the_order_a_stop_became_finishes_the_stop_unfilled() -> None:
    terminal = _long()
    stop = terminal.stop("95", type="STOP", price="96", quantity="2", reduceOnly=True)
    terminal.step("94")
    terminal.ask("DELETE", "order", symbol=SYMBOL, orderId=_algo(terminal, stop)["actualOrderId"])
    details = _algo(terminal, stop)
    assert (details["algoStatus"], details["actualQty"]) == ("FINISHED", "0")


@pytest.mark.parametrize(("side", "price", "code"), [("BUY", "110.26", -4183), ("SELL", "90.24", -4184)])
def test_a_stop_limit_price_must_stay_near_its_trigger(side: str, price: str, code: int) -> None:
    trigger = "105" if side == "BUY" else "95"
    assert Terminal().stop_code(trigger, side, type="STOP", price=price, quantity="1") == code


def test_a_trailing_sell_follows_the_high_and_fires_on_the_pullback() -> None:
    terminal = _long()
    trailing = terminal.stop(
        None,  # type: ignore[arg-type] # a trailing stop has no trigger price
        type="TRAILING_STOP_MARKET",
        callbackRate="1",
        quantity="2",
        reduceOnly=True,
    )
    for price in ("103", "110", "108.91"):
        terminal.step(price)
        assert _status(terminal, trailing) == "NEW"
    terminal.step("108.90")  # 110 × 0.99
    assert (_status(terminal, trailing), terminal.held()) == ("FINISHED", 0)


def test_a_trailing_buy_waits_for_its_activation_price() -> None:
    terminal = Terminal()
    trailing = terminal.stop(
        None,  # type: ignore[arg-type] # a trailing stop has no trigger price
        "BUY",
        type="TRAILING_STOP_MARKET",
        callbackRate="2",
        activatePrice="95",
        quantity="1",
    )
    for price in ("97", "99", "95", "94", "95.87"):
        terminal.step(price)
        assert _status(terminal, trailing) == "NEW"
    terminal.step("95.88")  # 94 × 1.02
    assert (_status(terminal, trailing), terminal.held()) == ("FINISHED", 1)


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"activatePrice": "100"}, -2021),  # a sell activates above the price
        ({"side": "BUY", "activatePrice": "100"}, -2021),
        ({"activatePrice": "101", "callbackRate": "0.09"}, -1130),
        ({"activatePrice": "101", "callbackRate": "10.1"}, -1130),
        ({"activatePrice": "101.001"}, -1111),
        ({"callbackRate": None}, -1102),
        ({"closePosition": True, "quantity": None}, -4136),
    ],
)
def test_a_malformed_trailing_stop_is_refused(params: dict[str, Any], code: int) -> None:
    terminal = _long()
    wanted = {"type": "TRAILING_STOP_MARKET", "callbackRate": "1", "quantity": "1"} | params
    assert terminal.stop_code(None, **wanted) == code  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"triggerPrice": "0"}, -4006),
        ({"triggerPrice": "95.001"}, -1111),
        ({"triggerPrice": None}, -1102),
        ({"quantity": "0"}, -4003),
        ({"quantity": "501"}, -4005),
        ({"quantity": None, "closePosition": None}, -1102),
        ({"algoType": "VP"}, -1130),
        ({"algoType": None}, -1102),
        ({"type": "MARKET"}, -1116),
        ({"type": "LIMIT"}, -1116),
        ({"type": "LIQUIDATION"}, -1116),
        ({"workingType": "INDEX"}, -4031),
        ({"timeInForce": "XYZ"}, -1115),
        ({"priceProtect": "maybe"}, -1130),
        ({"symbol": "NONEUSDT"}, -1121),
    ],
)
def test_a_malformed_conditional_order_is_refused(params: dict[str, Any], code: int) -> None:
    assert Terminal().stop_code("95", **{"quantity": "1"} | params) == code


def test_the_official_spelling_of_true_is_understood() -> None:
    terminal = _long()
    stop = terminal.stop("95", closePosition="TRUE", priceProtect="TRUE")
    assert (stop["closePosition"], stop["priceProtect"]) == (True, True)


def test_a_small_conditional_order_must_reach_the_minimum_notional_unless_it_reduces() -> None:
    terminal = _long(instruments={SYMBOL: contract(min_notional=D(30))})
    assert terminal.stop_code("95", quantity="0.1") == -4164
    assert terminal.stop("95", quantity="0.1", reduceOnly=True)["algoStatus"] == "NEW"


def test_a_client_id_is_unique_among_open_conditional_orders() -> None:
    terminal = _long()
    stop = terminal.stop("95", quantity="1", clientAlgoId="sl")
    assert terminal.stop_code("94", quantity="1", clientAlgoId="sl") == -4116
    terminal.ask("DELETE", "algoOrder", clientAlgoId="sl")
    again = terminal.stop("94", quantity="1", clientAlgoId="sl")
    assert terminal.ask("GET", "algoOrder", clientAlgoId="sl")["algoId"] == again["algoId"] != stop["algoId"]


def test_an_unknown_conditional_order_is_not_found() -> None:
    terminal = Terminal()
    assert terminal.refusal("GET", "algoOrder", algoId=1).code == -2013
    assert terminal.refusal("DELETE", "algoOrder", clientAlgoId="x").code == -2011
    assert terminal.refusal("DELETE", "algoOrder").code == -1102


def test_a_finished_order_can_not_be_cancelled() -> None:
    terminal = _long()
    stop = terminal.stop("95")
    terminal.step("94")
    assert terminal.refusal("DELETE", "algoOrder", algoId=stop["algoId"]).code == -2011


def test_a_stuck_trigger_protects_nothing_and_can_not_be_cancelled() -> None:
    """binance.md trap 14, as seen on Binance's demo."""
    terminal = _long()
    stop = terminal.stop("95")
    terminal.venue.floor.triggers_stuck = True
    terminal.step("94")
    terminal.step("90")
    assert (_status(terminal, stop), terminal.held()) == ("TRIGGERING", 2)
    assert terminal.refusal("DELETE", "algoOrder", algoId=stop["algoId"]).code == -2011
    terminal.venue.floor.triggers_stuck = False
    terminal.step("91")
    assert (_status(terminal, stop), terminal.held()) == ("FINISHED", 0)


def test_a_position_closed_by_hand_leaves_a_stuck_trigger_to_be_rejected() -> None:
    terminal = _long()
    stop = terminal.stop("95")
    terminal.venue.floor.triggers_stuck = True
    terminal.step("94")
    terminal.order("SELL", "2", reduceOnly=True)
    terminal.venue.floor.triggers_stuck = False
    terminal.step("94")
    assert (_status(terminal, stop), terminal.held()) == ("REJECTED", 0)


def test_cancelling_all_conditional_orders_touches_one_symbol_and_no_regular_order() -> None:
    terminal = Terminal("ABCUSDT", "XYZUSDT")
    terminal.order(price="90")
    terminal.stop("90", quantity="1")
    terminal.stop("90", quantity="1", symbol="XYZUSDT")
    terminal.ask("DELETE", "algoOpenOrders", symbol=SYMBOL)
    assert [one["symbol"] for one in terminal.ask("GET", "openAlgoOrders")] == ["XYZUSDT"]
    assert len(terminal.ask("GET", "openOrders")) == 1


def test_a_good_till_date_expires_a_conditional_order() -> None:
    terminal = Terminal()
    until = terminal.now_ms // 1000 * 1000 + 700_000
    order = terminal.stop("90", quantity="1", timeInForce="GTD", goodTillDate=until)
    terminal.now_ms = until - 1_000
    terminal.step()
    assert _status(terminal, order) == "EXPIRED"


def test_all_conditional_orders_of_a_symbol_can_be_listed() -> None:
    terminal = Terminal()
    ids = [terminal.stop("90", quantity="1")["algoId"] for _ in range(3)]
    terminal.ask("DELETE", "algoOrder", algoId=ids[0])
    listed = terminal.ask("GET", "allAlgoOrders", symbol=SYMBOL)
    assert [one["algoId"] for one in listed] == ids
    assert [
        one["algoId"] for one in terminal.ask("GET", "allAlgoOrders", symbol=SYMBOL, algoId=ids[1])
    ] == ids[1:]
    assert [one["algoId"] for one in terminal.ask("GET", "openAlgoOrders", symbol=SYMBOL)] == ids[1:]


@given(st.lists(st.sampled_from(list(AlgoStatus)), max_size=6))
def test_an_ended_conditional_order_never_changes_again(path: list[AlgoStatus]) -> None:
    request = ConditionalRequest(symbol=SYMBOL, side=Side.SELL, type=OrderType.STOP_MARKET)
    order = ConditionalOrder(algo_id=1, client_id="a", request=request, created_ms=0, updated_ms=0)
    ended = {AlgoStatus.FINISHED, AlgoStatus.CANCELED, AlgoStatus.EXPIRED, AlgoStatus.REJECTED}
    for status in path:
        before = order.status
        try:
            order.become(status, 1)
        except ValueError:
            assert order.status is before
        else:
            assert before not in ended
