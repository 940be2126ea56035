"""The closed-trade row: what the trade log stores and the models learn from."""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from core.market import Floats
from core.positions import ExitReason, Position, Source
from core.signals import Side

SCHEMA_VERSION = 1
SNAPSHOT_BARS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeResult:
    """What is learned from a closed position: how confident its signal was, and the R it brought."""

    source: Source
    confidence: float
    gross_r: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeRecord:
    """One closed position, real or virtual, ready to be stored; its numbers are final.

    ``snapshot`` is float64 [5, n], the last n closed 1m candles at the decision (n ≤ 60).
    ``excursion_*_r`` are the best and worst price reached while open, in R. ``amends``: it takes the place
    of the row that was written when the position closed.
    """

    position: Position
    snapshot: Floats
    amends: bool = False

    @property
    def source(self) -> Source:
        return self.position.plan.source

    @property
    def symbol(self) -> str:
        return self.position.symbol

    @property
    def side(self) -> Side:
        return self.position.side

    @property
    def exit_reason(self) -> ExitReason:
        reason = self.position.exit_reason
        if reason is None:
            raise ValueError(f"{self.position.position_id} has not ended")
        return reason

    @property
    def gross_r(self) -> float:
        return self._in_r(float(self.position.gross_pnl))

    @property
    def net_r(self) -> float:
        return self._in_r(float(self.position.net_pnl))

    @property
    def result(self) -> TradeResult:
        confidence = self.position.plan.candidate.confidence
        return TradeResult(source=self.source, confidence=confidence, gross_r=self.gross_r)

    @property
    def favourable_r(self) -> float:
        """Best price reached, in R above the entry."""
        return self._excursion(self.position.favourable)

    @property
    def adverse_r(self) -> float:
        """Worst price reached, in R: negative below the entry."""
        return self._excursion(self.position.adverse)

    def _excursion(self, price: Decimal | None) -> float:
        if price is None:
            return 0.0
        move = float(price - self.position.entry_price)
        return self._in_r(move * self.side * float(self.position.entered))

    def _in_r(self, amount: float) -> float:
        risk = float(self.position.risk)
        return amount / risk if risk else 0.0


EMPTY_SNAPSHOT: Floats = np.empty((5, 0))
