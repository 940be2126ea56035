"""The life of a position as a pure state machine: a report, a price or the passing of time in, commands out.

    intended ─▶ entering ─▶ protecting ─▶ open ─▶ closing ─▶ closed
                   │  ▲          │  ▲       │         ▲
                   ▼  │          ▼  │       ▼         │
                 unknown        frozen ◀─▶ (open) ────┘

======================  =======================================================================  ===========
from                    what happens                                                             to
======================  =======================================================================  ===========
intended                symbol prepared as planned: the entry leaves                             entering
intended                refused, unknown, another leverage than planned, or not in time          closed
entering                first execution: the stop leaves                                         protecting
entering                no answer, or none in time: asked for, never sent again                  unknown
entering, unknown       refused or ended with nothing filled                                     closed
unknown                 found: first execution                                                   protecting
unknown                 not found often enough *and* an account read that shows nothing          closed
unknown                 the account shows it: protected before it is understood                  unknown
unknown                 its stop took something, and it is never found: that was another's       closed
protecting              stop confirmed                                                           open
protecting              not confirmed in time, after one question; or price beyond it (-2021)    closing
open                    stop lost: placed again at once                                          protecting
open                    stop or last target triggered; thesis, time, operator; real risk or
                        liquidation not as planned; mark beyond the stop for too long            closing
open, protecting        the account keeps showing another quantity; somebody else traded it      frozen
frozen                  the account shows our quantity again                                     open,
                                                                                                 protecting
frozen                  an operator closes; mark beyond the stop for too long                    closing
closing                 not flat in time: closed again, ever more slowly, and people are told    closing
any that holds          flat: by our fills, or by the account, all of ours asked for             closed
closing                 the account shows somebody else's on the other side: flat, as above      closed
closed, nothing filled  its entry fills after all: protected, and left                           closing
======================  =======================================================================  ===========

*Frozen* says "I do not know": nothing is opened, moved or taken off, but what protects stays and is
replaced when lost. Real and virtual positions run through the same code. Nothing here waits, reads a clock
or sends: services carry the commands out and bring back what the venue said.
"""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from core.lifecycle_account import answered, found_flat, found_held, resumed, revived
from core.lifecycle_entry import (
    on_entry_absent,
    on_entry_ended,
    on_entry_unknown,
    on_prepared,
    settle,
    watch_entry,
    watch_intended,
)
from core.lifecycle_fills import is_of_another, on_filled
from core.lifecycle_moves import (
    Concern,
    LifecycleParameters,
    Step,
    close_now,
    entry_query,
    finished,
    is_order,
    is_worth_telling,
    never_held,
    query_of,
)
from core.lifecycle_protection import (
    look_up,
    lose_stop,
    on_conditional,
    on_listed,
    on_stop_rejected,
    on_target_gone,
    on_trail_rejected,
    tighten,
    watch_mark,
    watch_orders_beside,
    watch_protecting,
)
from core.lifecycle_terms import on_terms
from core.order_ids import role_of
from core.orders import (
    ConditionalChanged,
    ConditionalsListed,
    ContractRead,
    FundingPaid,
    OrderAbsent,
    OrderEnded,
    OrderFilled,
    OrderRejected,
    OrderUnknown,
    PrepareSymbol,
    Report,
    Role,
    SymbolPrepared,
)
from core.positions import ExitReason, Position, PositionPlan, Stage
from core.signals import Side

__all__ = [
    "LifecycleParameters",
    "begin",
    "entered_late",
    "found_flat",
    "found_held",
    "on_mark",
    "on_report",
    "on_terms",
    "on_time",
    "request_close",
    "resumed",
    "tighten",
    "with_excursion",
    "withdrawn",
]

_CLOSABLE = frozenset({Stage.PROTECTING, Stage.OPEN, Stage.FROZEN})


def begin(plan: PositionPlan, *, mono: float) -> Step:
    """Start a life. The plan must be durable before the command leaves."""
    position = Position(plan=plan, stage_mono=mono, tried_mono=mono)
    prepare = PrepareSymbol(position_id=plan.position_id, symbol=plan.symbol, leverage=plan.leverage)
    return Step(position=position, commands=(prepare,))


