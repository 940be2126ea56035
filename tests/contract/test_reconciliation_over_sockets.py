"""What a whole trader makes of an account that is not its alone, seen from the exchange's side."""

from decimal import Decimal
from pathlib import Path

import pytest

from core.positions import Stage
from exchange.sim.server.faults.catalogue import RestFault
from exchange.sim.server.faults.plan import Rule
from tests.contract.trader_rig import life, venue

MANUAL = Decimal(1000)  # USDT
CENT = Decimal("0.01")


@pytest.mark.fault(48)
async def test_positions_and_orders_of_others_are_told_and_never_touched(tmp_path: Path) -> None:
    async with venue(tmp_path) as at:
        theirs = at.symbols[0]
        await at.somebody.trades(theirs, "BUY", MANUAL, price=at.mark(theirs))
        await at.somebody.rests_a_stop(theirs, price=at.mark(theirs) * Decimal("0.8"), order_id="app-1")
        before = at.held(theirs)
        async with life(at) as trader:
            await trader.until(lambda: {"foreign_position", "foreign_order"} <= set(trader.ear.keys))
            trader.wish.symbol = theirs
            await trader.opens(at.symbols[1])
            assert theirs not in trader.positions
        assert at.held(theirs) == before
        assert [
            each.client_id for each in at.account.open_conditionals.values() if each.symbol == theirs
        ] == ["app-1"]
        assert len([each for each in at.account.orders.values() if each.symbol == theirs]) == 1


@pytest.mark.fault(48)
async def test_a_symbol_that_somebody_else_trades_too_is_frozen_under_its_stop(tmp_path: Path) -> None:
    async with venue(tmp_path) as at, life(at) as trader:
        symbol = at.symbols[1]
        opened = await trader.opens(symbol)
        assert opened.stop
        await at.somebody.trades(symbol, "BUY", MANUAL, price=at.mark(symbol))
        await trader.until(lambda: trader.positions[symbol].stage is Stage.FROZEN)
        await trader.until(lambda: "position_frozen" in trader.ear.keys)
        sent = len(at.account.orders)
        resting = {each.client_id for each in at.account.open_conditionals.values()}
        assert opened.stop.client_order_id in resting
        minute = at.simulator.market.minute_ms
        await trader.until(lambda: at.simulator.market.minute_ms >= minute + 2 * 60_000)
        assert trader.positions[symbol].stage is Stage.FROZEN
        assert len(at.account.orders) == sent, "nothing is opened, closed or fixed"
        assert {each.client_id for each in at.account.open_conditionals.values()} == resting


@pytest.mark.fault(49)
async def test_a_second_bot_on_the_account_halts_entries(tmp_path: Path) -> None:
    async with venue(tmp_path) as at:
        symbol = at.symbols[2]
        await at.somebody.trades(symbol, "BUY", MANUAL, price=at.mark(symbol))
        stop = at.strangers_stop()
        await at.somebody.rests_a_stop(symbol, price=at.mark(symbol) * Decimal("0.8"), order_id=stop)
        async with life(at) as trader:
            await trader.until(lambda: trader.trader.view().halted == "second_bot")
            assert "second_bot" in trader.ear.keys
        assert [each.client_id for each in at.account.open_conditionals.values()] == [stop]
        async with life(at) as again:
            assert again.trader.view().halted == "second_bot"


@pytest.mark.fault(12)
async def test_a_revoked_key_halts_entries_is_told_again_and_spins_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.reconciler.BARRED_SECONDS", 2.0)
    async with venue(tmp_path) as at, life(at) as trader:
        await trader.opens(at.symbols[1])
        resting = set(at.account.open_conditionals)
        at.simulator.faults.add([Rule(fault=RestFault.KEY_REVOKED, rate=1.0)])
        await trader.until(lambda: trader.trader.view().halted == "not_allowed")
        await trader.until(lambda: "account_unreadable" in trader.ear.keys)  # an order may be refused first
        struck = len(at.simulator.faults.strikes)
        minute = at.simulator.market.minute_ms
        await trader.until(lambda: at.simulator.market.minute_ms >= minute + 2 * 60_000)
        assert len(at.simulator.faults.strikes) - struck <= 5, "in a second of the machine's"
        await trader.until(lambda: trader.ear.keys.count("account_unreadable") >= 2)
        assert trader.ear.keys.count("risk_halted") == 1
        assert set(at.account.open_conditionals) == resting


@pytest.mark.fault(18)
async def test_money_that_came_while_nobody_ran_is_no_gain_and_what_leaves_no_loss(tmp_path: Path) -> None:
    async with venue(tmp_path) as at:
        async with life(at) as first:
            await first.opens(at.symbols[1])
        at.moves_money("30000")
        async with life(at) as second:
            await second.until(lambda: "transferred" in second.ear.keys)
            state = second.trader.desk.state
            assert state.day_opening_equity > 39_000
            at.moves_money("-25000")
            await second.until(lambda: second.ear.keys.count("transferred") == 2)
            assert second.trader.view().halted == ""
            state, equity = second.trader.desk.state, second.trader.desk.equity
            assert equity is not None
            assert state.drawdown(equity) < CENT
            assert state.wallet.balance is not None
            assert abs(state.wallet.balance - at.account.wallet) < 5, "but for a fill on its way"
