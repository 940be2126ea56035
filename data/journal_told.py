"""What one event of the journal tells; ``TypeError`` where its kind tells no such thing."""

from core.journal import Body, DamageFound, IntentRecorded, PositionChanged, PositionClosed, RiskChanged
from core.positions import Position
from core.risk_state import RiskState
from core.trades import TradeRecord


def position_in(body: Body) -> Position:
    match body:
        case IntentRecorded(plan=plan):
            return Position(plan=plan)
        case PositionChanged(position=position) | PositionClosed(position=position):
            return position
        case _:
            raise TypeError(f"a {type(body).__name__} is said to tell a position")


def state_of(position_id: str, body: Body) -> Position:
    """Return what is told of this very position. Raises ``ValueError`` where it is another."""
    position = position_in(body)
    if position.position_id != position_id:
        raise ValueError(f"it tells of {position.position_id}")
    return position


def trade_in(body: Body) -> TradeRecord:
    if not isinstance(body, PositionClosed):
        raise TypeError(f"a {type(body).__name__} is said to tell a trade")
    return TradeRecord(position=body.position, snapshot=body.snapshot)


def risk_state_in(body: Body) -> RiskState:
    if not isinstance(body, RiskChanged):
        raise TypeError(f"a {type(body).__name__} is said to tell the risk state")
    return body.state


def damage_in(body: Body) -> str:
    if not isinstance(body, DamageFound):
        raise TypeError(f"a {type(body).__name__} is said to tell damage")
    return body.what
