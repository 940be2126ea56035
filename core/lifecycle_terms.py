"""What a contract's new terms mean for a position whose orders were cut to the old ones."""

from dataclasses import replace
from decimal import Decimal

from core.instruments import Instrument
from core.lifecycle_moves import Step, close_now, place_trail
from core.positions import Position, Stage


def on_terms(position: Position, contract: Instrument, *, mono: float) -> Step:
    """Judge by these ticks and steps from now on.

    A close that the old ones may have spoilt goes out again at once. A tightened stop whose quantity would
    no longer be taken when it triggers is replaced. Stops and targets that close everything stay.
    """
    known = position.plan.instrument
    if _terms(contract) == _terms(known):
        return Step(position=position)
    kept = contract if contract.brackets else contract.with_brackets(known.brackets)
    moved = replace(position, plan=replace(position.plan, instrument=kept))
    if position.stage is Stage.CLOSING and position.quantity:
        return close_now(moved, mono)
    if position.stage is Stage.OPEN and position.floor is not None and _is_off_step(moved):
        return place_trail(moved, position.floor, mono)
    return Step(position=moved)


def _terms(contract: Instrument) -> tuple[Decimal, ...]:
    return contract.tick_size, contract.step_size, contract.min_quantity, contract.max_market_quantity


def _is_off_step(position: Position) -> bool:
    trail = position.trail
    if trail is None or trail.quantity is None or position.next_trail is not None:
        return False
    return trail.quantity != position.plan.instrument.quantity_at_or_above(trail.quantity)
