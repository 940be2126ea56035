"""Every signal is counted once: by what it opened, as refused, or as one whose entry came to nothing."""

from dataclasses import replace
from decimal import Decimal

from core.orders import OrderRejected, PrepareSymbol
from core.positions import Source
from services.tally import Tally
from tests.builders_trader import SYMBOLS, World, closing_fill, open_one


def awake() -> World:
    """A world whose account was read."""
    world = World()
    world.minute()
    return world


def parts(tally: Tally) -> dict[str, int]:
    told = {
        "opened": tally.real.opened,
        "virtual": tally.virtual.opened,
        "refused": tally.refused,
        "unfilled": tally.unfilled,
    }
    assert sum(told.values()) == tally.signals
    return {name: count for name, count in told.items() if count}


def test_a_signal_that_opened_and_one_that_was_refused() -> None:
    world = awake()
    open_one(world)
    open_one(world)
    assert parts(world.trader.tally) == {"opened": 1, "refused": 1}


def test_a_signal_whose_entry_is_on_its_way_and_then_filled() -> None:
    world = awake()
    world.wish("AUSDT")
    world.minute()
    assert parts(world.trader.tally) == {"unfilled": 1}
    world.minute()
    assert parts(world.trader.tally) == {"opened": 1}


def test_a_signal_whose_contract_could_not_be_prepared_came_to_nothing() -> None:
    world = awake()
    world.real._venue = Refusing()  # type: ignore[assignment]
    open_one(world)
    assert parts(world.trader.tally) == {"unfilled": 1}
    assert world.held(Source.REAL) == []


def test_a_followed_signal_that_takes_a_free_slot_is_counted_as_real() -> None:
    world = awake()
    world.wish(*SYMBOLS[:2])
    world.minute()
    world.minute()
    world.wish("EUSDT")
    world.minute()
    world.trader.process(closing_fill(world.trader.view().real[0].position))
    world.minute()
    assert parts(world.trader.tally) == {"opened": 3}


def test_a_refused_signal_that_is_taken_after_all_is_refused_no_more() -> None:
    world = awake()
    open_one(world)
    world.wish("AUSDT")
    world.minute()
    assert parts(world.trader.tally) == {"opened": 1, "refused": 1}
    stop = closing_fill(world.trader.view().real[0].position)
    world.trader.process(replace(stop, price=Decimal("98.9"), at=world.clock.market_ms()))
    world.minute()
    assert parts(world.trader.tally) == {"opened": 1, "virtual": 1}


class Refusing:
    """A venue that sets no leverage."""

    def submit(self, command: object) -> tuple[OrderRejected, ...]:
        if not isinstance(command, PrepareSymbol):
            return ()
        return (
            OrderRejected(
                position_id=command.position_id,
                symbol=command.symbol,
                client_order_id="",
                code=-4028,
                message="Leverage is not valid",
                at=0,
            ),
        )
