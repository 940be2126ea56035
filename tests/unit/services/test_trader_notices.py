"""What people are told of positions: each beginning once, whether or not it could be protected."""

from collections.abc import Sequence

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
from core.positions import ExitReason, Source
from services.trader import Tick
from tests.builders_trader import SYMBOLS, World, open_one

SECONDS = 30


def refuse_stops(world: World, count: int) -> None:
    """Let the venue refuse the next so many stops."""
    left = iter(range(count))
    venue = world.real.submit

    def submit(command: Command) -> Sequence[Report]:
        match command:
            case PlaceConditional(role=Role.STOP) if next(left, None) is not None:
                return (refusal_of(command, world.clock.market_ms()),)
            case _:
                return venue(command)

    world.real.submit = submit  # type: ignore[method-assign]


def refusal_of(command: PlaceConditional, at: int) -> OrderRejected:
    return OrderRejected(
        position_id=command.position_id,
        symbol=command.symbol,
        client_order_id=command.client_order_id,
        code=-1111,
        message="no",
        at=at,
    )


def wait(world: World, seconds: int = SECONDS) -> None:
    for _ in range(seconds * 2):
        world.clock.advance_to(world.clock.market_ms() + 500)
        world.trader.process(Tick())


def told(world: World) -> list[str]:
    kinds = (PositionOpened, PositionEnded)
    return [type(notice).__name__ for notice in world.ear.heard if isinstance(notice, kinds)]


def test_a_position_whose_stop_was_refused_at_first_is_told_of_once_it_stands(world: World) -> None:
    refuse_stops(world, 2)
    open_one(world)
    assert told(world) == []
    wait(world)
    (opened,) = world.ear.of(PositionOpened)
    assert opened.position.is_protected


def test_a_position_that_could_not_be_protected_is_told_of_before_its_end(world: World) -> None:
    refuse_stops(world, 1_000)
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


def test_what_a_restart_finds_without_a_stop_it_never_had_is_told_of_once_it_stands(world: World) -> None:
    refuse_stops(world, 1_000)
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


def test_a_restart_tells_what_it_takes_up_each_with_its_stop(world: World) -> None:
    world.wish(*SYMBOLS[:6])
    world.minute()
    world.minute()
    held, followed = world.held(Source.REAL), world.held(Source.VIRTUAL)
    again = World(world.journal, now=world.clock.market_ms())
    again.trader.restore()
    said = [(each.key, each.symbol, each.text) for each in again.ear.of(Alert)]
    assert said == [
        *(("taken_up", symbol, "99.00") for symbol in held),
        ("followed_on", "", str(len(followed))),
    ]


def test_a_restart_is_loud_about_what_it_takes_up_without_a_stop(world: World) -> None:
    refuse_stops(world, 1_000)
    open_one(world)
    again = World(world.journal, now=world.clock.market_ms())
    refuse_stops(again, 1)
    again.trader.restore()
    assert [(each.key, each.severity) for each in again.ear.of(Alert)] == [
        ("taken_up_bare", Severity.CRITICAL)
    ]


def test_a_first_start_takes_nothing_up() -> None:
    fresh = World()
    fresh.trader.restore()
    assert fresh.ear.heard == []
