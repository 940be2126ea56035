"""What a strategy wishes for. A signal carries no size: that is the risk gate's business."""

from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum

from core.features import FeatureVector


class Side(IntEnum):
    """Direction of a position; the value is the sign of its quantity."""

    LONG = 1
    SHORT = -1

    @property
    def opposite(self) -> "Side":
        return Side(-self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """One named part of a confidence score: ``points`` = ``grade`` (0–1) × ``weight``.

    ``reason`` is a message key of the catalogues in ``bot/``; ``numbers`` fill its placeholders.
    """

    name: str
    grade: float
    weight: float
    reason: str
    numbers: tuple[tuple[str, float], ...] = ()

    @property
    def points(self) -> float:
        return self.grade * self.weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A price band with the open time (ms) of the candle it is about, for charts and explanations."""

    kind: str
    low: float
    high: float
    labelled_at: int
    known_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One set-up on one symbol at one closed minute, tradable or not.

    ``at`` is the close time (ms) of the deciding candle and ``price`` its close. ``stop_distance`` is a
    fraction of price; ``refusal`` is a message key when geometry alone forbids the trade (stop too far,
    no room to the opposite pool), else ``None``. ``stop`` and ``target`` are still floats: the conversion
    to money happens once, in ``core.sizing``.
    """

    strategy: str
    symbol: str
    side: Side
    at: int
    price: float
    stop: float
    target: float
    reward_risk: float
    stop_distance: float
    confidence: float
    factors: tuple[Factor, ...]
    features: FeatureVector
    atr_1m: float
    atr_15m: float
    zones: tuple[Zone, ...] = ()
    refusal: str | None = None

    @property
    def signal_id(self) -> str:
        """Derived, never random: a replay names the same signal the same."""
        return f"{self.strategy}:{self.symbol}:{self.side.name}:{self.at}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedSignal:
    """A candidate above the threshold with its place in this minute's order.

    Expected values are in R (gross, and net of costs) and as a fraction of margin (``expected_roi``);
    ``leverage`` has every cap applied already, 0 where none is allowed. Those that do not compete, because
    their own geometry forbids the trade, have rank 0.
    """

    candidate: Candidate
    rank: int
    expected_gross_r: float
    expected_net_r: float
    expected_roi: float
    leverage: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A price at which ``fraction`` of the position is to be closed."""

    price: Decimal
    fraction: Decimal = Decimal(1)