def on_report(  # noqa: C901, PLR0911 - a flat table of what each report does
    position: Position, report: Report, parameters: LifecycleParameters, *, mono: float
) -> Step:
    """Apply what the venue said. News that changes nothing, or came before, changes nothing."""
    if position.stage is Stage.CLOSED or is_of_another(position, report):
        return Step(position=position)
    position = answered(position, report)
    match report:
        case SymbolPrepared():
            return on_prepared(position, report, parameters, mono)
        case OrderFilled():
            return on_filled(position, report, parameters, mono)
        case OrderEnded():
            return _on_ended(position, report, parameters, mono)
        case ConditionalChanged():
            return on_conditional(position, report, mono)
        case ConditionalsListed():
            return on_listed(position, report, mono)
        case OrderRejected():
            return _on_rejected(position, report, parameters, mono)
        case OrderUnknown():
            return _on_unknown(position, report, mono)
        case OrderAbsent():
            return _on_absent(position, report, mono)
        case ContractRead():
            return on_terms(position, report.instrument, mono=mono)
        case FundingPaid():
            return Step(position=position.with_funding(report.amount, report.income_id))
        case _:
            return Step(position=position)


def entered_late(
    position: Position, fill: OrderFilled, parameters: LifecycleParameters, *, mono: float
) -> Step:
    """Take up a position that was given up and whose entry fills after all: protect it, and leave it.

    Its signal is old, and its place may be taken.
    """
    held = on_report(revived(position, mono=mono), fill, parameters, mono=mono)
    left = request_close(held.position, ExitReason.LATE_ENTRY, mono=mono)
    return Step(
        position=left.position,
        commands=(*held.commands, *left.commands),
        concerns=(*held.concerns, Concern.ENTERED_LATE),
    )


def on_time(position: Position, parameters: LifecycleParameters, *, mono: float) -> Step:
    """Do what a deadline asks for; call it several times a second of machine time."""
    watch = _WATCHES.get(position.stage)
    return watch(position, parameters, mono) if watch else Step(position=position)


def on_mark(position: Position, mark: Decimal, parameters: LifecycleParameters, *, mono: float) -> Step:
    """Back up the stops that rest at the venue with the mark price as we see it."""
    if position.stage not in _CLOSABLE or not position.quantity:
        return Step(position=position)
    return watch_mark(position, mark, parameters, mono)


def request_close(position: Position, reason: ExitReason, *, mono: float) -> Step:
    """Close what is held at market. One already closing or holding nothing is left as it is.

    What is frozen only an operator closes.
    """
    allowed = _CLOSABLE if reason is ExitReason.OPERATOR else _CLOSABLE - {Stage.FROZEN}
    if position.stage not in allowed or not position.quantity:
        return Step(position=position)
    return close_now(replace(position, exit_reason=reason), mono)


def withdrawn(position: Position, at: int, mono: float) -> Step:
    """End a life whose entry was taken back before anything was filled."""
    return finished(replace(position, exit_reason=ExitReason.NOT_PLACED), at, mono)


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


def _on_ended(position: Position, report: OrderEnded, parameters: LifecycleParameters, mono: float) -> Step:
    if role_of(report.client_order_id) is not Role.ENTRY:
        return Step(position=position)
    return on_entry_ended(position, report, parameters, mono)


def _on_rejected(
    position: Position, report: OrderRejected, parameters: LifecycleParameters, mono: float
) -> Step:
    match role_of(report.client_order_id):
        case None if position.stage is Stage.INTENDED:
            return finished(replace(position, exit_reason=ExitReason.NOT_PREPARED), report.at, mono)
        case Role.ENTRY if not position.entered:
            return never_held(position, ExitReason.ENTRY_REJECTED, report.at, mono)
        case Role.STOP if is_order(position.stop, report.client_order_id):
            return on_stop_rejected(position, report, mono)
        case Role.TRAIL if is_order(position.next_trail, report.client_order_id):
            return on_trail_rejected(position, report, mono)
        case Role.TARGET:
            return on_target_gone(position, report.client_order_id, report.code, mono)
        case Role.CLOSE:
            # Flat already, or under other terms than we know; the next attempt comes in its time anyway.
            # Nothing of this one is on its way, so the account that is read now is what it will be.
            settled = replace(position, tried_mono=min(position.tried_mono, mono - parameters.probe_seconds))
            return Step(position=settled, commands=look_up(position, report.code))
        case _:
            return Step(position=position)


