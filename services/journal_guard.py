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


class JournalGuard:
    """A ``core.ports.Journal`` that fails only for what opens a position.

    A stop or a close must leave even when it can not be written down: each entry of a position holds the
    whole of it, so the next one that can be written makes up for those that could not. ``failed`` hears of
    every one of them.
    """

    def __init__(self, journal: Journal, *, failed: Callable[[str], None]) -> None:
        self._journal = journal
        self._failed = failed

    def append(self, entries: Sequence[Entry]) -> None:
        """Raises ``JournalError`` only where the entries are to open something."""
        try:
            self._journal.append(entries)
        except JournalError as fault:
            log.warning("journal not written: %s", fault)
            self._failed(str(fault))
            if any(_opens(entry) for entry in entries):
                raise

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
