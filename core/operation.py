"""What a person may ask of a running trader."""

from dataclasses import dataclass
from enum import StrEnum

from core.market import DAY_MS, MINUTE_MS
from core.positions import Source

LONGEST_PAUSE_MINUTES = 7 * DAY_MS // MINUTE_MS


class OperatorAction(StrEnum):
    """Pausing and halting take no new entries until a person resumes; a panic also closes everything.

    A pause may end by itself, see ``OperatorRequest.lasting_ms``.
    """

    PAUSE = "pause"
    HALT = "halt"
    RESUME = "resume"
    PANIC = "panic"
    CLOSE = "close"


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorRequest:
    """One wish, with who had it; ``source`` and ``symbol`` name the position of a ``CLOSE``.

    ``lasting_ms`` is how long a ``PAUSE`` lasts, ``None`` until somebody resumes. Two wishes of one
    ``request_id`` are one; without an id each stands for itself.
    """

    action: OperatorAction
    by: str
    reason: str = ""
    source: Source = Source.REAL
    symbol: str = ""
    lasting_ms: int | None = None
    request_id: str = ""
