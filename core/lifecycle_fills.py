"""What an execution does to a position: it is booked once, and what it was for decides what follows."""

from dataclasses import replace

from core.lifecycle_entry import on_entry_fill
from core.lifecycle_moves import Concern, LifecycleParameters, Step, finished, to_stage
from core.order_ids import role_of, tag_of
from core.orders import OrderFilled, Report, Role
from core.positions import ExitReason, FillRecord, Position, Protection, Stage


def on_filled(position: Position, report: OrderFilled, parameters: LifecycleParameters, mono: float) -> Step:
    """Book one execution, once, and draw the conclusion; one that can not be ours freezes the position."""
    if any(fill.trade_id == report.trade_id for fill in position.fills):
        return Step(position=position)
    is_ours = tag_of(report.client_order_id) == position.tag
    if report.side is position.side:
        if not is_ours:
            return _freeze(position, mono)  # somebody else added to it: theirs is not ours to book
        return on_entry_fill(_booked(position, report, opening=True), report, parameters, mono)
    if not is_ours and (report.at < position.plan.planned_at or not position.quantity):
        # Somebody's who closed nothing of ours: what it did, the account shows.
        return Step(position=position)
    if not position.quantity and position.entry_settled:
        return Step(position=position)
    return _after_exit_fill(_booked(position, report, opening=False), report, mono)


def is_of_another(position: Position, report: Report) -> bool:
    """Tell late news of an order of an earlier position on the symbol. What it did, the account shows."""
    if tag_of(getattr(report, "client_order_id", "")) in {None, position.tag}:
        return False
    return not (isinstance(report, OrderFilled) and _takes_from(position, report))


def _takes_from(position: Position, fill: OrderFilled) -> bool:
    """Tell an exit of an earlier position that was stuck at the venue and executed after our entry did.

    The venue knows one position a symbol: it was ours that was reduced. Both times are the venue's.
    """
    entered = [each.at for each in position.fills if each.opening]
    return fill.side is not position.side and bool(entered) and fill.at > max(entered)


def _booked(position: Position, report: OrderFilled, *, opening: bool) -> Position:
    """Add one execution. A stop that closes the whole position may take more than is ours off: book ours."""
    quantity, fee = report.quantity, report.fee
    if not opening and position.entry_settled and quantity > position.quantity:
        fee = fee * position.quantity / quantity
        quantity = position.quantity
    fill = FillRecord(
        trade_id=report.trade_id,
        client_order_id=report.client_order_id,
        opening=opening,
        quantity=quantity,
        price=report.price,
        fee=fee,
        at=report.at,
    )
    return replace(position, fills=(*position.fills, fill), probes=0, doubts=0)


def _after_exit_fill(position: Position, report: OrderFilled, mono: float) -> Step:
    reason = _reason_of(position, report)
    if not position.entered:  # it answered to an entry that we have not heard of yet, or to somebody else's
        return Step(position=replace(position, exit_reason=reason))
    if position.quantity <= 0 and position.entry_settled:
        return finished(replace(position, exit_reason=position.exit_reason or reason), report.at, mono)
    if _is_partial_target(position, report):
        return Step(position=position)
    if reason is ExitReason.EXTERNAL and position.stage is not Stage.CLOSING and position.entry_settled:
        return _freeze(position, mono)
    if position.stage is Stage.FROZEN:
        return Step(position=position)
    reasoned = replace(position, exit_reason=position.exit_reason or reason)
    return Step(position=to_stage(reasoned, Stage.CLOSING, mono))


def _reason_of(position: Position, report: OrderFilled) -> ExitReason:
    stops = (position.stop, position.trail, position.next_trail)
    for protections, reason in ((stops, ExitReason.STOP), (position.targets, ExitReason.TARGET)):
        for each in protections:
            if each is not None and _is_by(each, report):
                return reason
    role = role_of(report.client_order_id) if tag_of(report.client_order_id) == position.tag else None
    return _REASONS.get(role, ExitReason.EXTERNAL) if role else ExitReason.EXTERNAL


_REASONS = {Role.STOP: ExitReason.STOP, Role.TRAIL: ExitReason.STOP, Role.TARGET: ExitReason.TARGET}


def _is_partial_target(position: Position, report: OrderFilled) -> bool:
    return any(
        each is not None and each.quantity is not None and _is_by(each, report) for each in position.targets
    )


def _is_by(protection: Protection, report: OrderFilled) -> bool:
    """Tell an execution of a stop or target, which fills under the id of the order it became."""
    became = protection.venue_order_id
    return report.client_order_id == protection.client_order_id or (
        became != "" and report.venue_order_id == became
    )


def _freeze(position: Position, mono: float) -> Step:
    if position.stage not in {Stage.OPEN, Stage.PROTECTING}:
        return Step(position=position)
    return Step(position=to_stage(position, Stage.FROZEN, mono), concerns=(Concern.FROZEN,))
