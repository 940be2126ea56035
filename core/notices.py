"""What people are told, as values; each front renders them in its own way and language."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from core.positions import Position
from core.signals import RankedSignal


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionOpened:
    """A position stands: filled, and protected, or being left because it can not be."""

    position: Position
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionEnded:
    """A position that held something has closed. ``day_pnl`` is today's realised net, real positions only."""

    position: Position
    day_pnl: Decimal
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalRefused:
    """A signal above the threshold is neither opened nor followed; one that forbids itself has rank 0.

    ``reasons`` are message keys, the first decided.
    """

    signal: RankedSignal
    reasons: tuple[str, ...]
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Something a person should know; ``key`` is a message key, ``numbers`` fill its placeholders."""

    key: str
    severity: Severity
    at: int
    symbol: str = ""
    text: str = ""


Notice = PositionOpened | PositionEnded | SignalRefused | Alert
