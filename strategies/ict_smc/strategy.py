"""The ICT/SMC strategy: from a closed minute to candidates with reasons, stop and target."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Self

from core.market import MINUTE_MS
from core.signals import Candidate, Side, Zone
from strategies.ict_smc.confidence import confidence_of, factors_of
from strategies.ict_smc.geometry import exits, room, stop_distance
from strategies.ict_smc.meanings import MEANINGS
from strategies.ict_smc.measures import Measures, feature_vector, measure
from strategies.ict_smc.parameters import IctSmcParameters
from strategies.ict_smc.setups import Setup, find_setups
from strategies.kernel.market import MarketKernel
from strategies.kernel.records import Block, Chart, plain
from strategies.tuning import Described, describe, tuned

NO_ROOM_LIMIT = 10.0
"""Room ahead, in R, counts no further than this."""


class IctSmc:
    """Reads the kernel and keeps nothing: the same market gives the same candidates."""

    name = "ict_smc"

    def __init__(self, parameters: IctSmcParameters | None = None) -> None:
        self.parameters = parameters or IctSmcParameters()

    @property
    def enabled(self) -> bool:
        return self.parameters.enabled

    def described(self) -> Iterator[Described]:
        """Yield every parameter, for people."""
        return describe(self.parameters, MEANINGS)

    def tuned(self, changes: Mapping[str, str]) -> Self:
        """Return the strategy with other parameters. Raises ``ValueError`` for those that can not be."""
        return type(self)(tuned(self.parameters, changes))

    def candidates(self, kernel: MarketKernel, closed_minute_ms: int) -> Sequence[Candidate]:
        """Return the set-ups of the minute that opened at ``closed_minute_ms``, in the order of symbols."""
        setups = find_setups(kernel, self.parameters)
        return [self._candidate(kernel, setup, closed_minute_ms + MINUTE_MS) for setup in setups]

    def _candidate(self, kernel: MarketKernel, setup: Setup, at: int) -> Candidate:
        minute: Chart = plain(kernel.minute[setup.symbol_index])
        quarter: Chart = plain(kernel.quarter[setup.symbol_index])
        block: Block = plain(minute.blocks[setup.block])
        distance = stop_distance(minute, quarter, block, self.parameters)
        measures = measure(kernel, setup) | measure_risk(minute, setup.side, distance)
        factors = factors_of(measures, self.parameters)
        confidence = confidence_of(factors)
        out = exits(minute, setup.side, distance, confidence, self.parameters)
        return Candidate(
            strategy=self.name,
            symbol=kernel.symbols[setup.symbol_index],
            side=Side(setup.side),
            at=at,
            price=float(minute.close),
            stop=out.stop,
            target=out.target,
            reward_risk=out.reward_risk,
            stop_distance=measures["stop_distance"],
            confidence=confidence,
            factors=factors,
            features=feature_vector(
                measures | {"confidence": confidence, "reward_risk": out.reward_risk},
            ),
            atr_1m=float(minute.atr),
            atr_15m=float(quarter.atr),
            zones=(block_zone(block),),
            refusal=out.refusal,
        )


def measure_risk(minute: Chart, side: int, distance: float) -> Measures:
    """Measure what depends on where the stop lies; ``distance`` is in price."""
    ahead = room(minute, side)
    room_r = NO_ROOM_LIMIT if ahead is None else min(ahead / distance, NO_ROOM_LIMIT)
    return {"stop_distance": distance / float(minute.close), "room_r": room_r}


def block_zone(block: Block) -> Zone:
    """Return a block as charts and explanations know it."""
    return Zone(
        kind="breaker" if block.breaker else "order_block",
        low=float(block.bottom),
        high=float(block.top),
        labelled_at=int(block.label) * MINUTE_MS,
        known_at=(int(block.known_at) + 1) * MINUTE_MS,
    )
