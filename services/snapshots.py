"""The candles a decision was made on, kept until its trade is over."""

import numpy as np

from core.market import Field, Floats
from core.positions import Position, PositionPlan
from core.trades import SNAPSHOT_BARS, TradeRecord
from data.candle_store import CandleStore


class Snapshots:
    """Cuts them when a position is planned, and puts them into its row."""

    def __init__(self, store: CandleStore) -> None:
        self._store = store
        self._kept: dict[str, Floats] = {}

    def take(self, plan: PositionPlan) -> None:
        self._kept[plan.position_id] = self._store.snapshot_1m(plan.symbol, SNAPSHOT_BARS)

    def drop(self, position_id: str) -> None:
        self._kept.pop(position_id, None)

    def record_of(self, position: Position) -> TradeRecord:
        """Return the row of an ended position; of one that an earlier process planned, cut now."""
        snapshot = self._kept.get(position.position_id)
        if snapshot is None:
            snapshot = snapshot_before(self._store, position.symbol, position.plan.candidate.at)
        return TradeRecord(position=position, snapshot=snapshot)


def snapshot_before(store: CandleStore, symbol: str, at: int) -> Floats:
    """Cut what the candles still show of the time before ``at`` (ms), as a decision then saw it."""
    times, candles = store.recent_1m(symbol, store.reach)
    seen = (times < at) & ~np.isnan(candles[Field.CLOSE])
    return candles[:, seen][:, -SNAPSHOT_BARS:]
