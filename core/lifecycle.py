"""The life of a position as a pure state machine: a report or the passing of time in, commands out.

    intended ─▶ entering ─▶ protecting ─▶ open ─▶ closing ─▶ closed
                   │  ▲                     │
                   ▼  │                     └─ a lost stop leads back to protecting
                 unknown

Real and virtual positions run through the same code. Nothing here waits, reads a clock or sends: services
carry the commands out and bring back what the venue said.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from core.lifecycle_moves import (
    Step,
    close_now,
    finished,
    is_order,
    next_attempt,
    place_stop,
    place_target,
    query_of,
    since,
    to_stage,
)
from core.orders import (
    ConditionalChanged,
    ConditionalStatus,
    FundingPaid,
    OrderAbsent,
    OrderEnded,
    OrderFilled,
    OrderRejected,
    OrderUnknown,
    PrepareSymbol,
    Report,
    Role,
    SubmitEntry,
    SymbolPrepared,
    client_order_id,
    role_of,
)
from core.positions import ExitReason, FillRecord, Position, PositionPlan, Protection, Stage
from core.signals import Side

WOULD_TRIGGER_AT_ONCE = -2021
_TRIGGERED = {ConditionalStatus.TRIGGERING, ConditionalStatus.TRIGGERED, ConditionalStatus.FINISHED}


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleParameters:
    """Deadlines in monotonic seconds; real risk is held to these multiples of the planned one (strategy §9).

    An entry that filled too near its stop, or beyond it, is no more the trade that was planned than one
    that filled too far away: its stop would lie inside the noise it was to stay out of.

    An entry of unknown outcome counts as never placed after ``absence_probes`` queries that did not find
    it, ``probe_seconds`` apart: right after sending, not found is not absent.
    """

    protect_seconds: float = 5.0
    retry_seconds: float = 0.5
    trigger_seconds: float = 3.0
    probe_seconds: float = 1.0
    absence_probes: int = 8
    target_retry_seconds: float = 10.0
    max_real_risk: Decimal = Decimal("1.25")
    min_real_risk: Decimal = Decimal("0.5")


def begin(plan: PositionPlan, *, mono: float) -> Step:
    """Start a life. The plan must be durable before the command leaves."""
    position = Position(plan=plan, stage_mono=mono, tried_mono=mono)
    prepare = PrepareSymbol(position_id=plan.position_id, symbol=plan.symbol, leverage=plan.leverage)
    return Step(position=position, commands=(prepare,))


def on_report(  # noqa: C901, PLR0911 - a flat table of what each report does
    position: Position, report: Report, parameters: LifecycleParameters, *, mono: float
) -> Step:
    """Apply what the venue said. News that changes nothing, or came before, changes nothing."""
    if position.stage is Stage.CLOSED:
        return Step(position=position)
    match report:
        case SymbolPrepared():
            return _on_prepared(position, report, mono)
        case OrderFilled():
            return _on_filled(position, report, parameters, mono)
        case OrderEnded():
            return _on_ended(position, report, parameters, mono)
        case ConditionalChanged():
            return _on_conditional(position, report, mono)
        case OrderRejected():
            return _on_rejected(position, report, mono)
        case OrderUnknown():
            return _on_unknown(position, report, mono)
        case OrderAbsent():
            return _on_absent(position, report, parameters, mono)
        case FundingPaid():
            return Step(position=replace(position, funding=position.funding + report.amount))
        case _:
            return Step(position=position)


def on_time(position: Position, parameters: LifecycleParameters, *, mono: float) -> Step:
    """Do what a deadline asks for; call it several times a second of machine time."""
    watch = _WATCHES.get(position.stage)
    return watch(position, parameters, mono) if watch else Step(position=position)


def request_close(position: Position, reason: ExitReason, *, mono: float) -> Step:
    """Close what is held at market. One already closing or holding nothing is left as it is."""
    if position.stage not in {Stage.OPEN, Stage.PROTECTING} or not position.quantity:
        return Step(position=position)
    return close_now(replace(position, exit_reason=reason), mono)


def found_flat(position: Position, parameters: LifecycleParameters, *, at: int, mono: float) -> Step:
    """Take note that a whole account read shows no position where we hold one.

    The first such read asks what became of stop and target, whose executions may be on their way; the
    second, a probe later, ends the position as closed by somebody else.
    """
    if not position.quantity or position.stage not in {Stage.OPEN, Stage.PROTECTING, Stage.CLOSING}:
        return Step(position=position)
    if mono - max(position.tried_mono, position.stage_mono) < parameters.probe_seconds:
        return Step(position=position)
    if position.probes:
        ended = replace(position, exit_reason=position.exit_reason or ExitReason.EXTERNAL)
        return finished(ended, at, mono)
    queries = tuple(
        query_of(position, protection.client_order_id)
        for protection in (position.stop, position.target)
        if protection
    )
    return Step(position=replace(position, probes=1, tried_mono=mono), commands=queries)


def with_excursion(position: Position, *, high: Decimal, low: Decimal) -> Position:
    """Widen the best and worst price reached by one candle of an open position."""
    if position.favourable is None or position.adverse is None:
        return position
    best, worst = (high, low) if position.side is Side.LONG else (low, high)
    pick_best, pick_worst = (max, min) if position.side is Side.LONG else (min, max)
    return replace(
        position,
        favourable=pick_best(position.favourable, best),
        adverse=pick_worst(position.adverse, worst),
    )


# --- reports ----------------------------------------------------------------------------------------


def _on_prepared(position: Position, report: SymbolPrepared, mono: float) -> Step:
    if position.stage is not Stage.INTENDED:
        return Step(position=position)
    if report.leverage != position.plan.leverage:
        return finished(replace(position, exit_reason=ExitReason.NOT_PREPARED), report.at, mono)
    entering, order_id = next_attempt(position, Role.ENTRY)
    entry = SubmitEntry(
        position_id=position.position_id,
        client_order_id=order_id,
        symbol=position.symbol,
        side=position.side,
        quantity=position.plan.quantity,
    )
    return Step(position=to_stage(entering, Stage.ENTERING, mono), commands=(entry,))


def _on_filled(position: Position, report: OrderFilled, parameters: LifecycleParameters, mono: float) -> Step:
    if any(fill.trade_id == report.trade_id for fill in position.fills):
        return Step(position=position)
    opening = report.side is position.side
    fill = FillRecord(
        trade_id=report.trade_id,
        client_order_id=report.client_order_id,
        opening=opening,
        quantity=report.quantity,
        price=report.price,
        fee=report.fee,
        at=report.at,
    )
    filled = replace(position, fills=(*position.fills, fill), probes=0)
    if opening:
        return _after_entry_fill(filled, report, parameters, mono)
    return _after_exit_fill(filled, report, mono)


def _after_entry_fill(
    position: Position, report: OrderFilled, parameters: LifecycleParameters, mono: float
) -> Step:
    held = replace(
        position,
        opened_at=position.opened_at or report.at,
        exposed_mono=mono
        if position.stop is None and position.exposed_mono is None
        else position.exposed_mono,
        favourable=position.favourable or report.price,
        adverse=position.adverse or report.price,
    )
    if held.stage in {Stage.ENTERING, Stage.UNKNOWN}:
        protecting = place_stop(to_stage(held, Stage.PROTECTING, mono), mono)
        settled = _after_entry_settled(protecting.position, parameters, mono)
        return Step(position=settled.position, commands=protecting.commands + settled.commands)
    return _after_entry_settled(held, parameters, mono)


def _after_entry_settled(position: Position, parameters: LifecycleParameters, mono: float) -> Step:
    """Once all of the entry is known: leave if it slipped too far, else place the target from real fills."""
    if not position.entry_settled or position.target or position.stage is Stage.CLOSING:
        return Step(position=position)
    real, planned = (position.entry_price - position.plan.stop) * position.side, position.plan.risk_a_unit
    if not parameters.min_real_risk * planned <= real <= parameters.max_real_risk * planned:
        return close_now(replace(position, exit_reason=ExitReason.SLIPPED_ENTRY), mono)
    return place_target(position, mono)


def _after_exit_fill(position: Position, report: OrderFilled, mono: float) -> Step:
    reasoned = replace(position, exit_reason=position.exit_reason or _reason_of(position, report))
    if reasoned.quantity > 0 or not reasoned.entry_settled:
        return Step(position=to_stage(reasoned, Stage.CLOSING, mono))
    return finished(reasoned, report.at, mono)


def _reason_of(position: Position, report: OrderFilled) -> ExitReason:
    for protection, reason in ((position.stop, ExitReason.STOP), (position.target, ExitReason.TARGET)):
        if protection and (
            report.client_order_id == protection.client_order_id
            or report.venue_order_id == protection.venue_order_id
        ):
            return reason
    return ExitReason.EXTERNAL


def _on_ended(position: Position, report: OrderEnded, parameters: LifecycleParameters, mono: float) -> Step:
    if role_of(report.client_order_id) is not Role.ENTRY:
        return Step(position=position)
    ended = replace(position, entry_total=report.filled)
    if not report.filled:
        return finished(replace(ended, exit_reason=ExitReason.NOT_FILLED), report.at, mono)
    if ended.entry_settled and not ended.quantity:
        return finished(ended, report.at, mono)
    return _after_entry_settled(ended, parameters, mono)


def _on_conditional(position: Position, report: ConditionalChanged, mono: float) -> Step:
    if position.stop and report.client_order_id == position.stop.client_order_id:
        return _on_stop(position, position.stop, report, mono)
    if position.target and report.client_order_id == position.target.client_order_id:
        return _on_target(position, position.target, report, mono)
    return Step(position=position)


def _on_stop(position: Position, stop: Protection, report: ConditionalChanged, mono: float) -> Step:
    if report.status is ConditionalStatus.NEW:
        return Step(position=position if stop.confirmed else _protected(position, stop, mono))
    if report.status in _TRIGGERED:
        return _triggered(replace(position, stop=_became(stop, report)), ExitReason.STOP, mono)
    if position.stage is Stage.CLOSING:
        # A stop expires when its position is gone; only the one that was to close it must be replaced.
        lost = replace(position, stop=None)
        return close_now(lost, mono) if position.exit_reason is ExitReason.STOP else Step(position=lost)
    exposed = replace(position, stop=None, exposed_mono=mono)
    return place_stop(to_stage(exposed, Stage.PROTECTING, mono), mono)


def _on_target(position: Position, target: Protection, report: ConditionalChanged, mono: float) -> Step:
    if report.status is ConditionalStatus.NEW:
        confirmed = replace(position, target=replace(target, confirmed=True))
        return Step(position=position if target.confirmed else confirmed)
    if report.status in _TRIGGERED:
        return _triggered(replace(position, target=_became(target, report)), ExitReason.TARGET, mono)
    return Step(position=replace(position, target=None, tried_mono=mono))


def _protected(position: Position, stop: Protection, mono: float) -> Position:
    exposed = mono - position.exposed_mono if position.exposed_mono is not None else 0.0
    confirmed = replace(
        position,
        stop=replace(stop, confirmed=True),
        exposed_mono=None,
        unprotected_seconds=max(position.unprotected_seconds, exposed),
    )
    return to_stage(confirmed, Stage.OPEN, mono) if position.stage is Stage.PROTECTING else confirmed


def _became(protection: Protection, report: ConditionalChanged) -> Protection:
    return replace(protection, venue_order_id=report.venue_order_id or protection.venue_order_id)


def _triggered(position: Position, reason: ExitReason, mono: float) -> Step:
    if position.stage is Stage.CLOSING:
        return Step(position=position)
    return Step(
        position=to_stage(replace(position, exit_reason=reason, tried_mono=mono), Stage.CLOSING, mono)
    )


def _on_rejected(position: Position, report: OrderRejected, mono: float) -> Step:
    match role_of(report.client_order_id):
        case None if position.stage is Stage.INTENDED:
            return finished(replace(position, exit_reason=ExitReason.NOT_PREPARED), report.at, mono)
        case Role.ENTRY if not position.fills:
            return finished(replace(position, exit_reason=ExitReason.ENTRY_REJECTED), report.at, mono)
        case Role.STOP if is_order(position.stop, report.client_order_id):
            return _stop_rejected(position, report, mono)
        case Role.TARGET if is_order(position.target, report.client_order_id):
            return Step(position=replace(position, target=None, tried_mono=mono))
        case _:
            # A refused close is tried again when its time comes round (``_watch_closing``).
            return Step(position=position)


def _stop_rejected(position: Position, report: OrderRejected, mono: float) -> Step:
    without = replace(position, stop=None, exposed_mono=since(position.exposed_mono, mono), tried_mono=mono)
    if report.code == WOULD_TRIGGER_AT_ONCE:
        return close_now(replace(without, exit_reason=ExitReason.STOP), mono)
    return Step(position=without)


def _on_unknown(position: Position, report: OrderUnknown, mono: float) -> Step:
    if role_of(report.client_order_id) is None:
        return finished(replace(position, exit_reason=ExitReason.NOT_PREPARED), report.at, mono)
    asked = replace(position, tried_mono=mono)
    if position.stage is Stage.ENTERING:
        asked = to_stage(replace(asked, probes=0), Stage.UNKNOWN, mono)
    return Step(position=asked, commands=(query_of(position, report.client_order_id),))


def _on_absent(position: Position, report: OrderAbsent, parameters: LifecycleParameters, mono: float) -> Step:
    role = role_of(report.client_order_id)
    if role is Role.STOP and is_order(position.stop, report.client_order_id):
        return Step(position=replace(position, stop=None, tried_mono=mono))
    if role is Role.TARGET and is_order(position.target, report.client_order_id):
        return Step(position=replace(position, target=None, tried_mono=mono))
    if role is not Role.ENTRY or position.stage is not Stage.UNKNOWN:
        return Step(position=position)
    if position.probes + 1 >= parameters.absence_probes:
        return finished(replace(position, exit_reason=ExitReason.NOT_PLACED), report.at, mono)
    return Step(position=replace(position, probes=position.probes + 1))


# --- time -------------------------------------------------------------------------------------------


def _watch_entry(position: Position, parameters: LifecycleParameters, mono: float) -> Step:
    patience = parameters.probe_seconds if position.stage is Stage.UNKNOWN else parameters.protect_seconds
    if mono - position.tried_mono < patience:
        return Step(position=position)
    order_id = client_order_id(position.position_id, Role.ENTRY, position.attempts[Role.ENTRY])
    asked = replace(to_stage(position, Stage.UNKNOWN, mono), tried_mono=mono)
    return Step(position=asked, commands=(query_of(position, order_id),))


def _watch_protecting(position: Position, parameters: LifecycleParameters, mono: float) -> Step:
    if position.exposed_mono is not None and mono - position.exposed_mono > parameters.protect_seconds:
        return close_now(replace(position, exit_reason=ExitReason.UNPROTECTED), mono)
    if position.stop is None and mono - position.tried_mono >= parameters.retry_seconds:
        return place_stop(position, mono)
    return Step(position=position)


def _watch_open(position: Position, parameters: LifecycleParameters, mono: float) -> Step:
    if not position.entry_settled and mono - position.tried_mono >= parameters.protect_seconds:
        order_id = client_order_id(position.position_id, Role.ENTRY, position.attempts[Role.ENTRY])
        return Step(position=replace(position, tried_mono=mono), commands=(query_of(position, order_id),))
    wants_target = position.entry_settled and position.target is None
    if wants_target and mono - position.tried_mono >= parameters.target_retry_seconds:
        return place_target(position, mono)
    return Step(position=position)


def _watch_closing(position: Position, parameters: LifecycleParameters, mono: float) -> Step:
    if not position.quantity or mono - position.tried_mono < parameters.trigger_seconds:
        return Step(position=position)
    return close_now(position, mono)


_WATCHES: dict[Stage, Callable[[Position, LifecycleParameters, float], Step]] = {
    Stage.ENTERING: _watch_entry,
    Stage.UNKNOWN: _watch_entry,
    Stage.PROTECTING: _watch_protecting,
    Stage.OPEN: _watch_open,
    Stage.CLOSING: _watch_closing,
}