def _on_unknown(position: Position, report: OrderUnknown, mono: float) -> Step:
    role = role_of(report.client_order_id)
    if role is None:
        if position.stage is not Stage.INTENDED:
            return Step(position=position)
        return finished(replace(position, exit_reason=ExitReason.NOT_PREPARED), report.at, mono)
    if role is Role.ENTRY:
        return on_entry_unknown(position, mono)
    is_stop = is_order(position.stop, report.client_order_id)
    if report.asked or (is_stop and position.stop_asked):
        return Step(position=position)  # the question itself met silence: the deadline decides
    asked = replace(position, tried_mono=mono, stop_asked=position.stop_asked or is_stop)
    return Step(position=asked, commands=(query_of(position, report.client_order_id),))


def _on_absent(position: Position, report: OrderAbsent, mono: float) -> Step:
    order_id = report.client_order_id
    match role_of(order_id):
        case Role.ENTRY:
            return on_entry_absent(position)
        case Role.STOP if is_order(position.stop, order_id):
            return lose_stop(position, mono)
        case Role.TRAIL if is_order(position.next_trail, order_id):
            return Step(position=replace(position, next_trail=None, tried_mono=mono))
        case Role.TRAIL if is_order(position.trail, order_id):
            return Step(position=replace(position, trail=None, tried_mono=mono))
        case Role.TARGET:
            return on_target_gone(position, order_id, 0, mono)
        case _:
            return Step(position=position)


# --- time -------------------------------------------------------------------------------------------


def _watch_open(position: Position, parameters: LifecycleParameters, mono: float) -> Step:
    if not position.is_protected:
        return watch_protecting(position, parameters, mono)
    if not position.entry_settled and mono - position.tried_mono >= parameters.protect_seconds:
        return Step(position=replace(position, tried_mono=mono), commands=(entry_query(position),))
    settled = settle(position, parameters, mono)
    if settled.commands:
        return settled
    return watch_orders_beside(position, parameters, mono)


def _watch_frozen(position: Position, parameters: LifecycleParameters, mono: float) -> Step:
    if position.is_protected or not position.quantity:
        return Step(position=position)
    return watch_protecting(position, parameters, mono)


def _watch_closing(position: Position, parameters: LifecycleParameters, mono: float) -> Step:
    """Try until flat, ever more slowly, but never for long without while no stop rests either.

    Orders that can only reduce may be sent again.
    """
    if not position.quantity and mono - position.tried_mono >= parameters.protect_seconds:
        return Step(position=replace(position, tried_mono=mono), commands=(entry_query(position),))
    tries = position.attempts.get(Role.CLOSE, 0)
    patience = parameters.trigger_seconds * 2 ** max(min(tries, 10) - 1, 0)
    longest = parameters.close_retry_most if position.is_protected else parameters.close_retry_exposed
    if not position.quantity or mono - position.tried_mono < min(patience, longest):
        return Step(position=position)
    is_news = tries >= parameters.closes_before_alarm and is_worth_telling(tries + 1)
    return replace(close_now(position, mono), concerns=(Concern.CLOSE_STUCK,) if is_news else ())


_WATCHES: dict[Stage, Callable[[Position, LifecycleParameters, float], Step]] = {
    Stage.INTENDED: watch_intended,
    Stage.ENTERING: watch_entry,
    Stage.UNKNOWN: watch_entry,
    Stage.PROTECTING: watch_protecting,
    Stage.OPEN: _watch_open,
    Stage.CLOSING: _watch_closing,
    Stage.FROZEN: _watch_frozen,
}
