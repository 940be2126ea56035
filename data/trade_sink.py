"""The trade log as the trader writes it: whatever befalls the folder, it is made up for from the journal."""

from collections.abc import Sequence
from pathlib import Path

from core.trades import TradeRecord
from data.journal_reader import JournalReader
from data.trade_log import TradeLog

_COMPACT_EVERY = 500
"""Writes, each of which leaves a file."""


class DerivedTradeLog:
    """``core.ports.TradeSink`` over a ``TradeLog`` opened with the first write, and again after a fault.

    Opening adds what the journal has and the log has not, so nothing needs to be kept while the folder can
    not be written. Slow: not for the event loop.
    """

    def __init__(self, folder: Path, journal: Path) -> None:
        self._folder = folder
        self._journal = journal
        self._log: TradeLog | None = None
        self._writes = 0

    @property
    def folder(self) -> Path:
        return self._folder

    def write(self, records: Sequence[TradeRecord]) -> None:
        """Raises ``DataFileError`` or ``JournalError`` where the log, or the journal, can not be used."""
        log, self._log = self._log, None  # kept only if all goes well
        if log is None:
            log = self._opened()
            records = log.missing(records)
        log.write(records)
        self._writes += 1
        if self._writes % _COMPACT_EVERY == 0:
            log.compact()
        self._log = log

    def _opened(self) -> TradeLog:
        log = TradeLog(self._folder)
        with JournalReader(self._journal) as journal:
            log.catch_up(journal)
        log.compact()
        return log
