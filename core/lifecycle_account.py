"""What a read of the whole account, or a restart, means for a position that we believe to hold."""

from dataclasses import replace
from decimal import Decimal

from core.leverage import liquidation_is_far
from core.lifecycle_moves import (
    Concern,
    LifecycleParameters,
    Step,
    attempts_asked_about,
    close_because,
    finished,
    never_held,
    open_questions,
    place_stop,
    query_of,
    to_stage,
)
from core.order_ids import client_order_id
from core.orders import (
    ConditionalChanged,
    ConditionalStatus,
    HeldPosition,
    OrderAbsent,
    OrderEnded,
    Report,
    Role,
)
from core.parameters import LeverageParameters
from core.positions import ExitReason, Position, Stage

_HELD = frozenset({Stage.OPEN, Stage.PROTECTING, Stage.CLOSING, Stage.FROZEN})


def found_flat(position: Position, parameters: LifecycleParameters, *, at: int, mono: float) -> Step:
    """Take note that a whole account read shows no position where we hold one, or may.

    The first such read asks what became of our orders, whose executions may be on their way. The one that
    comes when all of them were answered for, and none made us flat, ends the position as closed by somebody
    else. An entry of unknown outcome ends once it has also not been found often enough.
    """
    if position.stage is Stage.UNKNOWN:
        # Its stop may have closed it before we heard of it: that is asked for longer.
        enough = parameters.strange_probes if position.fills else parameters.absence_probes
        if position.probes < enough:
            return Step(position=position)
        return never_held(position, ExitReason.NOT_PLACED, at, mono)
    if not position.quantity or position.stage not in _HELD:
        return Step(position=position)
    if mono - max(position.tried_mono, position.stage_mono) < parameters.probe_seconds:
        return Step(position=position)
    if position.probes and not position.unanswered:
        ended = replace(position, exit_reason=position.exit_reason or ExitReason.EXTERNAL)
        return finished(ended, at, mono)
    ids = position.unanswered if position.probes else _whatever_may_have_filled(position) * parameters.doubts
    asked = replace(position, probes=position.probes + 1, unanswered=ids, tried_mono=mono)
    return Step(position=asked, commands=tuple(query_of(position, name) for name in dict.fromkeys(ids)))


def found_held(
    position: Position, held: HeldPosition, parameters: LifecycleParameters, *, at: int, mono: float
) -> Step:
    """Compare what a whole account read shows with what we believe to hold.

    An entry that nobody could tell us about is protected first and understood later. Another quantity than
    ours is doubted, asked about, and in the end believed: then the position is frozen. What is closing is
    flat where others hold the other side: the venue knows one position a symbol.
    """
    if position.stage in {Stage.ENTERING, Stage.UNKNOWN}:
        return _found_unknown(position, held, parameters, at=at, mono=mono)
    if position.stage is Stage.CLOSING and held.quantity * position.side < 0:
        return found_flat(position, parameters, at=at, mono=mono)
    if position.stage not in _HELD - {Stage.CLOSING} or not position.entry_settled:
        return Step(position=position)
    if held.quantity == position.quantity * position.side:
        return _agreed(position, held, mono)
    if mono - max(position.tried_mono, position.stage_mono) < parameters.probe_seconds:
        return Step(position=position)
    return _doubted(position, parameters, mono)


def resumed(position: Position, *, mono: float) -> Step:
    """Take up a position of an earlier process: its deadlines start anew, its open questions are asked.

    An intent whose order never left has come to nothing: the signal is old.
    """
    exposed = mono if position.quantity and not position.is_protected else None
    awake = replace(
        position,
        stage_mono=mono,
        tried_mono=mono,
        target_mono=None,
        exposed_mono=exposed,
        beyond_mono=None,
        stop_asked=False,
    )
    match position.stage:
        case Stage.INTENDED:
            never = replace(awake, exit_reason=ExitReason.NOT_PLACED)
            return finished(never, position.plan.planned_at, mono)
        case Stage.ENTERING | Stage.UNKNOWN:
            lost = replace(to_stage(awake, Stage.UNKNOWN, mono), probes=0)
            return Step(position=lost, commands=open_questions(lost))
        case Stage.PROTECTING if awake.stop is None:
            placed = place_stop(awake, mono)
            return replace(placed, commands=(*placed.commands, *open_questions(awake)))
        case _:
            return Step(position=awake, commands=open_questions(awake))


