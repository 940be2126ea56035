"""What an account shows of itself adds up, in every version of the API."""

from decimal import Decimal

from tests.builders_sim import MAIN, SYMBOL, Terminal

D = Decimal


def _mixed() -> Terminal:
    """An isolated long, a cross short and a resting order."""
    terminal = Terminal("ABCUSDT", "XYZUSDT")
    terminal.ask("POST", "marginType", symbol=SYMBOL, marginType="ISOLATED")
    terminal.order(quantity="10")
    terminal.order("SELL", "5", symbol="XYZUSDT")
    terminal.order(quantity="2", price="95")
    terminal.quotes.move("103")
    terminal.quotes.move("98", symbol="XYZUSDT")
    return terminal


def test_version_two_and_three_tell_the_same_sums() -> None:
    terminal = _mixed()
    two, three = terminal.ask("GET", "/fapi/v2/account"), terminal.ask("GET", "/fapi/v3/account")
    sums = {name: value for name, value in three.items() if name.startswith("total")}
    assert sums
    assert {name: two[name] for name in sums} == sums
    assert two["availableBalance"] == three["availableBalance"] != "0.00000000"
    for asset in (two["assets"][0], three["assets"][0]):
        assert asset["availableBalance"] == three["availableBalance"]
        assert asset["initialMargin"] == three["totalInitialMargin"]
        assert asset["marginBalance"] == three["totalMarginBalance"]


def test_margin_balance_is_wallet_plus_unrealised_profit() -> None:
    account = _mixed().ask("GET", "/fapi/v3/account")
    wallet, profit = D(account["totalWalletBalance"]), D(account["totalUnrealizedProfit"])
    assert D(account["totalMarginBalance"]) == wallet + profit
    assert profit == D("29.9") + D("9.95")


def test_the_positions_sum_up_to_the_account() -> None:
    terminal = _mixed()
    account, rows = terminal.ask("GET", "/fapi/v3/account"), terminal.ask("GET", "/fapi/v3/positionRisk")
    assert sum(D(row["unRealizedProfit"]) for row in rows) == D(account["totalUnrealizedProfit"])
    assert sum(D(row["maintMargin"]) for row in rows) == D(account["totalMaintMargin"])
    assert sum(D(row["initialMargin"]) for row in rows) == D(account["totalInitialMargin"])


def test_a_cross_position_shows_a_bare_zero_as_isolated_margin() -> None:
    """binance.md trap 13: clients tell the margin type by it."""
    rows = {row["symbol"]: row for row in _mixed().ask("GET", "/fapi/v3/positionRisk")}
    assert rows["XYZUSDT"]["isolatedMargin"] == "0"
    assert D(rows["ABCUSDT"]["isolatedMargin"]) > 0


def test_version_three_lists_live_symbols_and_version_two_all() -> None:
    terminal = Terminal("ABCUSDT", "XYZUSDT")
    terminal.order()
    assert len(terminal.ask("GET", "/fapi/v3/positionRisk")) == 1
    assert len(terminal.ask("GET", "/fapi/v2/positionRisk")) == 2
    assert len(terminal.ask("GET", "/fapi/v2/positionRisk", symbol="XYZUSDT")) == 1


def test_the_balance_agrees_with_the_account() -> None:
    terminal = _mixed()
    row, account = terminal.ask("GET", "/fapi/v3/balance")[0], terminal.ask("GET", "/fapi/v3/account")
    assert (row["asset"], row["balance"]) == ("USDT", account["totalWalletBalance"])
    assert row["availableBalance"] == account["availableBalance"]
    assert D(row["maxWithdrawAmount"]) == D(row["availableBalance"]) - D("9.95")


def test_available_is_never_shown_below_zero() -> None:
    terminal = Terminal(deposit="60")
    terminal.order(quantity="11")
    terminal.quotes.move("96")
    assert terminal.ask("GET", "/fapi/v3/account")["availableBalance"] == "0.00000000"


