"""Funding is paid at its time, on the mark price, by who holds a position then."""

from decimal import Decimal

from tests.builders_sim import HOUR_MS, SYMBOL, Terminal

D = Decimal
DUE = 8 * HOUR_MS


def _at_funding(terminal: Terminal) -> list[dict[str, object]]:
    """Step to just before the funding time, then across it."""
    terminal.now_ms = DUE - 2_000
    terminal.step()
    terminal.events()
    return terminal.step()


def test_a_long_pays_a_positive_rate_on_its_notional_at_the_mark() -> None:
    terminal = Terminal()
    terminal.order(quantity="10")
    terminal.quotes.move("101", mark="102")
    events = _at_funding(terminal)
    income = terminal.ask("GET", "income", incomeType="FUNDING_FEE")
    assert [one["income"] for one in income] == ["-0.10200000"]  # 1,020 × 0.01 %
    update = events[0]
    assert update["e"] == "ACCOUNT_UPDATE"


def test_a_short_receives_it() -> None:
    terminal = Terminal()
    terminal.order("SELL", "10")
    _at_funding(terminal)
    assert terminal.ask("GET", "income", incomeType="FUNDING_FEE")[0]["income"] == "0.10000000"


def test_a_negative_rate_turns_the_payment_round() -> None:
    terminal = Terminal()
    terminal.quotes.quotes[SYMBOL].funding_rate = D("-0.0005")
    terminal.order(quantity="10")
    _at_funding(terminal)
    assert terminal.ask("GET", "income", incomeType="FUNDING_FEE")[0]["income"] == "0.50000000"


def test_nothing_is_paid_before_the_time_and_once_at_it() -> None:
    terminal = Terminal()
    terminal.order(quantity="10")
    terminal.now_ms = DUE - 2_000
    terminal.step()
    assert terminal.ask("GET", "income", incomeType="FUNDING_FEE") == []
    terminal.step()
    terminal.quotes.quotes[SYMBOL].next_funding_ms = 2 * DUE
    terminal.step()
    terminal.step()
    assert len(terminal.ask("GET", "income", incomeType="FUNDING_FEE")) == 1


def test_a_market_that_has_already_rolled_over_does_not_hide_a_payment() -> None:
    terminal = Terminal()
    terminal.order(quantity="10")
    terminal.now_ms = DUE - 2_000
    terminal.step()
    quote = terminal.quotes.quotes[SYMBOL]
    quote.next_funding_ms, quote.funding_rate = 2 * DUE, D("0.009")
    terminal.step()
    assert terminal.ask("GET", "income", incomeType="FUNDING_FEE")[0]["income"] == "-0.10000000"


def test_a_position_closed_in_time_pays_nothing() -> None:
    terminal = Terminal()
    terminal.order(quantity="10")
    terminal.now_ms = DUE - 2_000
    terminal.step()
    terminal.order("SELL", "10")
    terminal.step()
    assert terminal.ask("GET", "income", incomeType="FUNDING_FEE") == []


def test_cross_funding_shows_the_balance_alone_and_isolated_funding_the_position_too() -> None:
    cross, isolated = Terminal(), Terminal()
    isolated.ask("POST", "marginType", symbol=SYMBOL, marginType="ISOLATED")
    for terminal in (cross, isolated):
        terminal.order(quantity="10")
    of_cross, of_isolated = (_at_funding(terminal)[0]["a"] for terminal in (cross, isolated))
    assert isinstance(of_cross, dict)
    assert isinstance(of_isolated, dict)
    assert (of_cross["m"], of_cross["P"], of_cross["B"][0]["bc"]) == ("FUNDING_FEE", [], "-0.10000000")
    assert of_isolated["P"][0]["iw"] == "49.90500000"  # 1,000.1 ÷ 20 − 0.1
    assert of_isolated["S"] == SYMBOL  # binance.md §2.3: since 2026-08
