"""The moves a lifecycle is made of: stage changes, protections placed, closes, and the end."""

from dataclasses import dataclass, replace
from decimal import Decimal

from core.orders import (
    CancelConditional,
    CloseAtMarket,
    Command,
    PlaceConditional,
    QueryOrder,
    Role,
    client_order_id,
    role_of,
)
from core.positions import Position, Protection, Stage
from core.signals import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A position after one event, and what is to be done about it."""

    position: Position
    commands: tuple[Command, ...] = ()


def to_stage(position: Position, stage: Stage, mono: float) -> Position:
    return replace(
        position, stage=stage, stage_mono=mono if stage is not position.stage else position.stage_mono
    )


def next_attempt(position: Position, role: Role) -> tuple[Position, str]:
    attempt = position.attempts.get(role, 0) + 1
    counted = replace(position, attempts={**position.attempts, role: attempt})
    return counted, client_order_id(position.position_id, role, attempt)


def place_stop(position: Position, mono: float) -> Step:
    counted, order_id = next_attempt(position, Role.STOP)
    stop = Protection(client_order_id=order_id, trigger_price=position.plan.stop)
    placed = replace(counted, stop=stop, tried_mono=mono)
    return Step(position=placed, commands=(conditional_order(placed, stop, Role.STOP),))


def place_target(position: Position, mono: float) -> Step:
    counted, order_id = next_attempt(position, Role.TARGET)
    target = Protection(client_order_id=order_id, trigger_price=target_price(position))
    placed = replace(counted, target=target, tried_mono=mono)
    return Step(position=placed, commands=(conditional_order(placed, target, Role.TARGET),))


def target_price(position: Position) -> Decimal:
    """Fill ± reward/risk × real risk, rounded toward the entry (strategy §9)."""
    ratio = Decimal(repr(position.plan.candidate.reward_risk))
    distance = abs(position.entry_price - position.plan.stop) * ratio
    if position.side is Side.LONG:
        return position.plan.instrument.price_at_or_below(position.entry_price + distance)
    return position.plan.instrument.price_at_or_above(position.entry_price - distance)


def conditional_order(position: Position, protection: Protection, role: Role) -> PlaceConditional:
    return PlaceConditional(
        position_id=position.position_id,
        client_order_id=protection.client_order_id,
        symbol=position.symbol,
        side=position.side,
        role=role,
        trigger_price=protection.trigger_price,
    )


def close_now(position: Position, mono: float) -> Step:
    counted, order_id = next_attempt(position, Role.CLOSE)
    close = CloseAtMarket(
        position_id=position.position_id,
        client_order_id=order_id,
        symbol=position.symbol,
        side=position.side,
        quantity=position.quantity,
    )
    closing = replace(to_stage(counted, Stage.CLOSING, mono), tried_mono=mono)
    return Step(position=closing, commands=(close,))


def finished(position: Position, at: int, mono: float) -> Step:
    """End a life; what may still rest at the venue is cancelled, for an orphaned stop opens a trade."""
    exposed = mono - position.exposed_mono if position.exposed_mono is not None and position.fills else 0.0
    closed = replace(
        to_stage(position, Stage.CLOSED, mono),
        closed_at=at,
        exposed_mono=None,
        unprotected_seconds=max(position.unprotected_seconds, exposed),
    )
    resting = [each for each in (position.stop, position.target) if each and not each.venue_order_id]
    cancels = tuple(
        CancelConditional(
            position_id=position.position_id, client_order_id=each.client_order_id, symbol=position.symbol
        )
        for each in resting
    )
    return Step(position=closed, commands=cancels)


def query_of(position: Position, order_id: str) -> QueryOrder:
    role = role_of(order_id)
    if role is None:
        raise ValueError(f"{order_id} is not an order of ours")
    return QueryOrder(
        position_id=position.position_id, client_order_id=order_id, symbol=position.symbol, role=role
    )


def is_order(protection: Protection | None, order_id: str) -> bool:
    return protection is not None and protection.client_order_id == order_id


def since(earlier: float | None, mono: float) -> float:
    return mono if earlier is None else earlier
