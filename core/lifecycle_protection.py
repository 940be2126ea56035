"""What keeps a position safe: the stop that stays for life, the tightened one beside it, the targets."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from core.lifecycle_moves import (
    Concern,
    LifecycleParameters,
    Step,
    cancel_of,
    close_because,
    close_now,
    is_order,
    is_worth_telling,
    missing_targets,
    on_tick,
    place_stop,
    place_targets,
    place_trail,
    query_of,
    since,
    to_stage,
)
from core.order_ids import CLIENT_ID_PREFIX, role_of, tag_of
from core.orders import (
    Command,
    ConditionalChanged,
    ConditionalsListed,
    ConditionalStatus,
    ListConditionals,
    OrderRejected,
    ReadAccount,
    ReadContract,
    RestingConditional,
    Role,
)
from core.positions import ExitReason, Position, Protection, Stage

REDUCE_ONLY_REFUSED = -2022
WOULD_TRIGGER_AT_ONCE = -2021
NO_POSITION_YET = -4509
ALREADY_PROTECTED = -4130
TOO_MANY_ORDERS = frozenset({-2025, -4045})
TERMS_BROKEN = frozenset({-1111, -4003, -4004, -4005, -4014, -4023})
POSITION_NOT_SEEN = frozenset({REDUCE_ONLY_REFUSED, NO_POSITION_YET})

_TRIGGERED = {ConditionalStatus.TRIGGERING, ConditionalStatus.TRIGGERED, ConditionalStatus.FINISHED}


# --- news of resting orders -------------------------------------------------------------------------


def on_conditional(position: Position, report: ConditionalChanged, mono: float) -> Step:
    order_id = report.client_order_id
    if is_order(position.stop, order_id) and position.stop:
        return _on_stop(position, position.stop, report, mono)
    if is_order(position.next_trail, order_id) and position.next_trail:
        return _on_next_trail(position, position.next_trail, report, mono)
    if is_order(position.trail, order_id) and position.trail:
        return _on_trail(position, position.trail, report, mono)
    index = _target_index(position, order_id)
    if index is not None:
        return _on_target(position, index, report, mono)
    return _on_forgotten(position, report, mono)


def _on_stop(position: Position, stop: Protection, report: ConditionalChanged, mono: float) -> Step:
    if report.status is ConditionalStatus.NEW:
        return Step(position=position if stop.confirmed else protected_by(position, stop, mono))
    if report.status in _TRIGGERED:
        return _triggered(replace(position, stop=_became(stop, report)), ExitReason.STOP, mono)
    return lose_stop(position, mono)


def _on_next_trail(position: Position, trail: Protection, report: ConditionalChanged, mono: float) -> Step:
    """The new one is live before the old one goes; both can only reduce, so both may rest for a while."""
    if report.status is ConditionalStatus.NEW:
        moved = replace(position, trail=replace(trail, confirmed=True), next_trail=None)
        old = position.trail
        return Step(position=moved, commands=(cancel_of(position, old.client_order_id),) if old else ())
    if report.status in _TRIGGERED:
        return _triggered(replace(position, next_trail=_became(trail, report)), ExitReason.STOP, mono)
    return Step(position=replace(position, next_trail=None, tried_mono=mono))


def _on_trail(position: Position, trail: Protection, report: ConditionalChanged, mono: float) -> Step:
    if report.status is ConditionalStatus.NEW:
        return Step(position=position)
    if report.status in _TRIGGERED:
        return _triggered(replace(position, trail=_became(trail, report)), ExitReason.STOP, mono)
    return Step(position=replace(position, trail=None, tried_mono=mono))


def _on_target(position: Position, index: int, report: ConditionalChanged, mono: float) -> Step:
    target = position.targets[index]
    if target is None:
        return Step(position=position)
    if report.status is ConditionalStatus.NEW:
        confirmed = _with_target(position, index, replace(target, confirmed=True))
        return Step(position=position if target.confirmed else confirmed)
    if report.status in _TRIGGERED:
        reached = _with_target(position, index, _became(target, report))
        if target.quantity is not None:
            return Step(position=reached)
        return _triggered(reached, ExitReason.TARGET, mono)
    if target.venue_order_id:
        return Step(position=position)
    return Step(position=replace(_with_target(position, index, None), target_mono=mono))


def _on_forgotten(position: Position, report: ConditionalChanged, mono: float) -> Step:
    """Hear of an order of ours that we had given up: adopt a stop while none is confirmed, else remove it."""
    if report.status is not ConditionalStatus.NEW or tag_of(report.client_order_id) != position.tag:
        return Step(position=position)
    if role_of(report.client_order_id) is Role.STOP and not position.is_protected:
        adopted = Protection(client_order_id=report.client_order_id, trigger_price=position.plan.stop)
        extra = (cancel_of(position, position.stop.client_order_id),) if position.stop else ()
        return Step(position=protected_by(position, adopted, mono), commands=extra)
    return Step(position=position, commands=(cancel_of(position, report.client_order_id),))


# --- refusals and lists -----------------------------------------------------------------------------


def on_stop_rejected(position: Position, report: OrderRejected, mono: float) -> Step:
    """A price beyond the stop closes; what the venue has not seen yet, or has too many of, is looked up."""
    if position.is_protected:  # we have heard that it rests: two answers that can not both be true
        return Step(position=position, commands=(query_of(position, report.client_order_id),))
    without = replace(position, stop=None, exposed_mono=since(position.exposed_mono, mono), tried_mono=mono)
    if report.code == WOULD_TRIGGER_AT_ONCE and position.quantity:
        return close_because(without, ExitReason.STOP, mono)
    return Step(position=without, commands=look_up(position, report.code))


def on_trail_rejected(position: Position, report: OrderRejected, mono: float) -> Step:
    """Without the venue's order the level still stands: the backstop watches ``floor``."""
    without = replace(position, next_trail=None, tried_mono=mono)
    if report.code == WOULD_TRIGGER_AT_ONCE:
        return close_because(without, ExitReason.STOP, mono)
    is_news = is_worth_telling(position.attempts.get(Role.TRAIL, 0))
    return Step(
        position=without,
        commands=look_up(position, report.code),
        concerns=(Concern.TRAIL_REFUSED,) if is_news else (),
    )


