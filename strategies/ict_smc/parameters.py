"""The numbers of the ICT/SMC strategy, named."""

from dataclasses import astuple, dataclass, field
from math import inf, isclose

Knots = tuple[tuple[float, float], ...]
"""A piecewise-linear grade: (measure, grade 0–1), ascending; constant beyond the ends."""

FULL_CONFIDENCE = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What each factor can add to the confidence; together 100."""

    structure: float = 25.0
    order_block: float = 20.0
    liquidity: float = 15.0
    trend: float = 15.0
    macd: float = 10.0
    ema: float = 5.0
    volume: float = 5.0
    premium: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Grades:
    """How each measure is graded; a field is named after the measure, see ``measures``."""

    msb_strength: Knots = ((0.0, 0.0), (1.0, 0.4), (1.5, 0.7), (2.5, 1.0))
    structure_agreement: Knots = ((0.25, 0.0), (1.0, 1.0))
    block_displacement: Knots = ((1.2, 0.4), (2.0, 0.7), (4.0, 1.0))
    block_visits: Knots = ((1.0, 1.0), (2.0, 0.6), (4.0, 0.2))
    block_height_atr: Knots = ((0.2, 0.3), (0.6, 1.0), (1.5, 1.0), (3.0, 0.3))
    sweep_age: Knots = ((0.0, 1.0), (20.0, 0.5), (60.0, 0.0))
    sweep_depth_atr: Knots = ((0.0, 0.0), (0.5, 1.0), (1.5, 1.0), (3.0, 0.4))
    room_r: Knots = ((0.5, 0.0), (1.0, 0.4), (2.0, 0.8), (3.0, 1.0))
    trend_distance_atr: Knots = ((0.1, 0.3), (1.0, 0.8), (2.0, 1.0), (6.0, 1.0), (12.0, 0.5))
    trend_slope_atr: Knots = ((-0.02, 0.0), (0.0, 0.4), (0.02, 1.0))
    macd_15m_atr: Knots = ((-0.2, 0.0), (0.0, 0.5), (0.2, 1.0))
    ema_gap_15m_atr: Knots = ((-0.5, 0.0), (0.0, 0.4), (0.5, 1.0))
    volume_rank: Knots = ((0.0, 0.2), (0.5, 0.5), (0.9, 1.0))
    range_position: Knots = ((0.0, 1.0), (0.5, 0.5), (1.0, 0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class IctSmcParameters:
    """When there is a set-up, what it is worth, and where its stop and target lie. Fractions are ratios.

    Confidence runs from ``reward_risk_low`` at ``confidence_low`` to ``reward_risk_high`` at 100.
    """

    enabled: bool = True
    trend_full_bars: int = 1400
    trend_young_share: float = 0.5
    sweep_max_age: int = 20
    discount_limit: float = 0.5
    stop_block_atr: float = 0.1
    stop_atr_1m: float = 1.5
    stop_atr_15m: float = 1.0
    round_trip_cost: float = 0.001
    stop_cost_multiple: float = 5.0
    max_stop_distance: float = 0.03
    confidence_low: float = 70.0
    reward_risk_low: float = 1.0
    reward_risk_high: float = 2.0
    min_room: float = 1.0
    room_margin_atr: float = 0.1
    weights: Weights = field(default_factory=Weights)
    grades: Grades = field(default_factory=Grades)

    def __post_init__(self) -> None:
        """Refuse a scale that is none: raises ``ValueError``."""
        numbers = {name: getattr(self, name) for name in self.__slots__ if name not in {"weights", "grades"}}
        if negative := [name for name, number in numbers.items() if not 0 <= number < inf]:
            raise ValueError(f"{negative[0]} must be finite and not negative")
        weights = astuple(self.weights)
        if not isclose(sum(weights), FULL_CONFIDENCE) or min(weights) < 0.0:
            raise ValueError(f"the weights of the factors must sum to {FULL_CONFIDENCE:.0f}")
        if not all(_is_grade(knots) for knots in astuple(self.grades)):
            raise ValueError("knots must ascend, with grades between 0 and 1")
        if not 0.0 < self.reward_risk_low <= self.reward_risk_high:
            raise ValueError("reward_risk_low must lie between 0 and reward_risk_high")
        if not 0.0 <= self.confidence_low < FULL_CONFIDENCE:
            raise ValueError(f"confidence_low must lie between 0 and {FULL_CONFIDENCE:.0f}")
        if not 0.0 < self.max_stop_distance < 1.0:
            raise ValueError("max_stop_distance must lie between 0 and 1")


def _is_grade(knots: Knots) -> bool:
    measures = [measure for measure, _ in knots]
    return measures == sorted(set(measures)) and all(0.0 <= grade <= 1.0 for _, grade in knots)
