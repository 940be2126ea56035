"""The moves a lifecycle is made of: stage changes, protections placed, closes, and the end."""

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from core.market import MINUTE_MS
from core.order_ids import client_order_id, role_of
from core.orders import (
    CancelConditional,
    CloseAtMarket,
    Command,
    PlaceConditional,
    QueryOrder,
    Role,
)
from core.positions import ExitReason, Position, Protection, Stage
from core.signals import Side

_ASKED_ABOUT = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleParameters:
    """Deadlines in monotonic seconds; real risk is held to these multiples of the planned one (strategy §9).

    An entry that filled too near its stop, or beyond it, is no more the trade that was planned than one
    that filled too far away: its stop would lie inside the noise it was to stay out of.

    A symbol not prepared ``prepare_seconds`` after its plan was made is not entered: the signal is old. So it
    is ``oldest_signal_ms`` of market time after its candle closed: a machine that sleeps counts no seconds.

    An entry of unknown outcome counts as never placed after ``absence_probes`` queries that did not find
    it, ``probe_seconds`` apart, and a read of the whole account that does not show it: right after sending,
    not found is not absent. Where the account shows something all the while, or its stop took something, that
    is somebody else's after ``strange_probes`` such queries. An account that shows another quantity than ours
    ``doubts`` times is believed; where it shows nothing, any order that may explain it has to be not found as
    often.

    A plan keeps liquidation twice as far as its stop. What may fill ``max_real_risk`` times as far away
    can keep no more than the quotient, ``liquidation_to_stop``.
    """

    prepare_seconds: float = 10.0
    oldest_signal_ms: int = 5 * MINUTE_MS
    protect_seconds: float = 5.0
    retry_seconds: float = 0.5
    trigger_seconds: float = 3.0
    probe_seconds: float = 1.0
    absence_probes: int = 8
    strange_probes: int = 40
    doubts: int = 3
    target_retry_seconds: float = 10.0
    close_retry_most: float = 30.0
    close_retry_exposed: float = 6.0
    closes_before_alarm: int = 3
    max_real_risk: Decimal = Decimal("1.25")
    min_real_risk: Decimal = Decimal("0.5")
    liquidation_to_stop: Decimal = Decimal("1.6")
    backstop_r: Decimal = Decimal("0.1")


class Concern(StrEnum):
    """What people should hear of a position's life beside its beginning and end; message keys."""

    STOP_LOST = "stop_lost"
    NEVER_PROTECTED = "never_protected"
    TARGET_MISSING = "target_missing"
    TRAIL_REFUSED = "trail_refused"
    BACKSTOP = "backstop"
    CLOSE_STUCK = "close_stuck"
    FROZEN = "position_frozen"
    THAWED = "position_thawed"
    ENTERED_LATE = "late_fill"
    TOOK_ANOTHERS = "took_anothers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A position after one event, what is to be done about it, and what people should hear."""

    position: Position
    commands: tuple[Command, ...] = ()
    concerns: tuple[Concern, ...] = ()


def to_stage(position: Position, stage: Stage, mono: float) -> Position:
    return replace(
        position, stage=stage, stage_mono=mono if stage is not position.stage else position.stage_mono
    )


def next_attempt(position: Position, role: Role) -> tuple[Position, str]:
    attempt = position.attempts.get(role, 0) + 1
    counted = replace(position, attempts={**position.attempts, role: attempt})
    return counted, client_order_id(position.position_id, role, attempt)


# --- protections ------------------------------------------------------------------------------------


def place_stop(position: Position, mono: float) -> Step:
    """Rest the stop that stays for life."""
    counted, order_id = next_attempt(position, Role.STOP)
    stop = Protection(client_order_id=order_id, trigger_price=on_tick(position, position.plan.stop))
    placed = replace(counted, stop=stop, stop_asked=False, tried_mono=mono)
    return Step(position=placed, commands=(conditional_order(placed, stop, Role.STOP),))


def place_trail(position: Position, price: Decimal, mono: float) -> Step:
    """Rest a tighter stop of the exact quantity beside what protects already."""
    counted, order_id = next_attempt(position, Role.TRAIL)
    trail = Protection(
        client_order_id=order_id,
        trigger_price=on_tick(position, price),
        quantity=position.plan.instrument.quantity_at_or_above(position.quantity),
    )
    placed = replace(counted, next_trail=trail, floor=price, tried_mono=mono)
    return Step(position=placed, commands=(conditional_order(placed, trail, Role.TRAIL),))


def on_tick(position: Position, stop: Decimal) -> Decimal:
    """Round a stop away from the price, should the tick no longer be the one it was planned on."""
    contract = position.plan.instrument
    away = contract.price_at_or_below if position.side is Side.LONG else contract.price_at_or_above
    return away(stop)


def place_targets(position: Position, mono: float) -> Step:
    """Rest every target that is not resting yet; all but the last close a part of what was entered."""
    targets = position.targets or (None,) * len(position.plan.targets)
    commands: list[Command] = []
    for index in missing_targets(position):
        position, order_id = next_attempt(position, Role.TARGET)
        placed = Protection(
            client_order_id=order_id,
            trigger_price=target_price(position, index),
            quantity=_part(position, index),
        )
        targets = (*targets[:index], placed, *targets[index + 1 :])
        commands.append(conditional_order(position, placed, Role.TARGET))
    placed_all = replace(position, targets=targets, tried_mono=mono, target_mono=mono)
    return Step(position=placed_all, commands=tuple(commands))