def on_target_gone(position: Position, order_id: str, code: int, mono: float) -> Step:
    index = _target_index(position, order_id)
    if index is None:
        return Step(position=position)
    without = replace(_with_target(position, index, None), target_mono=mono)
    return Step(position=without, commands=look_up(position, code))


def on_listed(position: Position, report: ConditionalsListed, mono: float) -> Step:
    """Adopt our own stop at our own level; cancel every other order of ours that should not be there.

    What does not carry our prefix is somebody else's and stays as it is.
    """
    step = Step(position=position)
    for resting in report.resting:
        if resting.client_order_id.startswith(CLIENT_ID_PREFIX):
            step = _meet(step, resting, mono)
    return step


def _meet(step: Step, resting: RestingConditional, mono: float) -> Step:
    position = step.position
    if any(is_order(each, resting.client_order_id) for each in position.protections):
        return step
    is_ours = (
        tag_of(resting.client_order_id) == position.tag and role_of(resting.client_order_id) is Role.STOP
    )
    is_at_our_level = resting.trigger_price in {position.plan.stop, on_tick(position, position.plan.stop)}
    if is_ours and not position.is_protected and is_at_our_level:
        adopted = Protection(client_order_id=resting.client_order_id, trigger_price=resting.trigger_price)
        return replace(step, position=protected_by(position, adopted, mono))
    cancel = cancel_of(position, resting.client_order_id)
    return replace(step, commands=(*step.commands, cancel))


def look_up(position: Position, code: int) -> tuple[Command, ...]:
    """Return the question that a refusal raises, if it raises one."""
    identity = {"position_id": position.position_id, "symbol": position.symbol}
    if code == ALREADY_PROTECTED or code in TOO_MANY_ORDERS:
        return (ListConditionals(**identity),)
    if code in POSITION_NOT_SEEN:
        return (ReadAccount(**identity),)
    if code in TERMS_BROKEN:
        return (ReadContract(**identity),)
    return ()


# --- losing, tightening, watching ---------------------------------------------------------------------


def lose_stop(position: Position, mono: float) -> Step:
    """Replace a stop that is gone, unless the position is on its way out.

    One that rested is replaced at once. One that never did is tried again in its time, so that the deadline
    ends it: where no stop can be placed, each would be lost as soon as it is asked for.
    """
    lost = replace(position, stop=None)
    if position.stage is Stage.CLOSING:
        # A stop expires when its position is gone; only the one that was to close it must be replaced.
        was_to_close = position.exit_reason is ExitReason.STOP and position.quantity > 0
        return close_now(lost, mono) if was_to_close else Step(position=lost)
    if not position.quantity:
        return Step(position=lost)
    exposed = replace(lost, exposed_mono=since(position.exposed_mono, mono))
    if position.stage is not Stage.FROZEN:
        exposed = to_stage(exposed, Stage.PROTECTING, mono)
    if not position.is_protected:
        return Step(position=exposed)
    return replace(place_stop(exposed, mono), concerns=(Concern.STOP_LOST,))


