"""Short lives to be ended at every step: one entry each, and one way each for it to come to an end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from core.market import MINUTE_MS, Field, MinuteClosed
from core.signals import Candidate, Side
from exchange.sim.config import DEFAULT_START_MS
from exchange.sim.market.candles import Integers
from exchange.sim.market.paths import POINTS_A_BAR, History, Path
from exchange.sim.market.scales import Scales
from exchange.sim.universe import SimInstrument
from tests.builders import candidate

_HISTORY = 30
_STOP = 0.01
LEAD = "XRPUSDT"
"""Whom the stories are about: of the storm's symbols the one with the deepest book."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One position: wanted at the end of minute 0, then ``moves``.

    ``moves`` are the fractions by which its price moves in each minute; ``breaks_in`` is the minute in
    which its thesis breaks, ``closed_in`` the one in which a person closes it.
    """

    name: str
    moves: Mapping[int, float] = field(default_factory=dict)
    side: Side = Side.LONG
    confidence: float = 99.0
    breaks_in: int | None = None
    closed_in: int | None = None
    minutes: int = 5

    def wishes(self, minute: MinuteClosed) -> Sequence[Candidate]:
        if _number(minute) != 0:
            return ()
        price = float(minute.row[Field.CLOSE, minute.symbols.index(LEAD)])
        return (
            candidate(
                LEAD,
                side=self.side,
                at=minute.at,
                price=price,
                stop_distance=_STOP,
                confidence=self.confidence,
            ),
        )

    def breaks(self, minute: MinuteClosed, symbol: str) -> Side | None:
        is_now = symbol == LEAD and _number(minute) == self.breaks_in
        return self.side.opposite if is_now else None


STORIES = (
    Story(name="target", moves={2: 0.025}),
    Story(name="stop", moves={2: -0.015}),
    Story(name="short stop", side=Side.SHORT, moves={2: 0.015}),
    Story(name="thesis", moves={2: 0.002}, breaks_in=2),
    Story(name="operator", moves={2: -0.002}, closed_in=3),
    Story(name="move stop", moves={2: 0.013, 4: -0.015}, minutes=6),
)


def _number(minute: MinuteClosed) -> int:
    return (minute.open_time - DEFAULT_START_MS) // MINUTE_MS


class StoryPaths:
    """A market that stands still but for the moves of one story; see ``exchange.sim.market.paths``."""

    def __init__(self, instruments: Sequence[SimInstrument], story: Story) -> None:
        self._story = story
        self.scales = Scales.of([each.contract for each in instruments])
        self.start_ms = DEFAULT_START_MS
        self._prices = np.array([each.reference_price for each in instruments]) / self.scales.point
        self._volumes = np.array([each.daily_quote_volume for each in instruments])
        self._lead = [each.symbol for each in instruments].index(LEAD)
        self._minute = 0

    def history(self) -> History:
        still = self._drawn(0.0).candle()
        return History(0, _HISTORY, (still for _ in range(_HISTORY)))

    def next_minute(self) -> Path:
        path = self._drawn(self._story.moves.get(self._minute, 0.0))
        self._minute += 1
        return path

    def _drawn(self, move: float) -> Path:
        """Let the lead's price go to its place in a straight line."""
        way = np.ones((POINTS_A_BAR, len(self._prices)))
        way[:, self._lead] += move * np.arange(1, POINTS_A_BAR + 1) / POINTS_A_BAR
        prices = self._prices * way
        self._prices = prices[-1]
        points: Integers = np.rint(prices / self.scales.tick).astype(np.int64) * self.scales.tick
        volume = np.rint(self._volumes / 1440 / (points[-1] * self.scales.point) / self.scales.lot)
        lots = volume.astype(np.int64)
        return Path(points, lots, self.scales.quote_volume(lots, points.mean(0)))
