"""A journal in memory, and one that can not be written."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from core.errors import JournalError
from core.journal import Body, Entry, IntentRecorded, PositionChanged, PositionClosed, RiskChanged
from core.positions import Position, Source
from core.risk_state import RiskState
from core.trades import TradeRecord, TradeResult

B = TypeVar("B", bound=Body)


class MemoryJournal:
    """``core.ports.Journal`` without a disk."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.transactions: list[list[Body]] = []
        self.is_broken = False
        self.damaged = ""

    def append(self, entries: Sequence[Entry]) -> None:
        if self.is_broken:
            raise JournalError("the disk is full")
        self.transactions.append([entry.body for entry in entries])
        known = {entry.key for entry in self.entries if entry.key is not None}
        self.entries.extend(entry for entry in entries if entry.key is None or entry.key not in known)

    def live_positions(self) -> Sequence[Position]:
        latest: dict[str, Position] = {}
        for entry in self.entries:
            match entry.body:
                case IntentRecorded(plan=plan):
                    latest[plan.position_id] = Position(plan=plan)
                case PositionChanged(position=position) | PositionClosed(position=position):
                    latest[position.position_id] = position
        return [position for position in latest.values() if position.is_live]

    def closed_trades(self) -> Iterator[TradeRecord]:
        for entry in self.entries:
            if isinstance(entry.body, PositionClosed):
                yield TradeRecord(position=entry.body.position, snapshot=entry.body.snapshot)

    def newest_trades(self, source: Source, limit: int) -> Sequence[TradeRecord]:
        return [each for each in self.closed_trades() if each.source is source][-limit:]

    def results(self) -> Iterator[TradeResult]:
        return (each.result for each in self.closed_trades())

    def damage(self) -> str:
        return self.damaged

    def risk_state(self) -> RiskState | None:
        states = self.bodies(RiskChanged)
        return states[-1].state if states else None

    def given_up(self, limit: int) -> Sequence[Position]:
        changed = {body.position.position_id: body.position for body in self.bodies(PositionChanged)}
        ended = [each for each in changed.values() if not each.is_live and not each.fills]
        return [each for each in ended if each.plan.source is Source.REAL][-limit:]

    def position_ids(self, limit: int) -> Sequence[str]:
        ids = dict.fromkeys(body.position.position_id for body in reversed(self.bodies(PositionChanged)))
        return list(ids)[:limit]

    def bodies(self, kind: type[B]) -> list[B]:
        """Return everything of one kind, in order."""
        return [entry.body for entry in self.entries if isinstance(entry.body, kind)]