def tighten(position: Position, price: Decimal, mono: float) -> Step:
    """Move the stop to ``price``, if that is tighter and nothing else is being moved."""
    is_busy = position.stage is not Stage.OPEN or not position.is_protected or position.next_trail is not None
    if is_busy or not position.entry_settled or (price - position.stop_level) * position.side <= 0:
        return Step(position=position)
    return place_trail(position, price, mono)


def watch_protecting(position: Position, parameters: LifecycleParameters, mono: float) -> Step:
    """Ask once for a stop that is not confirmed in time, then close what can not be protected."""
    late = position.exposed_mono is not None and mono - position.exposed_mono >= parameters.protect_seconds
    if late and position.stop is not None and not position.stop_asked:
        asked = replace(position, stop_asked=True, tried_mono=mono)
        return Step(position=asked, commands=(query_of(position, position.stop.client_order_id),))
    waits_for_answer = position.stop is not None and mono - position.tried_mono < parameters.probe_seconds
    if late and not waits_for_answer:
        closing = close_because(position, ExitReason.UNPROTECTED, mono)
        return replace(closing, concerns=(Concern.NEVER_PROTECTED,))
    if position.stop is None and mono - position.tried_mono >= parameters.retry_seconds:
        return place_stop(position, mono)
    return Step(position=position)


def watch_orders_beside(position: Position, parameters: LifecycleParameters, mono: float) -> Step:
    """Ask for orders without an answer; try again for what should rest and does not."""
    waited = mono - position.tried_mono
    unanswered = [each for each in (position.next_trail, *position.targets) if each and not each.confirmed]
    pending = [each for each in unanswered if not each.venue_order_id]
    if pending and waited >= parameters.protect_seconds:
        queries = tuple(query_of(position, each.client_order_id) for each in pending)
        return Step(position=replace(position, tried_mono=mono), commands=queries)
    # By a clock of their own: stops that keep being tightened would put the targets off for ever.
    is_due = position.target_mono is None or mono - position.target_mono >= parameters.target_retry_seconds
    if is_due and missing_targets(position) and position.entry_settled:
        is_news = is_worth_telling(position.attempts.get(Role.TARGET, 0))
        return replace(place_targets(position, mono), concerns=(Concern.TARGET_MISSING,) if is_news else ())
    has_lost_trail = position.floor is not None and position.trail is None and position.next_trail is None
    if has_lost_trail and position.floor is not None and waited >= parameters.target_retry_seconds:
        return place_trail(position, position.floor, mono)
    return Step(position=position)


def watch_mark(position: Position, mark: Decimal, parameters: LifecycleParameters, mono: float) -> Step:
    """Close at market when the mark stays beyond the tightest stop and nothing has happened."""
    slack = parameters.backstop_r * position.real_risk
    beyond = (position.stop_level - mark) * position.side >= slack
    if not beyond:
        return Step(
            position=position if position.beyond_mono is None else replace(position, beyond_mono=None)
        )
    if position.beyond_mono is None:
        return Step(position=replace(position, beyond_mono=mono))
    if mono - position.beyond_mono < parameters.trigger_seconds:
        return Step(position=position)
    closing = close_because(position, ExitReason.STOP, mono)
    return replace(closing, concerns=(Concern.BACKSTOP,))


# --- small things -------------------------------------------------------------------------------------


def protected_by(position: Position, stop: Protection, mono: float) -> Position:
    exposed = mono - position.exposed_mono if position.exposed_mono is not None else 0.0
    confirmed = replace(
        position,
        stop=replace(stop, confirmed=True),
        exposed_mono=None,
        unprotected_seconds=max(position.unprotected_seconds, exposed),
    )
    return to_stage(confirmed, Stage.OPEN, mono) if position.stage is Stage.PROTECTING else confirmed


def _triggered(position: Position, reason: ExitReason, mono: float) -> Step:
    if position.stage is Stage.CLOSING:
        return Step(position=position)
    if not position.quantity:  # it answered to an entry that we have not heard of yet
        return Step(position=position)
    reasoned = replace(position, exit_reason=reason, tried_mono=mono)
    return Step(position=to_stage(reasoned, Stage.CLOSING, mono))


def _became(protection: Protection, report: ConditionalChanged) -> Protection:
    return replace(protection, venue_order_id=report.venue_order_id or protection.venue_order_id)


def _target_index(position: Position, order_id: str) -> int | None:
    found: Sequence[int] = [i for i, each in enumerate(position.targets) if is_order(each, order_id)]
    return found[0] if found else None


def _with_target(position: Position, index: int, target: Protection | None) -> Position:
    return replace(position, targets=(*position.targets[:index], target, *position.targets[index + 1 :]))
