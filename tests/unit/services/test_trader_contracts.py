"""Contracts that come, go, and refuse: what the trader makes of them."""

from dataclasses import replace

import pytest

from core.instruments import InstrumentStatus
from core.market import MINUTE_MS
from core.notices import Alert, PositionEnded, SignalRefused
from core.parameters import Parameters
from core.positions import ExitReason, Source
from core.universe import UniverseRefreshed, compare
from data.candle_store import CandleStore
from services.refusals import BAN_MS
from services.risk_desk import RiskDesk
from tests.builders import T0
from tests.builders_trader import (
    AXIS,
    INSTRUMENTS,
    SYMBOLS,
    World,
    open_one,
)


def refreshed(world: World, symbol: str, status: InstrumentStatus) -> UniverseRefreshed:
    now = {**INSTRUMENTS, symbol: replace(INSTRUMENTS[symbol], status=status)}
    return compare(SYMBOLS, INSTRUMENTS, now, at=world.clock.market_ms(), parameters=Parameters().universe)


@pytest.mark.fault(61)
def test_a_contract_that_leaves_takes_no_entry_and_its_position_is_closed(world: World) -> None:
    open_one(world)
    world.trader.process(refreshed(world, "AUSDT", InstrumentStatus.SETTLING))
    world.trader.process(refreshed(world, "AUSDT", InstrumentStatus.SETTLING))
    world.minute()
    assert [each.position.exit_reason for each in world.ear.of(PositionEnded)] == [ExitReason.DELISTED]
    assert [each.key for each in world.ear.of(Alert)] == ["contract_leaving"]
    open_one(world)
    assert world.held(Source.REAL) == []
    assert "not_in_universe" in world.ear.of(SignalRefused)[-1].reasons


def test_a_contract_that_trades_again_may_be_entered_again(world: World) -> None:
    world.trader.process(refreshed(world, "AUSDT", InstrumentStatus.SETTLING))
    world.trader.process(refreshed(world, "AUSDT", InstrumentStatus.TRADING))
    open_one(world)
    assert world.held(Source.REAL) == ["AUSDT"]


def test_a_symbol_that_refuses_three_entries_within_an_hour_is_left_alone_for_a_while() -> None:
    store = CandleStore(AXIS)
    desk = RiskDesk(INSTRUMENTS, store, Parameters())
    assert [len(desk.entry_refused("AUSDT", "entry_rejected", T0 + n * MINUTE_MS)) for n in range(3)] == [
        0,
        0,
        1,
    ]
    assert desk.state.is_blacklisted("AUSDT", T0 + 3 * MINUTE_MS)
    assert desk.state.blacklist["AUSDT"].reason == "entry_rejected"
    assert not desk.state.is_blacklisted("AUSDT", T0 + 2 * MINUTE_MS + BAN_MS)
    for hour in range(5):
        assert not desk.entry_refused("BUSDT", "entry_rejected", T0 + hour * 40 * MINUTE_MS)
