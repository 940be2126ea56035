"""What people ask of a running trader, and what comes of it."""

from datetime import UTC, datetime

import pytest

from core.journal import OperatorActed, RiskChanged
from core.market import MINUTE_MS
from core.notices import Alert, Severity, SignalRefused
from core.operation import OperatorAction, OperatorRequest
from core.orders import CloseAtMarket
from core.positions import ExitReason, Source
from core.risk_state import Halt
from services.operator import Operator
from services.trader import Tick
from tests.builders import T0
from tests.builders_trader import World, open_one


def test_a_person_can_close_a_position(world: World) -> None:
    open_one(world)
    Operator(world.trader.process).close("ann", "AUSDT")
    world.minute()
    assert world.held(Source.REAL) == []
    assert any(isinstance(command, CloseAtMarket) for command in world.real.commands)


def ask(world: World, action: OperatorAction) -> None:
    world.trader.process(OperatorRequest(action=action, by="ann"))


@pytest.mark.parametrize("action", [OperatorAction.PAUSE, OperatorAction.HALT])
def test_a_pause_takes_no_entries_until_somebody_resumes_though_we_restart(
    world: World, action: OperatorAction
) -> None:
    open_one(world)
    ask(world, action)
    again = World(world.journal, now=world.clock.market_ms())
    again.trader.restore()
    again.minute()
    open_one(again, "BUSDT")
    assert again.held(Source.REAL) == ["AUSDT"]
    ask(again, OperatorAction.RESUME)
    open_one(again, "CUSDT")
    assert set(again.held(Source.REAL)) == {"AUSDT", "CUSDT"}
    wishes = [(body.request.action, body.request.by) for body in again.journal.bodies(OperatorActed)]
    assert wishes == [(action, "ann"), (OperatorAction.RESUME, "ann")]


def test_a_panic_closes_everything_and_opens_no_more(world: World) -> None:
    open_one(world)
    world.wish("BUSDT")
    world.minute()  # the entry of B waits for the next open
    ask(world, OperatorAction.PANIC)
    world.wish("CUSDT")
    for _ in range(3):
        world.minute()
    assert world.held(Source.REAL) == []
    world.bookkeeper.flush()
    real = [each for each in world.shelf.records if each.source is Source.REAL]
    assert {each.symbol: each.exit_reason for each in real} == {
        "AUSDT": ExitReason.OPERATOR,
        "BUSDT": ExitReason.OPERATOR,
    }


@pytest.mark.parametrize("first", [each for each in Halt if each is not Halt.PANIC])
def test_a_panic_closes_everything_though_something_else_has_halted_before(world: World, first: Halt) -> None:
    open_one(world)
    world.trader.desk.halt(first.value, T0)
    ask(world, OperatorAction.PANIC)
    world.minute()
    assert world.held(Source.REAL) == []
    assert world.trader.view().halted == first.value


def test_a_halt_for_a_reason_called_panic_closes_nothing(world: World) -> None:
    open_one(world)
    world.trader.process(OperatorRequest(action=OperatorAction.HALT, by="ann", reason="panic"))
    world.minute()
    assert world.held(Source.REAL) == ["AUSDT"]


def test_a_panic_outlives_a_restart(world: World) -> None:
    open_one(world)
    ask(world, OperatorAction.PANIC)
    again = World(world.journal, now=world.clock.market_ms())
    again.trader.restore()
    for _ in range(3):
        again.minute()
        again.trader.process(Tick())
    assert again.held(Source.REAL) == []


@pytest.mark.parametrize("action", [OperatorAction.PAUSE, OperatorAction.HALT, OperatorAction.PANIC])
def test_a_wish_and_what_it_does_to_the_risk_state_are_durable_in_one_step(
    world: World, action: OperatorAction
) -> None:
    for wish in (action, OperatorAction.RESUME):
        ask(world, wish)
        request = OperatorRequest(action=wish, by="ann")
        state = world.trader.desk.state
        assert world.journal.transactions[-1] == [OperatorActed(request=request), RiskChanged(state=state)]


def test_the_operator_closes_one_position_however_often_it_is_asked(world: World) -> None:
    open_one(world)
    for _ in range(3):
        Operator(world.trader.process).close("ann", "AUSDT")
    world.minute()
    assert world.held(Source.REAL) == []
    assert sum(isinstance(command, CloseAtMarket) for command in world.real.commands) == 1


def test_a_pause_with_an_end_outlives_a_restart_and_ends_by_itself(world: World) -> None:
    Operator(world.trader.process).pause("ann", minutes=10)
    assert world.trader.view().halted_until == world.clock.market_ms() + 10 * MINUTE_MS
    again = World(world.journal, now=world.clock.market_ms())
    again.trader.restore()
    again.minute()
    open_one(again)
    assert again.held(Source.REAL) == []
    assert again.ear.of(SignalRefused)[-1].reasons[0] == "halted"
    for _ in range(8):
        again.minute()
    open_one(again)
    assert again.held(Source.REAL) == ["AUSDT"]
    assert [each.key for each in again.ear.of(Alert)] == ["risk_resumed"]
    assert again.journal.risk_state() == again.trader.desk.state


def test_a_wish_that_comes_twice_is_obeyed_and_written_down_once(world: World) -> None:
    operator = Operator(world.trader.process)
    operator.pause("ann", request_id="discord:1")
    operator.resume("ann", request_id="discord:2")
    operator.pause("ann", request_id="discord:1")
    assert world.trader.view().halted == ""
    assert [body.request.request_id for body in world.journal.bodies(OperatorActed)] == [
        "discord:1",
        "discord:2",
    ]


def test_wishes_without_an_id_are_each_obeyed(world: World) -> None:
    operator = Operator(world.trader.process)
    for _ in range(2):
        operator.pause("ann")
        operator.resume("ann")
    assert len(world.journal.bodies(OperatorActed)) == 4


def test_a_panic_that_joins_another_halt_is_told_by_itself(world: World) -> None:
    ask(world, OperatorAction.PAUSE)
    ask(world, OperatorAction.PANIC)
    assert [each.key for each in world.ear.of(Alert)] == ["paused", "panic_begun"]
    assert world.ear.of(Alert)[-1].severity is Severity.CRITICAL


def test_people_are_obeyed_though_the_journal_can_not_be_written(world: World) -> None:
    open_one(world)
    world.journal.is_broken = True
    Operator(world.trader.process).panic("ann")
    world.minute()
    assert world.held(Source.REAL) == []


def test_a_wish_to_close_what_is_not_held_is_answered(world: World) -> None:
    open_one(world)
    for symbol in ("FOOUSDT", "AUSDT"):
        Operator(world.trader.process).close("ann", symbol)
    world.minute()
    assert world.held(Source.REAL) == []
    Operator(world.trader.process).close("ann", "AUSDT")  # which is gone by now
    told = [(each.key, each.symbol) for each in world.ear.of(Alert)]
    assert told == [("nothing_held", "FOOUSDT"), ("nothing_held", "AUSDT")]


def test_a_pause_is_told_with_its_end_and_again_when_it_is_made_longer(world: World) -> None:
    operator = Operator(world.trader.process)
    for minutes in (10, 10, 1_450):
        operator.pause("ann", minutes=minutes)
    operator.pause("ann")
    told = [(each.key, each.severity) for each in world.ear.of(Alert)]
    assert told == [*[("paused_until", Severity.WARNING)] * 2, ("paused", Severity.WARNING)]
    ends = datetime.fromtimestamp(world.clock.market_ms() / 1000 + 600, UTC)
    assert world.ear.of(Alert)[0].text == f"{ends:%Y-%m-%d %H:%M} UTC"
