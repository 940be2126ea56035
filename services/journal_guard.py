"""Keeps exits going when the journal can not be written, and lets nothing be opened then."""

import logging
from collections.abc import Callable, Iterator, Sequence

from core.errors import JournalError
from core.journal import CommandSent, Entry, IntentRecorded
from core.orders import PrepareSymbol, SubmitEntry
from core.ports import Journal
from core.positions import Position
from core.risk_state import RiskState
from core.trades import TradeRecord

log = logging.getLogger(__name__)


_MOST_WAITING = 10_000


class JournalGuard:
    """A ``core.ports.Journal`` that fails only for what opens a position.

    A stop or a close must leave even when it can not be written down. What could not be written waits, and
    goes before whatever comes next, so that a full disk costs no record. ``failed`` hears of every failure.
    """

    def __init__(self, journal: Journal, *, failed: Callable[[str], None]) -> None:
        self._journal = journal
        self._failed = failed
        self._waiting: list[Entry] = []

    def append(self, entries: Sequence[Entry]) -> None:
        """Raises ``JournalError`` only where the entries are to open something."""
        try:
            self._write(entries)
        except JournalError as fault:
            log.warning("journal not written: %s", fault)
            self._failed(str(fault))
            if any(_opens(entry) for entry in entries):
                raise
            self._waiting = [*self._waiting, *entries][-_MOST_WAITING:]

    def _write(self, entries: Sequence[Entry]) -> None:
        """Write what waits and what is new together; what alone stands in the way is given up."""
        try:
            self._journal.append([*self._waiting, *entries])
        except JournalError:
            if not self._waiting:
                raise
            self._journal.append(entries)
            log.exception("%d entries can not be written and are given up", len(self._waiting))
        self._waiting = []

    def live_positions(self) -> Sequence[Position]:
        return self._journal.live_positions()

    def closed_trades(self) -> Iterator[TradeRecord]:
        return self._journal.closed_trades()

    def risk_state(self) -> RiskState | None:
        return self._journal.risk_state()

    def position_ids(self, limit: int) -> Sequence[str]:
        return self._journal.position_ids(limit)


def _opens(entry: Entry) -> bool:
    body = entry.body
    return isinstance(body, IntentRecorded) or (
        isinstance(body, CommandSent) and isinstance(body.command, PrepareSymbol | SubmitEntry)
    )
