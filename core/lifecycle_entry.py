"""How a position comes to be: prepared, ordered, filled, found out about when nobody knows."""

from dataclasses import replace

from core.leverage import liquidation_distance
from core.lifecycle_moves import (
    Concern,
    LifecycleParameters,
    Step,
    close_now,
    entry_query,
    finished,
    missing_targets,
    never_held,
    next_attempt,
    place_stop,
    place_targets,
    since,
    to_stage,
)
from core.orders import OrderEnded, OrderFilled, Role, SubmitEntry, SymbolPrepared
from core.positions import ExitReason, Position, Stage


def on_prepared(
    position: Position, report: SymbolPrepared, parameters: LifecycleParameters, mono: float
) -> Step:
    """Send the entry, unless the symbol is not as planned or its signal has grown old."""
    if position.stage is not Stage.INTENDED:
        return Step(position=position)
    is_old = report.at - position.plan.candidate.at > parameters.oldest_signal_ms
    if report.leverage != position.plan.leverage or is_old or _is_late(position, parameters, mono):
        return finished(replace(position, exit_reason=ExitReason.NOT_PREPARED), report.at, mono)
    entering, order_id = next_attempt(position, Role.ENTRY)
    entry = SubmitEntry(
        position_id=position.position_id,
        client_order_id=order_id,
        symbol=position.symbol,
        side=position.side,
        quantity=position.plan.quantity,
    )
    asked = replace(to_stage(entering, Stage.ENTERING, mono), tried_mono=mono)
    return Step(position=asked, commands=(entry,))


def on_entry_fill(
    position: Position, report: OrderFilled, parameters: LifecycleParameters, mono: float
) -> Step:
    """Follow one execution of the entry, which ``position`` holds already: protect the first, then settle."""
    held = replace(
        position,
        opened_at=position.opened_at or report.at,
        exposed_mono=position.exposed_mono if position.is_protected else since(position.exposed_mono, mono),
        favourable=position.favourable or report.price,
        adverse=position.adverse or report.price,
    )
    if held.stage not in {Stage.ENTERING, Stage.UNKNOWN}:
        return settle(held, parameters, mono)
    if held.exited:  # its stop is spent: what is left lies bare
        return _leave(held, report.at, parameters, mono)
    if held.is_protected:  # it was protected before we knew what it holds
        return settle(to_stage(held, Stage.OPEN, mono), parameters, mono)
    protecting = to_stage(held, Stage.PROTECTING, mono)
    placed = place_stop(protecting, mono) if held.stop is None else Step(position=protecting)
    settled = settle(placed.position, parameters, mono)
    return Step(position=settled.position, commands=placed.commands + settled.commands)


def _leave(position: Position, entered_at: int, parameters: LifecycleParameters, mono: float) -> Step:
    """Close what is left after an exit that was heard first. One from before the entry took another's."""
    ours = tuple(each for each in position.fills if each.opening or each.at >= entered_at)
    concerns = (Concern.TOOK_ANOTHERS,) if ours != position.fills else ()
    closing = to_stage(replace(position, fills=ours), Stage.CLOSING, mono)
    return replace(settle(closing, parameters, mono), concerns=concerns)


def settle(position: Position, parameters: LifecycleParameters, mono: float) -> Step:
    """Once all of the entry is known: leave what is not the trade that was planned, else place targets."""
    if position.entry_settled and position.exited and not position.quantity:
        return finished(position, max(fill.at for fill in position.fills), mono)
    if not position.entry_settled or position.targets or position.stage in {Stage.CLOSING, Stage.FROZEN}:
        return Step(position=position)
    real, planned = (position.entry_price - position.plan.stop) * position.side, position.plan.risk_a_unit
    if not parameters.min_real_risk * planned <= real <= parameters.max_real_risk * planned:
        return close_now(replace(position, exit_reason=ExitReason.SLIPPED_ENTRY), mono)
    if _liquidation_is_near(position, parameters):
        return close_now(replace(position, exit_reason=ExitReason.LIQUIDATION_NEAR), mono)
    return place_targets(position, mono) if missing_targets(position) else Step(position=position)


def on_entry_ended(
    position: Position, report: OrderEnded, parameters: LifecycleParameters, mono: float
) -> Step:
    """Learn what the entry filled in the end; executions of it may still be on their way."""
    ended = replace(position, entry_total=report.filled)
    if not report.filled and not position.entered:
        return never_held(ended, ExitReason.NOT_FILLED, report.at, mono)
    return settle(ended, parameters, mono)


def on_entry_unknown(position: Position, mono: float) -> Step:
    """Ask, never send again: a market order of unknown outcome may have filled."""
    if position.stage not in {Stage.ENTERING, Stage.UNKNOWN}:
        return Step(position=position)
    asked = replace(to_stage(position, Stage.UNKNOWN, mono), tried_mono=mono)
    if position.stage is Stage.UNKNOWN:  # a question that met silence; the next one has its own time
        return Step(position=asked)
    return Step(position=replace(asked, probes=0), commands=(entry_query(position),))


def on_entry_absent(position: Position) -> Step:
    """Count it: only with a read of the whole account does absence end a position (``found_flat``)."""
    if position.stage is not Stage.UNKNOWN:
        return Step(position=position)
    return Step(position=replace(position, probes=position.probes + 1))


def watch_intended(position: Position, parameters: LifecycleParameters, mono: float) -> Step:
    if not _is_late(position, parameters, mono):
        return Step(position=position)
    late = replace(position, exit_reason=ExitReason.NOT_PREPARED)
    return finished(late, position.plan.planned_at, mono)


def watch_entry(position: Position, parameters: LifecycleParameters, mono: float) -> Step:
    patience = parameters.probe_seconds if position.stage is Stage.UNKNOWN else parameters.protect_seconds
    if mono - position.tried_mono < patience:
        return Step(position=position)
    asked = replace(to_stage(position, Stage.UNKNOWN, mono), tried_mono=mono)
    return Step(position=asked, commands=(entry_query(position),))


def _is_late(position: Position, parameters: LifecycleParameters, mono: float) -> bool:
    return mono - position.stage_mono > parameters.prepare_seconds


def _liquidation_is_near(position: Position, parameters: LifecycleParameters) -> bool:
    if not position.plan.instrument.brackets:
        return False
    distance = liquidation_distance(
        position.plan.instrument,
        position.side,
        leverage=position.plan.leverage,
        notional=position.entered * position.entry_price,
    )
    return distance * position.entry_price < parameters.liquidation_to_stop * position.real_risk
