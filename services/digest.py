"""A fingerprint of every decision, so that two runs can be told to have decided the same."""

from hashlib import sha256

from core.positions import Position, PositionPlan
from core.signals import RankedSignal


class DecisionDigest:
    """Hashes decisions in the order they were made; floats by their shortest exact text."""

    def __init__(self) -> None:
        self._hash = sha256()

    def signal(self, signal: RankedSignal, verdict: str, reasons: tuple[str, ...]) -> None:
        candidate = signal.candidate
        self._add(
            "signal",
            candidate.signal_id,
            repr(candidate.confidence),
            repr(candidate.stop),
            repr(candidate.target),
            str(signal.rank),
            repr(signal.expected_net_r),
            str(signal.leverage),
            verdict,
            *reasons,
        )

    def opened(self, plan: PositionPlan) -> None:
        self._add("opened", plan.position_id, str(plan.quantity), str(plan.stop), str(plan.leverage))

    def closed(self, position: Position) -> None:
        self._add(
            "closed",
            position.position_id,
            str(position.exit_reason),
            str(position.entry_price),
            str(position.exit_price),
            str(position.net_pnl),
            str(position.closed_at),
        )

    def hexdigest(self) -> str:
        return self._hash.hexdigest()

    def _add(self, *parts: str) -> None:
        self._hash.update("\x1f".join(parts).encode() + b"\n")