def revived(position: Position, *, mono: float) -> Position:
    """Return a position that was given up as one about whose entry nobody knows: it fills after all."""
    unknown = replace(position, exit_reason=None, closed_at=None, entry_total=None, probes=0, unanswered=())
    return to_stage(unknown, Stage.UNKNOWN, mono)


def answered(position: Position, report: Report) -> Position:
    """Take note that a question of ``found_flat`` has its answer.

    Silence is none, nor is an end before all its executions, nor "not found" until it was said often enough.
    An order that closes the whole position dies with it: where one still rests, the account is not flat,
    whatever its list of positions left out.
    """
    order_id = getattr(report, "client_order_id", "")
    if order_id not in position.unanswered:
        return position
    match report:
        case ConditionalChanged(status=ConditionalStatus.NEW) if _closes_all(position, order_id):
            return replace(position, probes=0, unanswered=())
        case ConditionalChanged():
            is_whole = True
        case OrderAbsent():
            return replace(position, unanswered=_once_less(position.unanswered, order_id))
        case OrderEnded():
            booked = (each for each in position.fills if each.client_order_id == order_id)
            is_whole = sum((each.quantity for each in booked), Decimal(0)) >= report.filled
        case _:
            is_whole = False
    left = tuple(each for each in position.unanswered if each != order_id)
    return replace(position, unanswered=left) if is_whole else position


def _once_less(ids: tuple[str, ...], order_id: str) -> tuple[str, ...]:
    place = ids.index(order_id)
    return ids[:place] + ids[place + 1 :]


def _closes_all(position: Position, order_id: str) -> bool:
    return any(each.client_order_id == order_id and each.quantity is None for each in position.protections)


def _whatever_may_have_filled(position: Position) -> tuple[str, ...]:
    """Name what is open and what was given up as not found: it may have filled, and be why it is flat."""
    asked = (question.client_order_id for question in open_questions(position))
    placed = (
        client_order_id(position.position_id, role, attempt)
        for role in (Role.STOP, Role.TRAIL, Role.TARGET)
        for attempt in attempts_asked_about(position, role)
    )
    return tuple(dict.fromkeys((*asked, *placed)))


def _found_unknown(
    position: Position, held: HeldPosition, parameters: LifecycleParameters, *, at: int, mono: float
) -> Step:
    """Protect what may be ours. An entry that no query finds for long was never placed: it is another's."""
    if position.probes >= parameters.strange_probes:
        return never_held(position, ExitReason.NOT_PLACED, at, mono)
    is_ours = held.quantity * position.side > 0 and abs(held.quantity) <= position.plan.quantity
    if position.fills or position.stop is not None or not is_ours:
        return Step(position=position)
    return place_stop(position, mono)


def _agreed(position: Position, held: HeldPosition, mono: float) -> Step:
    sure = replace(position, doubts=0, probes=0) if position.doubts or position.probes else position
    if position.stage is Stage.FROZEN:
        thawed = to_stage(sure, Stage.OPEN if sure.is_protected else Stage.PROTECTING, mono)
        return Step(position=thawed, concerns=(Concern.THAWED,))
    is_far = liquidation_is_far(
        entry=position.entry_price,
        stop=position.plan.stop,
        liquidation=held.liquidation_price,
        parameters=_NEAREST_LIQUIDATION,
    )
    return Step(position=sure) if is_far else close_because(sure, ExitReason.LIQUIDATION_NEAR, mono)


_NEAREST_LIQUIDATION = LeverageParameters(liquidation_to_stop=Decimal("1.2"))
"""Funding eats margin while a position is held; nearer than this to the stop, it is left."""


def _doubted(position: Position, parameters: LifecycleParameters, mono: float) -> Step:
    doubted = replace(position, doubts=position.doubts + 1, tried_mono=mono)
    if doubted.doubts == 1:
        return Step(position=doubted, commands=open_questions(position))
    if doubted.doubts < parameters.doubts or position.stage is Stage.FROZEN:
        return Step(position=doubted)
    return Step(position=to_stage(doubted, Stage.FROZEN, mono), concerns=(Concern.FROZEN,))
