"""Keeps the best and the worst closed trade of a run together with the candles around them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.market import MINUTE_MS, Field, Floats
from core.notices import Notice, PositionEnded
from core.positions import Position
from core.trades import EMPTY_SNAPSHOT, TradeRecord
from data.candle_store import CandleStore

BARS_BEFORE = 60
BARS_AFTER = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Highlight:
    """A closed position and the candles around it: ``candles`` [5, n] without gaps, ``open_times`` ms [n]."""

    position: Position
    candles: Floats
    open_times: NDArray[np.int64]


class Highlights:
    """A ``core.ports.Notifier`` that remembers extremes, and cuts their candles when asked."""

    def __init__(self, store: CandleStore) -> None:
        self._store = store
        self._ended: list[Highlight] = []

    def notify(self, notice: Notice) -> None:
        if isinstance(notice, PositionEnded):
            ranked = sorted([*self._ended, self._cut(notice.position)], key=_net_r)
            self._ended = [ranked[0], ranked[-1]] if len(ranked) > 1 else ranked

    @property
    def best(self) -> Highlight | None:
        return self._now(self._ended[-1]) if self._ended else None

    @property
    def worst(self) -> Highlight | None:
        return self._now(self._ended[0]) if len(self._ended) > 1 else None

    def around(self, position: Position) -> Highlight | None:
        """Cut the candles from an hour before the entry to a little after the exit; ``None`` without any."""
        return _shown(self._cut(position))

    def _cut(self, position: Position) -> Highlight:
        opened = position.opened_at or position.plan.planned_at
        start = opened - BARS_BEFORE * MINUTE_MS
        end = (position.closed_at or opened) + BARS_AFTER * MINUTE_MS
        times, candles = self._store.recent_1m(position.symbol, self._store.reach)
        shown = (times >= start) & (times <= end) & ~np.isnan(candles[Field.CLOSE])
        return Highlight(position=position, candles=candles[:, shown], open_times=times[shown])

    def _now(self, then: Highlight) -> Highlight | None:
        """Cut the candles anew, unless the store has let go of them since."""
        now = self._cut(then.position)
        return _shown(now if len(now.open_times) >= len(then.open_times) else then)


def _shown(highlight: Highlight) -> Highlight | None:
    return highlight if len(highlight.open_times) else None


def _net_r(highlight: Highlight) -> float:
    return TradeRecord(position=highlight.position, snapshot=EMPTY_SNAPSHOT).net_r
