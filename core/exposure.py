"""What the account already stands for: every real position, the unknown and the just approved included."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from core.parameters import CostParameters
from core.positions import Position, PositionPlan, Source, Stage
from core.signals import Side

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One position's share of the limits; amounts in USDT.

    ``loss_at_stop`` is what would still be lost from here, costs included. ``funded_at`` is when the
    venue took its margin (ms), ``None`` while it has not.
    """

    symbol: str
    side: Side
    margin: Decimal
    notional: Decimal
    loss_at_stop: Decimal
    funded_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """All holdings of one account, approvals that were not sent yet included."""

    holdings: tuple[Holding, ...] = ()

    @property
    def margin(self) -> Decimal:
        return sum((each.margin for each in self.holdings), _ZERO)

    @property
    def notional(self) -> Decimal:
        return sum((each.notional for each in self.holdings), _ZERO)

    @property
    def loss_at_stops(self) -> Decimal:
        return sum((each.loss_at_stop for each in self.holdings), _ZERO)

    def holds(self, symbol: str) -> bool:
        return any(each.symbol == symbol for each in self.holdings)

    def unfunded(self, read_at: int) -> "Exposure":
        """Return the part whose margin a balance read at ``read_at`` (ms) may not have seen leave."""
        unseen = (each for each in self.holdings if each.funded_at is None or each.funded_at >= read_at)
        return Exposure(holdings=tuple(unseen))

    def reserved(self, holding: Holding) -> "Exposure":
        return replace(self, holdings=(*self.holdings, holding))


def exposure_of(
    positions: Iterable[Position], *, marks: Mapping[str, Decimal], costs: CostParameters
) -> Exposure:
    """Add up the live real positions at their marks, at their entry where a symbol has no mark."""
    live = (each for each in positions if each.is_live and each.plan.source is Source.REAL)
    return Exposure(
        holdings=tuple(_holding_of(each, mark=marks.get(each.symbol), costs=costs) for each in live)
    )


def holding_of_plan(plan: PositionPlan, *, loss_at_stop: Decimal) -> Holding:
    """Return what a plan will stand for once it is sent."""
    return Holding(
        symbol=plan.symbol,
        side=plan.side,
        margin=plan.margin,
        notional=plan.quantity * plan.entry,
        loss_at_stop=loss_at_stop,
    )


def _holding_of(position: Position, *, mark: Decimal | None, costs: CostParameters) -> Holding:
    quantity, entry, stop = _committed(position), position.entry_price, _stop_in_force(position)
    price = entry if mark is None else mark
    way_to_stop = max((price - stop) * position.side, _ZERO)
    return Holding(
        symbol=position.symbol,
        side=position.side,
        margin=quantity * entry / position.plan.leverage,
        notional=quantity * price,
        loss_at_stop=quantity * (way_to_stop + (costs.taker_fee + costs.slippage) * stop),
        funded_at=position.opened_at if position.entry_settled else None,
    )


def _committed(position: Position) -> Decimal:
    """Return the quantity to count: until we know better, an entry has filled whole."""
    if position.entry_settled and position.stage not in {Stage.UNKNOWN, Stage.FROZEN}:
        return position.quantity
    return max(position.plan.quantity - position.exited, position.quantity)


def _stop_in_force(position: Position) -> Decimal:
    """Return the trigger of the tightest confirmed stop, else the planned one, which stands for life."""
    for each in (position.trail, position.stop):
        if each is not None and each.confirmed:
            return each.trigger_price
    return position.plan.stop
