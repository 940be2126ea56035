"""A trader whose market changes its axis under what it holds."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pytest

from core.instruments import InstrumentStatus
from core.market import MINUTE_MS, AxisChanged, MarketContext, MinuteClosed, SymbolAxis
from core.notices import Alert, PositionEnded
from core.parameters import Parameters
from core.positions import ExitReason, Source
from core.universe import compare
from tests.builders import instrument
from tests.builders_trader import INSTRUMENTS, SYMBOLS, World, open_one

NEW = "ZUSDT"
WITHOUT_A = SymbolAxis(SYMBOLS[1:])
WITH_Z = SymbolAxis((*SYMBOLS, NEW))


def close_minute(world: World, axis: SymbolAxis) -> None:
    """Close one minute of the symbols on ``axis``, flat at 100."""
    at, count = world.clock.market_ms(), len(axis)
    flat = np.full(count, 100.0)
    context = MarketContext(
        bid=flat * 0.9999,
        ask=flat * 1.0001,
        mark=flat,
        funding_rate=flat * 0,
        quote_volume_24h=np.full(count, 1e8),
    )
    world.clock.advance_to(at + MINUTE_MS)
    world.trader.process(
        MinuteClosed(
            open_time=at,
            axis=axis,
            row=np.full((5, count), 100.0),
            present=np.ones(count, dtype=np.bool_),
            context=context,
            seen_at=at + MINUTE_MS,
        )
    )


@pytest.mark.fault(62)
def test_what_is_held_beside_the_axis_stops_nobody_and_may_still_be_closed(world: World) -> None:
    open_one(world, "AUSDT")
    world.trader.process(AxisChanged(axis=WITHOUT_A))
    assert world.trader.involved == {"AUSDT"}
    world.wish("BUSDT")
    close_minute(world, WITHOUT_A)
    close_minute(world, WITHOUT_A)
    assert world.held(Source.REAL) == ["AUSDT", "BUSDT"]
    closed = {**INSTRUMENTS, "AUSDT": replace(INSTRUMENTS["AUSDT"], status=InstrumentStatus.CLOSED)}
    told = compare(SYMBOLS, INSTRUMENTS, closed, at=world.clock.market_ms(), parameters=Parameters().universe)
    world.trader.process(told)
    close_minute(world, WITHOUT_A)
    ended = [each.position for each in world.ear.of(PositionEnded)]
    assert [(each.symbol, each.exit_reason) for each in ended] == [("AUSDT", ExitReason.DELISTED)]
    assert world.trader.involved == {"BUSDT"}


@pytest.mark.fault(62)
def test_what_is_held_of_a_contract_nobody_lists_is_closed(world: World) -> None:
    open_one(world, "AUSDT")
    world.trader.process(AxisChanged(axis=WITHOUT_A))
    known = {symbol: INSTRUMENTS[symbol] for symbol in WITHOUT_A.names}
    at = world.clock.market_ms()
    world.trader.process(compare(WITHOUT_A.names, known, known, at=at, parameters=Parameters().universe))
    close_minute(world, WITHOUT_A)
    assert world.trader.involved == set()


def test_a_newcomer_is_sized_by_its_own_contract(world: World) -> None:
    now = {**INSTRUMENTS, NEW: replace(instrument(NEW), step_size=Decimal("0.5"))}
    at = world.clock.market_ms()
    world.trader.process(compare(SYMBOLS, INSTRUMENTS, now, at=at, parameters=Parameters().universe))
    world.trader.process(AxisChanged(axis=WITH_Z))
    world.wish(NEW)
    close_minute(world, WITH_Z)
    close_minute(world, WITH_Z)
    (held,) = (each.position for each in world.trader.view().real)
    assert held.symbol == NEW
    assert held.quantity % Decimal("0.5") == 0
    assert world.trader.view().universe == len(WITH_Z)


def test_who_is_loaded_is_counted_among_those_who_are_followed(world: World) -> None:
    world.trader.process(AxisChanged(axis=WITHOUT_A))
    assert world.trader.view().universe == len(SYMBOLS) - 1
    assert world.trader.view().loaded <= len(SYMBOLS) - 1


def test_people_hear_once_who_comes_and_who_leaves_when(world: World) -> None:
    at = world.clock.market_ms()
    soon = replace(INSTRUMENTS["AUSDT"], delivery_ms=at + MINUTE_MS)
    now = {**INSTRUMENTS, "AUSDT": soon, NEW: instrument(NEW)}
    told = compare(SYMBOLS, INSTRUMENTS, now, at=at, parameters=Parameters().universe)
    for _ in range(2):
        world.trader.process(told)
    listed, leaving = world.ear.of(Alert)
    assert (listed.key, listed.text) == ("contracts_listed", NEW)
    assert (leaving.key, leaving.symbol) == ("contract_leaving", "AUSDT")
    assert leaving.text == f"{datetime.fromtimestamp(soon.delivery_ms / 1000, UTC):%Y-%m-%d %H:%M UTC}"