def test_income_explains_the_wallet() -> None:
    terminal = _mixed()
    terminal.order("SELL", "4")
    rows = terminal.ask("GET", "income")
    wallet = D(terminal.ask("GET", "/fapi/v3/account")["totalWalletBalance"])
    assert sum(D(row["income"]) for row in rows) == wallet
    assert {row["incomeType"] for row in rows} == {"TRANSFER", "REALIZED_PNL", "COMMISSION"}
    only = terminal.ask("GET", "income", symbol=SYMBOL, incomeType="COMMISSION", limit=1)
    assert [row["symbol"] for row in only] == [SYMBOL]


def test_income_names_the_trade_it_came_from() -> None:
    terminal = Terminal()
    terminal.order()
    transfer, fee = terminal.ask("GET", "income")
    trade = terminal.ask("GET", "userTrades", symbol=SYMBOL)[0]
    assert (transfer["tradeId"], fee["tradeId"]) == ("", str(trade["id"]))
    assert fee["income"] == f"-{trade['commission']}"


def test_income_pages_forward() -> None:
    terminal = Terminal()
    for _ in range(5):
        terminal.order()
    pages = [terminal.ask("GET", "income", page=page, limit=2) for page in (1, 2, 3, 4)]
    assert [len(page) for page in pages] == [2, 2, 2, 0]
    assert len({row["tranId"] for page in pages for row in page}) == 6


def test_the_commission_rate_is_what_trades_pay() -> None:
    terminal = Terminal()
    rate = D(terminal.ask("GET", "commissionRate", symbol=SYMBOL)["takerCommissionRate"])
    terminal.order(quantity="3")
    trade = terminal.ask("GET", "userTrades", symbol=SYMBOL)[0]
    assert D(trade["commission"]) == D(trade["quoteQty"]) * rate


def test_brackets_are_numbers_in_binances_order() -> None:
    rows = Terminal().ask("GET", "leverageBracket", symbol=SYMBOL)[0]["brackets"]
    assert [row["initialLeverage"] for row in rows] == [50, 20, 10]
    assert rows[1] == {
        "bracket": 2,
        "initialLeverage": 20,
        "notionalCap": 20_000,
        "notionalFloor": 5_000,
        "maintMarginRatio": 0.025,
        "cum": 75,
    }


def test_modes_and_settings_read_back_what_was_set() -> None:
    terminal = Terminal()
    terminal.ask("POST", "leverage", symbol=SYMBOL, leverage=7)
    terminal.ask("POST", "marginType", symbol=SYMBOL, marginType="ISOLATED")
    terminal.ask("POST", "positionSide/dual", dualSidePosition=True)
    terminal.ask("POST", "feeBurn", feeBurn=True)
    row = terminal.ask("GET", "symbolConfig", symbol=SYMBOL)[0]
    assert (row["leverage"], row["marginType"]) == (7, "ISOLATED")
    assert terminal.ask("GET", "accountConfig")["dualSidePosition"] is True
    assert terminal.ask("GET", "feeBurn") == {"feeBurn": True}


def test_the_key_can_trade_and_never_withdraw() -> None:
    answer = Terminal().ask("GET", "/sapi/v1/account/apiRestrictions")
    assert (answer["enableFutures"], answer["enableWithdrawals"], answer["ipRestrict"]) == (True, False, True)


def test_the_adl_queue_lists_held_symbols() -> None:
    terminal = Terminal()
    assert terminal.ask("GET", "adlQuantile") == []
    terminal.order()
    row = terminal.ask("GET", "adlQuantile", symbol=SYMBOL)
    assert row["adlQuantile"] == {"LONG": 0, "SHORT": 0, "BOTH": 0}
    assert terminal.ask("GET", "symbolAdlRisk", symbol=SYMBOL)["adlRisk"] == "low"


def test_an_unknown_account_is_a_fault_and_not_a_refusal() -> None:
    assert Terminal().venue.account(MAIN).name == MAIN
