"""Keeps exits going when the journal can not be written, and lets nothing be opened then."""

import logging
from collections.abc import Callable, Sequence
from itertools import chain

from core.errors import EntryUnwritable, JournalError
from core.journal import CommandSent, Entry, IntentRecorded
from core.orders import PrepareSymbol, SubmitEntry
from core.ports import Recorder

log = logging.getLogger(__name__)

_MOST_WAITING = 10_000
"""Calls of ``append``."""


class JournalGuard:
    """A ``core.ports.Recorder`` that fails only for what opens a position.

    A stop or a close must leave even when it can not be written down. What could not be written waits, and
    goes before whatever comes next, so that a full disk costs no record. ``failed`` hears of every failure,
    ``lost`` of the first record since all was well that will never be written.
    """

    def __init__(self, journal: Recorder, *, failed: Callable[[str], None], lost: Callable[[], None]) -> None:
        self._journal = journal
        self._failed = failed
        self._lost = lost
        self._has_lost = False
        self._waiting: list[Sequence[Entry]] = []

    def append(self, entries: Sequence[Entry]) -> None:
        """Raises ``JournalError`` only where the entries are to open something."""
        try:
            self._write(entries)
        except JournalError as fault:
            log.warning("journal not written: %s", fault)
            is_opening = any(_opens(entry) for entry in entries)
            if not is_opening:
                self._wait(entries)
            self._failed(str(fault))
            if is_opening:
                raise

    def make_up(self) -> None:
        """Try again to write what waits; that it still can not be is no news."""
        if not self._waiting:
            return
        try:
            self._catch_up()
        except JournalError as fault:
            log.debug("journal still not written: %s", fault)
        else:
            self._has_lost = False

    def _write(self, entries: Sequence[Entry]) -> None:
        """Write what waits and what is new together, or else as much as goes, in order."""
        try:
            self._journal.append([*chain.from_iterable(self._waiting), *entries])
        except JournalError:
            if not self._waiting:
                raise
            self._catch_up()
            self._journal.append(entries)
        self._waiting.clear()
        self._has_lost = False

    def _catch_up(self) -> None:
        """Write what waits as it came, and give up what no journal takes even alone."""
        while self._waiting:
            oldest = self._waiting[0]
            try:
                self._journal.append(oldest)
            except EntryUnwritable:
                if len(oldest) > 1:
                    self._waiting[:1] = [[entry] for entry in oldest]
                else:
                    self._give_up("it can not be encoded")
            else:
                del self._waiting[0]

    def _wait(self, entries: Sequence[Entry]) -> None:
        self._waiting.append(entries)
        if len(self._waiting) > _MOST_WAITING:
            self._give_up("too much waits")

    def _give_up(self, why: str) -> None:
        """Go on without the oldest of what waits."""
        log.error("never written to the journal, because %s: %s", why, self._waiting.pop(0))
        if not self._has_lost:
            self._has_lost = True
            self._lost()


def _opens(entry: Entry) -> bool:
    body = entry.body
    return isinstance(body, IntentRecorded) or (
        isinstance(body, CommandSent) and isinstance(body.command, PrepareSymbol | SubmitEntry)
    )
