"""A position from plan to close: what was intended, what was filled, what protects it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum

from core.instruments import Instrument
from core.order_ids import position_tag
from core.orders import Role
from core.signals import Candidate, RankedSignal, Side, Target


class Source(StrEnum):
    """Whose book a position is in. Nothing that decides exits reads this.

    A shadow is what would have become of a signal that nobody opened.
    """

    REAL = "real"
    VIRTUAL = "virtual"
    TWIN = "twin"
    SHADOW = "shadow"


class Stage(StrEnum):
    """Where a position is in its life; see ``core.lifecycle`` for the moves between them."""

    INTENDED = "intended"
    ENTERING = "entering"
    UNKNOWN = "unknown"
    PROTECTING = "protecting"
    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"
    FROZEN = "frozen"


class ExitReason(StrEnum):
    """Why a position ended; the last four never held anything."""

    STOP = "stop"
    TARGET = "target"
    THESIS = "thesis"
    TIME = "time"
    OPERATOR = "operator"
    LIQUIDATION_NEAR = "liquidation_near"
    DELISTED = "delisted"
    SLIPPED_ENTRY = "slipped_entry"
    LATE_ENTRY = "late_entry"
    UNPROTECTED = "unprotected"
    EXTERNAL = "external"
    ENTRY_REJECTED = "entry_rejected"
    NOT_PREPARED = "not_prepared"
    NOT_PLACED = "not_placed"
    NOT_FILLED = "not_filled"


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionPlan:
    """Everything decided before the first order; prices already stand on the instrument's ticks."""

    source: Source
    signal: RankedSignal
    instrument: Instrument
    quantity: Decimal
    leverage: int
    margin: Decimal
    entry: Decimal
    stop: Decimal
    targets: tuple[Target, ...]
    planned_at: int

    @property
    def candidate(self) -> Candidate:
        return self.signal.candidate

    @property
    def position_id(self) -> str:
        return f"{self.source}:{self.candidate.signal_id}"

    @property
    def symbol(self) -> str:
        return self.instrument.symbol

    @property
    def side(self) -> Side:
        return self.candidate.side

    @property
    def risk_a_unit(self) -> Decimal:
        """Planned loss of one unit of quantity at the stop, before costs."""
        return abs(self.entry - self.stop)


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """One resting stop or target: ``confirmed`` once the venue has said that it is live.

    It closes the whole position, or ``quantity`` of it. ``venue_order_id`` names the order it became.
    """

    client_order_id: str
    trigger_price: Decimal
    confirmed: bool = False
    venue_order_id: str = ""
    quantity: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FillRecord:
    """One execution as the trade log keeps it; ``opening`` tells entries from exits."""

    trade_id: str
    client_order_id: str
    opening: bool
    quantity: Decimal
    price: Decimal
    fee: Decimal
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """One position at one moment; every change makes a new one.

    ``stop`` is the first stop, which stays for life; ``trail`` the tightened one beside it, ``next_trail``
    the one that is to take its place. ``floor`` is the tightest level ever wanted, whether or not the venue
    took an order for it. ``targets`` stand in the order of the plan's, ``None`` where none is resting.
    ``entry_total`` is what the venue says the entry order filled in the end, ``None`` while it works.
    ``funding_ids`` are the exchange's ids of the settlements in ``funding``.
    ``favourable`` and ``adverse`` are the best and worst price seen while open. Times without suffix are
    market milliseconds; ``*_mono`` are monotonic seconds, for our own deadlines: ``exposed_mono`` is since
    when quantity has been held without a confirmed stop, ``tried_mono`` when the last order or query left,
    ``target_mono`` when, in this process, a target last left or was lost,
    ``beyond_mono`` since when the mark has been beyond the stop. ``probes`` counts queries that found
    nothing, ``doubts`` reads of the account that did not show what we hold; ``stop_asked`` tells that a
    stop without an answer has been asked for. ``unanswered`` are the orders that a flat account made us ask
    for and that we have not heard of since, each as often as it must not be found: their executions may be
    why it is flat.
    """

    plan: PositionPlan
    stage: Stage = Stage.INTENDED
    fills: tuple[FillRecord, ...] = ()
    entry_total: Decimal | None = None
    stop: Protection | None = None
    trail: Protection | None = None
    next_trail: Protection | None = None
    floor: Decimal | None = None
    targets: tuple[Protection | None, ...] = ()
    funding: Decimal = Decimal(0)
    funding_ids: tuple[str, ...] = ()
    exit_reason: ExitReason | None = None
    attempts: Mapping[Role, int] = field(default_factory=dict)
    opened_at: int | None = None
    closed_at: int | None = None
    favourable: Decimal | None = None
    adverse: Decimal | None = None
    stage_mono: float = 0.0
    exposed_mono: float | None = None
    tried_mono: float = 0.0
    target_mono: float | None = None
    beyond_mono: float | None = None
    probes: int = 0
    unanswered: tuple[str, ...] = ()
    doubts: int = 0
    stop_asked: bool = False
    unprotected_seconds: float = 0.0

    @property
    def position_id(self) -> str:
        return self.plan.position_id

    @property
    def symbol(self) -> str:
        return self.plan.symbol

    @property
    def side(self) -> Side:
        return self.plan.side

    @property
    def target(self) -> Protection | None:
        """The nearest target that still rests."""
        return next((each for each in self.targets if each and not each.venue_order_id), None)

    @property
    def protections(self) -> tuple[Protection, ...]:
        """Every order that may still rest at the venue, stops first."""
        known = (self.stop, self.trail, self.next_trail, *self.targets)
        return tuple(each for each in known if each is not None and not each.venue_order_id)

    @property
    def is_protected(self) -> bool:
        return self.stop is not None and self.stop.confirmed

    @property
    def stop_level(self) -> Decimal:
        """The tightest level at which this position is to end."""
        levels = [self.plan.stop] if self.floor is None else [self.plan.stop, self.floor]
        return max(levels) if self.side is Side.LONG else min(levels)

    @property
    def real_risk(self) -> Decimal:
        """Loss of one unit at the first stop from what was really paid: 1 R as a distance."""
        return abs(self.entry_price - self.plan.stop)

    @property
    def tag(self) -> str:
        """What the client ids of all its orders begin with."""
        return position_tag(self.position_id)

    @property
    def entered(self) -> Decimal:
        return sum((fill.quantity for fill in self.fills if fill.opening), Decimal(0))

    @property
    def exited(self) -> Decimal:
        return sum((fill.quantity for fill in self.fills if not fill.opening), Decimal(0))

    @property
    def quantity(self) -> Decimal:
        """What is open now as far as we know, unsigned: an exit may be heard before the entry it ends."""
        return max(self.entered - self.exited, Decimal(0))

    @property
    def entry_settled(self) -> bool:
        """Whether the entry order has ended and every execution of it has reached us."""
        return self.entry_total is not None and self.entered >= self.entry_total

    @property
    def entry_price(self) -> Decimal:
        """Average price of what was filled; the planned entry while nothing was."""
        return _average([fill for fill in self.fills if fill.opening]) or self.plan.entry

    @property
    def exit_price(self) -> Decimal | None:
        return _average([fill for fill in self.fills if not fill.opening])

    @property
    def stop_price(self) -> Decimal:
        """Trigger of the resting stop, the planned one while none rests."""
        return self.stop.trigger_price if self.stop else self.plan.stop

    @property
    def target_price(self) -> Decimal:
        """Trigger of the resting target, the planned one while none rests."""
        return self.target.trigger_price if self.target else self.plan.targets[-1].price

    @property
    def ended_at(self) -> int:
        """When it was over (ms); the planned time where that was never told."""
        return self.plan.planned_at if self.closed_at is None else self.closed_at

    def with_funding(self, amount: Decimal, income_id: str) -> "Position":
        """Book one funding settlement; one with an id that is booked already changes nothing."""
        if income_id and income_id in self.funding_ids:
            return self
        ids = (*self.funding_ids, income_id) if income_id else self.funding_ids
        return replace(self, funding=self.funding + amount, funding_ids=ids)

    def held_at(self, at: int) -> bool:
        """Whether something was held at ``at`` (ms), as far as we know when it began and ended."""
        begins = self.plan.planned_at if self.opened_at is None else self.opened_at
        return begins <= at and (self.closed_at is None or at <= self.closed_at)

    def held_since(self, at: int) -> Decimal:
        """Return the most of this that a read of ``at`` (ms) can show: all but what had left before."""
        left = (fill.quantity for fill in self.fills if not fill.opening and fill.at < at)
        return self.entered - sum(left, Decimal(0))

    @property
    def fees(self) -> Decimal:
        return sum((fill.fee for fill in self.fills), Decimal(0))

    @property
    def gross_pnl(self) -> Decimal:
        """Realised PnL of what has been closed, before fees and funding."""
        entry = self.entry_price
        return sum(
            ((fill.price - entry) * fill.quantity * self.side for fill in self.fills if not fill.opening),
            Decimal(0),
        )

    @property
    def net_pnl(self) -> Decimal:
        return self.gross_pnl - self.fees + self.funding

    @property
    def risk(self) -> Decimal:
        """Loss of the whole entry at the first stop, before costs: what 1 R is in USDT.

        An entry left at once because it slipped is measured by its plan: filled at its very stop it would
        have no risk to be measured by.
        """
        if self.exit_reason is ExitReason.SLIPPED_ENTRY:
            return self.plan.risk_a_unit * self.entered
        return abs(self.entry_price - self.plan.stop) * self.entered

    def unrealised_pnl(self, price: Decimal) -> Decimal:
        return (price - self.entry_price) * self.quantity * self.side

    @property
    def is_live(self) -> bool:
        return self.stage is not Stage.CLOSED


def _average(fills: list[FillRecord]) -> Decimal | None:
    quantity = sum((fill.quantity for fill in fills), Decimal(0))
    if not quantity:
        return None
    return sum((fill.quantity * fill.price for fill in fills), Decimal(0)) / quantity
