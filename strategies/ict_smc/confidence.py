"""Confidence 0–100: eight factors, each a weighted mean of piecewise-linear grades, each explained.

It is a score and no probability: its parts overlap, and nobody has shown that it predicts anything.
"""

from bisect import bisect_right
from collections.abc import Sequence

from core.signals import Factor
from strategies.ict_smc.measures import Measures
from strategies.ict_smc.parameters import IctSmcParameters, Knots

PARTS: dict[str, tuple[tuple[str, float], ...]] = {
    "structure": (("msb_strength", 0.5), ("structure_agreement", 0.5)),
    "order_block": (("block_displacement", 0.4), ("block_visits", 0.3), ("block_height_atr", 0.3)),
    "liquidity": (("sweep_age", 0.35), ("sweep_depth_atr", 0.25), ("room_r", 0.4)),
    "trend": (("trend_distance_atr", 0.6), ("trend_slope_atr", 0.4)),
    "macd": (("macd_15m_atr", 1.0),),
    "ema": (("ema_gap_15m_atr", 1.0),),
    "volume": (("volume_rank", 1.0),),
    "premium": (("range_position", 1.0),),
}
"""Which measures make up each factor, and their shares; ``Grades`` holds the knots of each measure."""


def grade(knots: Knots, value: float) -> float:
    """Read a piecewise-linear grade; beyond its ends it stays level."""
    after = bisect_right(knots, (value, float("inf")))
    if after == 0:
        return knots[0][1]
    if after == len(knots):
        return knots[-1][1]
    (left, low), (right, high) = knots[after - 1], knots[after]
    return low + (high - low) * (value - left) / (right - left)


def factors_of(measures: Measures, parameters: IctSmcParameters) -> tuple[Factor, ...]:
    """Grade a set-up; without structure or a validated block there is none to grade."""
    return tuple(_factor(name, measures, parameters) for name in PARTS)


def confidence_of(factors: Sequence[Factor]) -> float:
    return sum(factor.points for factor in factors)


def _factor(name: str, measures: Measures, parameters: IctSmcParameters) -> Factor:
    parts = PARTS[name]
    mean = sum(share * grade(getattr(parameters.grades, part), measures[part]) for part, share in parts)
    if name == "trend" and measures["trend_bars"] < parameters.trend_full_bars:
        mean *= parameters.trend_young_share
    return Factor(
        name=name,
        grade=mean,
        weight=getattr(parameters.weights, name),
        reason=f"why.{name}",
        numbers=tuple((part, measures[part]) for part, _ in parts),
    )