def target_price(position: Position, index: int) -> Decimal:
    """Fill ± reward/risk × real risk, rounded toward the entry (strategy §9).

    The ratio is the planned one of each target; that of a single target is its candidate's own.
    """
    plan = position.plan
    ratio = abs(plan.targets[index].price - plan.entry) / plan.risk_a_unit
    if len(plan.targets) == 1:
        ratio = Decimal(repr(plan.candidate.reward_risk))
    distance = position.real_risk * ratio
    if position.side is Side.LONG:
        return plan.instrument.price_at_or_below(position.entry_price + distance)
    return plan.instrument.price_at_or_above(position.entry_price - distance)


def missing_targets(position: Position) -> tuple[int, ...]:
    """Return which targets neither rest nor were reached; a part too small to be an order is not missed."""
    resting = position.targets or (None,) * len(position.plan.targets)
    return tuple(index for index, each in enumerate(resting) if each is None and _part(position, index) != 0)


def _part(position: Position, index: int) -> Decimal | None:
    """Return the quantity that one of several targets closes, ``None`` for the last: whatever is left."""
    targets = position.plan.targets
    if index == len(targets) - 1:
        return None
    return position.plan.instrument.round_quantity(position.entered * targets[index].fraction)


def conditional_order(position: Position, protection: Protection, role: Role) -> PlaceConditional:
    return PlaceConditional(
        position_id=position.position_id,
        client_order_id=protection.client_order_id,
        symbol=position.symbol,
        side=position.side,
        role=role,
        trigger_price=protection.trigger_price,
        quantity=protection.quantity,
    )


def cancel_of(position: Position, order_id: str) -> CancelConditional:
    return CancelConditional(
        position_id=position.position_id, client_order_id=order_id, symbol=position.symbol
    )


# --- ends -------------------------------------------------------------------------------------------


def close_now(position: Position, mono: float) -> Step:
    """Reduce at market, as much at once as the venue takes."""
    counted, order_id = next_attempt(position, Role.CLOSE)
    close = CloseAtMarket(
        position_id=position.position_id,
        client_order_id=order_id,
        symbol=position.symbol,
        side=position.side,
        quantity=_to_close(counted),
    )
    closing = replace(to_stage(counted, Stage.CLOSING, mono), tried_mono=mono)
    return Step(position=closing, commands=(close,))


def _to_close(position: Position) -> Decimal:
    """Return a quantity that the contract's filters let through and that leaves as little as possible.

    What is held may lie between steps that have changed. An order that can only reduce takes no more than
    is held, so it is rounded up; every other attempt rounds down, should a venue have none of that.
    """
    contract = position.plan.instrument
    quantity = contract.round_quantity(position.quantity)
    if position.attempts[Role.CLOSE] % 2 or quantity < contract.min_quantity:
        quantity = contract.quantity_at_or_above(position.quantity)
    return min(quantity, contract.round_quantity(contract.max_market_quantity))


def close_because(position: Position, reason: ExitReason, mono: float) -> Step:
    return close_now(replace(position, exit_reason=position.exit_reason or reason), mono)


def finished(position: Position, at: int, mono: float) -> Step:
    """End a life; what may still rest at the venue is cancelled, for an orphaned stop opens a trade."""
    exposed = mono - position.exposed_mono if position.exposed_mono is not None and position.fills else 0.0
    closed = replace(
        to_stage(position, Stage.CLOSED, mono),
        closed_at=at,
        exposed_mono=None,
        unprotected_seconds=max(position.unprotected_seconds, exposed),
    )
    cancels = tuple(cancel_of(position, each.client_order_id) for each in position.protections)
    return Step(position=closed, commands=cancels)


def never_held(position: Position, reason: ExitReason, at: int, mono: float) -> Step:
    """End a life in which nothing was bought: what its stop took was another's, and is nobody's record."""
    ended = finished(replace(position, fills=(), exit_reason=reason), at, mono)
    return replace(ended, concerns=(Concern.TOOK_ANOTHERS,)) if position.fills else ended


# --- questions --------------------------------------------------------------------------------------


def query_of(position: Position, order_id: str) -> QueryOrder:
    role = role_of(order_id)
    if role is None:
        raise ValueError(f"{order_id} is not an order of ours")
    return QueryOrder(
        position_id=position.position_id, client_order_id=order_id, symbol=position.symbol, role=role
    )


def entry_query(position: Position) -> QueryOrder:
    order_id = client_order_id(position.position_id, Role.ENTRY, position.attempts[Role.ENTRY])
    return query_of(position, order_id)


def open_questions(position: Position) -> tuple[QueryOrder, ...]:
    """Ask for every order of ours of which we do not know the end, the protecting ones first.

    But the targets before a stop that is known to rest: the one that was reached took that stop with it.
    """
    stops = (position.stop, position.trail, position.next_trail)
    known = (*position.targets, *stops) if position.is_protected else (*stops, *position.targets)
    asked = [query_of(position, each.client_order_id) for each in known if each is not None]
    if position.entry_total is None and Role.ENTRY in position.attempts:
        asked.append(entry_query(position))
    closes = attempts_asked_about(position, Role.CLOSE)  # an early one may have filled unheard
    ids = (client_order_id(position.position_id, Role.CLOSE, attempt) for attempt in closes)
    return (*asked, *(query_of(position, order_id) for order_id in ids))


def attempts_asked_about(position: Position, role: Role) -> range:
    """Return the numbers of the orders of a role, the last first; not all of them where there are many."""
    last = position.attempts.get(role, 0)
    return range(last, max(last - _ASKED_ABOUT, 0), -1)


def is_worth_telling(attempt: int) -> bool:
    """Tell the first time and then ever more rarely: at powers of two."""
    return attempt > 0 and attempt & (attempt - 1) == 0


def is_order(protection: Protection | None, order_id: str) -> bool:
    return protection is not None and protection.client_order_id == order_id


def since(earlier: float | None, mono: float) -> float:
    return mono if earlier is None else earlier
