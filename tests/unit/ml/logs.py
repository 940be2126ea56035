"""Trade logs made up to be learned from: how much of the outcome the features tell is chosen."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from core.positions import ExitReason, Source
from core.rng import seeded
from core.signals import Side
from core.trades import TradeRecord
from data.trade_log import TradeLog
from tests.builders import HOUR, MINUTE, T0, candidate, features, plan, ranked, trade

_COSTS = "1.7"  # of 10 USDT at risk: about what taker fees are to a stop of 0.6 %


def records(count: int, *, skill: float = 0.0, seed: int = 1, every_minutes: int = 30) -> list[TradeRecord]:
    """Make trades whose gross R is ``skill`` × the feature ``tell``, and noise of one R."""
    rng = seeded(seed)
    return [
        _record(
            index, tell=tell, gross_r=skill * tell + noise, held=held, at=T0 + index * every_minutes * MINUTE
        )
        for index, (tell, noise, held) in enumerate(
            zip(rng.normal(size=count), rng.normal(size=count), rng.integers(5, 240, size=count), strict=True)
        )
    ]


def _record(index: int, *, tell: float, gross_r: float, held: int, at: int) -> TradeRecord:
    side = Side.LONG if index % 2 else Side.SHORT
    chatter = float(np.cos(index * 7.1))
    wish = replace(
        candidate(f"C{index % 5}USDT", side=side, at=at, confidence=70 + index % 30),
        features=features(tell=float(tell), chatter=chatter),
    )
    return trade(
        plan(ranked(wish, rank=index % 13 + 1), source=Source.REAL if index % 13 < 3 else Source.VIRTUAL),
        gross_r=round(float(gross_r), 4),
        costs=_COSTS,
        reason=ExitReason.TARGET if gross_r > 0 else ExitReason.STOP,
        closed_at=at + int(held) * MINUTE,
    )


def with_twins(trades: list[TradeRecord]) -> list[TradeRecord]:
    """Add the paper twin of every real trade, a little better because paper is patient."""
    return trades + [_twin(each) for each in trades if each.source is Source.REAL]


def _twin(record: TradeRecord) -> TradeRecord:
    intent = replace(record.position.plan, source=Source.TWIN)
    closed_at = record.position.closed_at or T0 + HOUR
    better = round(record.gross_r + 0.02, 4)
    return trade(intent, gross_r=better, costs=_COSTS, reason=record.exit_reason, closed_at=closed_at)


def written(folder: Path, trades: list[TradeRecord]) -> Path:
    TradeLog(folder).write(trades)
    return folder
