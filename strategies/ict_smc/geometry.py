"""Where a trade is wrong and where it is done: stop, target, and the reasons for which there is no trade."""

from dataclasses import dataclass

from strategies.ict_smc.parameters import IctSmcParameters
from strategies.kernel.records import Block, Chart

STOP_TOO_FAR = "stop_too_far"
POOL_TOO_NEAR = "pool_too_near"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exits:
    """Stop and target prices; ``reward_risk`` is what the target really pays for the stop's risk."""

    stop: float
    target: float
    reward_risk: float
    refusal: str | None


def stop_distance(minute: Chart, quarter: Chart, block: Block, parameters: IctSmcParameters) -> float:
    """Return how far from the close the stop lies, in price: the furthest of four."""
    far = block.bottom if block.side > 0 else block.top
    beyond_block = block.side * (minute.close - far) + parameters.stop_block_atr * minute.atr
    cost = parameters.stop_cost_multiple * parameters.round_trip_cost * minute.close
    noise = max(parameters.stop_atr_1m * minute.atr, parameters.stop_atr_15m * quarter.atr)
    return float(max(beyond_block, noise, cost))


def room(chart: Chart, side: int) -> float | None:
    """Return the distance to the nearest pool ahead, in price; ``None`` when there is none."""
    if side > 0:
        return float(chart.pool_above - chart.close) if chart.pools_above else None
    return float(chart.close - chart.pool_below) if chart.pools_below else None


def exits(chart: Chart, side: int, distance: float, confidence: float, parameters: IctSmcParameters) -> Exits:
    """Place stop and target around the close of ``chart``; the pool ahead may draw the target nearer."""
    wanted = reward_risk(confidence, parameters) * distance
    ahead = room(chart, side)
    refusal = None
    if ahead is not None and ahead < wanted:
        wanted = max(ahead - parameters.room_margin_atr * chart.atr, parameters.min_room * distance)
        refusal = POOL_TOO_NEAR if ahead < parameters.min_room * distance else None
    if distance > parameters.max_stop_distance * chart.close:
        refusal = STOP_TOO_FAR
    close = float(chart.close)
    return Exits(
        stop=close - side * distance,
        target=close + side * wanted,
        reward_risk=float(wanted / distance),
        refusal=refusal,
    )


def reward_risk(confidence: float, parameters: IctSmcParameters) -> float:
    """Return what a confidence asks of the target, in R."""
    low, high = parameters.reward_risk_low, parameters.reward_risk_high
    share = (confidence - parameters.confidence_low) / (100.0 - parameters.confidence_low)
    return low + (high - low) * min(max(share, 0.0), 1.0)
