"""Why there is a set-up, or none: every gate and every factor of one symbol and side, with its numbers."""

from dataclasses import dataclass, replace
from enum import StrEnum

from core.market import MINUTE_MS
from core.signals import Factor, Side, Zone
from strategies.ict_smc.confidence import confidence_of, factors_of
from strategies.ict_smc.geometry import Exits, exits, room, stop_distance
from strategies.ict_smc.measures import Measures, measure, measure_surroundings
from strategies.ict_smc.parameters import IctSmcParameters
from strategies.ict_smc.setups import Gates, Setup, gates_of, has_held, has_location, has_structure
from strategies.ict_smc.strategy import block_zone, measure_risk
from strategies.kernel.indicators import trend_side
from strategies.kernel.jit import compiled
from strategies.kernel.market import MarketKernel
from strategies.kernel.order_blocks import TOUCHED, middle
from strategies.kernel.records import Block, Chart, array_of

Numbers = tuple[tuple[str, float], ...]


class GateName(StrEnum):
    """What must be true of a symbol and side before there is a trade, in the order it is asked."""

    READINESS = "readiness"
    TREND = "trend"
    STRUCTURE = "structure"
    BLOCK = "block"
    RETEST = "retest"
    LOCATION = "location"
    TRIGGER = "trigger"
    STOP = "stop"
    ROOM = "room"


_JUDGED = (
    GateName.TREND,
    GateName.STRUCTURE,
    GateName.BLOCK,
    GateName.RETEST,
    GateName.LOCATION,
    GateName.TRIGGER,
)
_CHAIN = (GateName.BLOCK, GateName.RETEST, GateName.TRIGGER)
SETUP_GATES = frozenset({GateName.READINESS, *_JUDGED})
"""Open together exactly when there is a candidate; the others say whether its exits allow a trade."""


BLOCK_FACTOR = "order_block"
_BLOCK_MEASURES = ("block_displacement", "block_visits", "block_height_atr", "block_age")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One condition, and the numbers it was judged by; signed ones are turned to the side of the trade."""

    name: str
    passed: bool
    numbers: Numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Everything that speaks for and against one side of one symbol at ``at`` (ms, close of the candle).

    Without complete history nothing but readiness is judged. Without a validated block the stop and the
    room ahead are those of the closest stop that the rules allow at all.
    """

    symbol: str
    side: Side
    at: int
    price: float
    gates: tuple[Gate, ...]
    factors: tuple[Factor, ...] = ()
    block: Zone | None = None
    exits: Exits | None = None

    @property
    def points(self) -> float:
        """What the factors add up to, whether or not there is a set-up."""
        return confidence_of(self.factors)

    @property
    def confidence(self) -> float:
        """The score: 0 without structure or a validated block."""
        needed = {GateName.STRUCTURE, GateName.BLOCK}
        return 0.0 if needed.intersection(self.failed) or not self.factors else self.points

    @property
    def failed(self) -> tuple[str, ...]:
        """Names of the gates that did not open, in order."""
        return tuple(gate.name for gate in self.gates if not gate.passed)

    @property
    def lacks(self) -> tuple[str, ...]:
        """What is missing: of block, return and trigger only the first, as the others can but follow it."""
        chain = [name for name in self.failed if name in _CHAIN]
        return tuple(name for name in self.failed if name not in chain[1:])

    @property
    def is_setup(self) -> bool:
        """Whether this minute made a candidate of it."""
        return SETUP_GATES.isdisjoint(self.failed)


def explain(kernel: MarketKernel, symbol_index: int, side: Side, parameters: IctSmcParameters) -> Explanation:
    """Judge one side of one symbol on the kernel's last minute."""
    minute, quarter = kernel.minute[symbol_index], kernel.quarter[symbol_index]
    told = Explanation(
        symbol=kernel.symbols[symbol_index],
        side=side,
        at=(int(minute.number) + 1) * MINUTE_MS,
        price=float(minute.close),
        gates=(_readiness(kernel, symbol_index),),
    )
    if told.failed:
        return told
    place = int(watched_block(minute, int(side)))
    block = minute.blocks[place] if place >= 0 else _no_block(minute, side)
    distance = stop_distance(minute, quarter, block, parameters)
    setup = Setup(symbol_index=symbol_index, side=int(side), block=place)
    measures = _measures(kernel, setup) | measure_risk(minute, side, distance)
    factors = _factors(measures, parameters, has_block=place >= 0)
    return replace(
        told,
        gates=(
            *told.gates,
            *_setup_gates(kernel, setup, block, measures=measures, parameters=parameters),
            *_exit_gates(minute, side, distance, measures=measures, parameters=parameters),
        ),
        factors=factors,
        block=block_zone(block) if place >= 0 else None,
        exits=exits(minute, side, distance, confidence_of(factors), parameters),
    )


# --- the block --------------------------------------------------------------------------------------


@compiled
def is_open(block: Block, minute: Chart) -> bool:
    """May this block still be traded: not mitigated, and no earlier candle brought the first return?"""
    return block.state <= TOUCHED and not 0 < block.retested_at < minute.number


