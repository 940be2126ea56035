"""What people are told of positions: each beginning once, whether or not it could be protected."""

from collections.abc import Callable, Sequence

import pytest

from core.notices import Alert, PositionEnded, PositionOpened, Severity
from core.orders import (
    Command,
    ConditionalChanged,
    ConditionalStatus,
    OrderRejected,
    PlaceConditional,
    Report,
    Role,
)
from core.positions import ExitReason
from services.trader import Tick
from tests.builders_trader import Spy, World, open_one

SECONDS = 30


@pytest.fixture
def refusing(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], World]:
    """A world whose venue refuses the next so many stops."""

    def refuse(count: int) -> World:
        left = iter(range(count))

        def submit(command: Command) -> Sequence[Report]:
            is_stop = isinstance(command, PlaceConditional) and command.role is Role.STOP
            if isinstance(command, PlaceConditional) and is_stop and next(left, None) is not None:
                return (
                    OrderRejected(
                        position_id=command.position_id,
                        symbol=command.symbol,
                        client_order_id=command.client_order_id,
                        code=-1111,
                        message="no",
                        at=world.clock.market_ms(),
                    ),
                )
            return Spy.submit(world.real, command)

        monkeypatch.setattr(world.real, "submit", submit)
        return world

    return refuse


def wait(world: World, seconds: int = SECONDS) -> None:
    for _ in range(seconds * 2):
        world.clock.advance_to(world.clock.market_ms() + 500)
        world.trader.process(Tick())


def told(world: World) -> list[str]:
    kinds = (PositionOpened, PositionEnded)
    return [type(notice).__name__ for notice in world.ear.heard if isinstance(notice, kinds)]


def test_a_position_whose_stop_was_refused_at_first_is_told_of_once_it_stands(
    refusing: Callable[[int], World],
) -> None:
    world = refusing(2)
    open_one(world)
    assert told(world) == []
    wait(world)
    (opened,) = world.ear.of(PositionOpened)
    assert opened.position.is_protected


def test_a_position_that_could_not_be_protected_is_told_of_before_its_end(
    refusing: Callable[[int], World],
) -> None:
    world = refusing(1_000)
    open_one(world)
    wait(world, 10)
    world.minute()
    assert told(world) == ["PositionOpened", "PositionEnded"]
    (opened,), (ended,) = world.ear.of(PositionOpened), world.ear.of(PositionEnded)
    assert not opened.position.is_protected
    assert ended.position.exit_reason is ExitReason.UNPROTECTED
    alerts = [(each.key, each.severity, each.symbol) for each in world.ear.of(Alert)]
    assert alerts == [("never_protected", Severity.CRITICAL, "AUSDT")]


def test_a_stop_lost_and_placed_again_is_no_second_beginning(world: World) -> None:
    open_one(world)
    position = world.trader.view().real[0].position
    assert position.stop
    world.trader.process(
        ConditionalChanged(
            symbol="AUSDT",
            client_order_id=position.stop.client_order_id,
            status=ConditionalStatus.CANCELED,
            at=world.clock.market_ms(),
        )
    )
    assert world.trader.view().real[0].position.attempts[Role.STOP] == 2
    assert told(world) == ["PositionOpened"]


def test_what_a_restart_finds_without_a_stop_it_never_had_is_told_of_once_it_stands(
    refusing: Callable[[int], World],
) -> None:
    world = refusing(1_000)
    open_one(world)
    assert told(world) == []
    again = World(world.journal, now=world.clock.market_ms())
    again.trader.restore()
    wait(again)
    assert told(again) == ["PositionOpened"]
    once_more = World(world.journal, now=again.clock.market_ms())
    once_more.trader.restore()
    wait(once_more)
    assert told(once_more) == []
