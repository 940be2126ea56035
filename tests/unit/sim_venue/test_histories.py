"""How far back the venue remembers: faults.md row 18, and Binance's pages of allOrders and userTrades."""

import pytest

from core.market import DAY_MS
from tests.builders_sim import SYMBOL, Terminal

NOW_MS = 200 * DAY_MS


def aged(days: int, **order: str) -> tuple[Terminal, int]:
    """Return a terminal and the id of an order placed so many days ago, cancelled if it did not fill."""
    terminal = Terminal()
    terminal.now_ms = NOW_MS - days * DAY_MS
    placed = terminal.order(**order)
    if placed["status"] == "NEW":
        terminal.ask("DELETE", "order", symbol=SYMBOL, orderId=placed["orderId"])
    terminal.now_ms = NOW_MS
    return terminal, placed["orderId"]


@pytest.mark.parametrize("days", [3, 4])
def test_an_order_without_a_fill_is_forgotten_after_three_days(days: int) -> None:
    terminal, order_id = aged(days, price="99")
    answer = terminal.attempt("GET", "order", symbol=SYMBOL, orderId=order_id)
    assert getattr(answer, "code", None) == (None if days == 3 else -2013)
    assert len(terminal.ask("GET", "allOrders", symbol=SYMBOL)) == (1 if days == 3 else 0)


@pytest.mark.parametrize("days", [90, 91])
def test_a_filled_order_is_forgotten_after_ninety_days(days: int) -> None:
    terminal, order_id = aged(days)
    answer = terminal.attempt("GET", "order", symbol=SYMBOL, orderId=order_id)
    assert getattr(answer, "code", None) == (None if days == 90 else -2013)


def test_an_open_order_is_never_forgotten() -> None:
    terminal = Terminal()
    order = terminal.order(price="99")
    terminal.now_ms = NOW_MS
    assert terminal.ask("GET", "order", symbol=SYMBOL, orderId=order["orderId"])["status"] == "NEW"


@pytest.mark.parametrize("path", ["allOrders", "userTrades"])
def test_a_history_shows_the_last_seven_days_unless_asked_for_others(path: str) -> None:
    terminal, order_id = aged(8)
    day = NOW_MS - 8 * DAY_MS
    assert terminal.ask("GET", path, symbol=SYMBOL) == []
    assert len(terminal.ask("GET", path, symbol=SYMBOL, startTime=day)) == 1
    assert len(terminal.ask("GET", path, symbol=SYMBOL, endTime=day)) == 1
    assert len(terminal.ask("GET", path, symbol=SYMBOL, orderId=order_id)) == 1


@pytest.mark.parametrize("path", ["allOrders", "userTrades", "allAlgoOrders"])
@pytest.mark.parametrize(("first", "last", "code"), [(8, 0, -4165), (91, 90, -4166)])
def test_a_window_too_long_or_too_old_is_refused(path: str, first: int, last: int, code: int) -> None:
    terminal = Terminal()
    terminal.now_ms = NOW_MS
    window = {"startTime": NOW_MS - first * DAY_MS, "endTime": NOW_MS - last * DAY_MS}
    assert terminal.refusal("GET", path, symbol=SYMBOL, **window).code == code