@compiled
def watched_block(minute: Chart, side: int) -> int:
    """Return the place of the validated block that matters most, −1 when there is none.

    One that has just held comes before one that may be traded, and that before one that is used up; of
    equals, the newest.
    """
    best, best_worth = -1, -1
    for place in range(minute.blocks_open):
        block = minute.blocks[place]
        if block.side != side or block.known_at == 0:
            continue
        worth = 2 * has_held(block, minute) + is_open(block, minute)
        if worth > best_worth or (worth == best_worth and block.label > minute.blocks[best].label):
            best, best_worth = place, worth
    return best


def _no_block(minute: Chart, side: Side) -> Block:
    """Make a block without height at the close, which asks nothing of the stop."""
    block: Block = array_of(Block, 1)[0]
    block.side = int(side)
    block.top = block.bottom = minute.close
    return block


# --- measures and factors ---------------------------------------------------------------------------


def _measures(kernel: MarketKernel, setup: Setup) -> Measures:
    if setup.block >= 0:
        return measure(kernel, setup)
    minute, quarter = kernel.minute[setup.symbol_index], kernel.quarter[setup.symbol_index]
    return measure_surroundings(minute, quarter, setup.side) | dict.fromkeys(_BLOCK_MEASURES, 0.0)


def _factors(measures: Measures, parameters: IctSmcParameters, *, has_block: bool) -> tuple[Factor, ...]:
    factors = factors_of(measures, parameters)
    if has_block:
        return factors
    return tuple(
        replace(each, grade=0.0, numbers=()) if each.name == BLOCK_FACTOR else each for each in factors
    )


# --- gates ------------------------------------------------------------------------------------------


def _readiness(kernel: MarketKernel, symbol_index: int) -> Gate:
    """History: long enough, and whole up to the last minute."""
    minute, quarter = kernel.minute[symbol_index], kernel.quarter[symbol_index]
    return Gate(
        name=GateName.READINESS,
        passed=kernel.is_ready(symbol_index),
        numbers=(
            ("bars_1m", float(minute.bars)),
            ("min_bars_1m", float(kernel.parameters.min_bars_1m)),
            ("bars_15m", float(quarter.bars)),
            ("min_bars_15m", float(kernel.parameters.min_bars_15m)),
        ),
    )


@compiled
def judge_setup(
    minute: Chart, quarter: Chart, side: int, block: Block, gates: Gates
) -> tuple[bool, bool, bool, bool, bool, bool]:
    """Ask the very questions of a set-up, one by one."""
    return (
        trend_side(quarter, gates.trend_min_atr) == side,
        has_structure(minute, quarter, side),
        block.known_at > 0 and is_open(block, minute),
        block.known_at > 0 and block.retested_at == minute.number,
        has_location(minute, side, gates),
        block.known_at > 0 and has_held(block, minute),
    )


def _setup_gates(
    kernel: MarketKernel, setup: Setup, block: Block, *, measures: Measures, parameters: IctSmcParameters
) -> tuple[Gate, ...]:
    minute, quarter = kernel.minute[setup.symbol_index], kernel.quarter[setup.symbol_index]
    passed = judge_setup(minute, quarter, setup.side, block, gates_of(kernel, parameters))
    numbers = _setup_numbers(minute, block, measures, limits=gates_of(kernel, parameters))
    return tuple(
        Gate(name=name, passed=bool(is_passed), numbers=numbers[name])
        for name, is_passed in zip(_JUDGED, passed, strict=True)
    )


def _setup_numbers(
    minute: Chart, block: Block, measures: Measures, *, limits: Gates
) -> dict[GateName, Numbers]:
    def of(*names: str) -> Numbers:
        return tuple((name, measures[name]) for name in names)

    known = float(block.known_at > 0)
    edges = (
        ("close", float(minute.close)),
        ("block_low", float(block.bottom)),
        ("block_high", float(block.top)),
    )
    return {
        GateName.TREND: (*of("trend_distance_atr"), ("trend_min_atr", limits.trend_min_atr)),
        GateName.STRUCTURE: of("msb_agrees", "msb_strength", "choch_1m", "bias_1m", "bias_15m"),
        GateName.BLOCK: (
            ("known", known),
            ("state", float(block.state)),
            *of("block_age", "block_displacement"),
        ),
        GateName.RETEST: (("known", known), *edges),
        GateName.LOCATION: (
            *of("range_position", "sweep_age"),
            ("discount_limit", limits.discount_limit),
            ("sweep_max_age", float(limits.sweep_max_age)),
        ),
        GateName.TRIGGER: (("known", known), *edges, ("block_middle", float(middle(block)))),
    }


def _exit_gates(
    minute: Chart, side: Side, distance: float, *, measures: Measures, parameters: IctSmcParameters
) -> tuple[Gate, ...]:
    ahead = room(minute, int(side))
    limit = parameters.max_stop_distance
    return (
        Gate(
            name=GateName.STOP,
            passed=bool(distance <= limit * minute.close),
            numbers=(("stop_distance", measures["stop_distance"]), ("max_stop_distance", limit)),
        ),
        Gate(
            name=GateName.ROOM,
            passed=bool(ahead is None or ahead >= parameters.min_room * distance),
            numbers=(("room_r", measures["room_r"]), ("min_room", parameters.min_room)),
        ),
    )
