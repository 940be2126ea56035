"""A contract whose steps and ticks change while a position is held."""

from dataclasses import replace
from decimal import Decimal

import pytest

from core.instruments import Instrument
from core.orders import CloseAtMarket, ContractRead, PlaceConditional, ReadContract, Role
from core.positions import ExitReason, Stage
from tests.builders import T0, instrument, plan
from tests.unit.core.lives import Life, entering, open_life

COARSE = instrument(tick="0.1", step="4")


def learns(life: Life, contract: Instrument) -> list[object]:
    read = ContractRead(
        position_id=life.position.position_id, symbol=life.position.symbol, instrument=contract, at=T0
    )
    return list(life.hears(read))


def closing(quantity: str = "10") -> Life:
    life = open_life()
    life.closes(ExitReason.OPERATOR)
    assert life.position.quantity == Decimal(quantity)
    return life


@pytest.mark.fault(19)
@pytest.mark.parametrize("code", [-1111, -4003, -4004, -4005, -4014, -4023])
@pytest.mark.parametrize("role", [Role.STOP, Role.CLOSE])
def test_an_order_that_breaks_a_filter_has_the_contract_read(role: Role, code: int) -> None:
    life = closing() if role is Role.CLOSE else entering()
    if role is Role.STOP:
        life.hears(life.filled())
    (look,) = life.hears(life.rejected(role, code))
    assert isinstance(look, ReadContract)


@pytest.mark.fault(19)
def test_a_close_that_broke_a_filter_is_sent_again_at_once_on_the_new_step() -> None:
    life = closing()
    life.hears(life.rejected(Role.CLOSE, -1111))
    (again,) = learns(life, instrument(step="5"))
    assert isinstance(again, CloseAtMarket)
    assert again.quantity == Decimal(10)
    assert life.position.stage is Stage.CLOSING


@pytest.mark.fault(37)
def test_what_lies_between_the_steps_is_closed_by_an_order_that_can_only_reduce_rounded_up() -> None:
    life = closing()
    (rounded_down,) = learns(life, COARSE)
    (rounded_up,) = life.waits(6.0)
    assert isinstance(rounded_down, CloseAtMarket)
    assert isinstance(rounded_up, CloseAtMarket)
    assert (rounded_down.quantity, rounded_up.quantity) == (Decimal(8), Decimal(12))


@pytest.mark.fault(37)
def test_less_than_the_smallest_order_is_still_closed() -> None:
    life = open_life(plan(contract=replace(instrument(), min_quantity=Decimal(25))))
    life.closes(ExitReason.OPERATOR)
    close = life.sent[-1]
    assert isinstance(close, CloseAtMarket)
    assert close.quantity == Decimal(25)


@pytest.mark.fault(37)
def test_dust_that_no_order_takes_is_told_and_loops_ever_more_slowly() -> None:
    life = closing()
    learns(life, instrument(step="100"))
    before = len(life.sent)
    for _ in range(240):
        life.waits(0.25)
    assert len(life.sent) - before < 8
    assert life.concerns
    assert life.position.is_protected, "the stop for life closes any quantity"


@pytest.mark.fault(19)
def test_a_tightened_stop_of_a_quantity_between_the_steps_is_replaced() -> None:
    life = open_life()
    life.tightens("100.12")
    life.hears(life.conditional(Role.TRAIL))
    (again,) = learns(life, COARSE)
    assert isinstance(again, PlaceConditional)
    assert (again.role, again.quantity) == (Role.TRAIL, Decimal(12))
    assert again.trigger_price == Decimal("100.1"), "rounded away from the price"
    assert learns(life, COARSE) == []


def test_a_stop_placed_on_the_new_tick_is_rounded_away_from_the_entry() -> None:
    life = entering()
    life.hears(life.filled())
    learns(life, instrument(tick="0.7"))
    life.hears(life.absent(Role.STOP))
    (again,) = life.waits(0.5)
    assert isinstance(again, PlaceConditional)
    assert Decimal("98.3") < again.trigger_price <= life.position.plan.stop


def test_terms_that_are_still_the_same_change_nothing() -> None:
    life = open_life()
    before = life.position
    assert learns(life, replace(instrument(), delivery_ms=T0)) == []
    assert life.position is before


def test_brackets_that_were_not_told_stay_as_they_were() -> None:
    life = open_life()
    learns(life, replace(COARSE, brackets=()))
    assert life.position.plan.instrument.brackets == instrument().brackets
