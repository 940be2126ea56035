"""When an open position has outlived its reason."""

from dataclasses import dataclass

from core.parameters import MonitoringParameters
from core.positions import ExitReason, Position, Stage
from core.signals import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """What the kernel knows of one symbol after a closed minute.

    ``trend`` is the side of the last closed 15m bar against EMA200, ``None`` while neutral or not ready;
    ``break_side`` the last market structure break, known at ``break_at`` (ms, close of its minute).
    """

    trend: Side | None
    break_side: Side | None
    break_at: int


def exit_wanted(
    position: Position, structure: Structure | None, parameters: MonitoringParameters, *, now_ms: int
) -> ExitReason | None:
    """Say why an open position should be closed now; an unknown market is no reason."""
    if position.stage is not Stage.OPEN or position.opened_at is None:
        return None
    if structure is not None and _is_broken(position, structure):
        return ExitReason.THESIS
    if now_ms - position.opened_at >= parameters.time_stop_ms:
        return ExitReason.TIME
    return None


def _is_broken(position: Position, structure: Structure) -> bool:
    """A break against the position since its decision, or the 15m trend on the other side."""
    against = position.side.opposite
    broke = structure.break_side is against and structure.break_at > position.plan.candidate.at
    return broke or structure.trend is against
