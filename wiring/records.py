"""Where one run writes: its lock, journal, trade log and log file."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path

from core.clock import Clock
from core.errors import JournalError
from core.journal import Entry, RunStarted
from core.settings import Settings
from data.journal import SqliteJournal
from data.run_lock import RunLock
from data.trade_sink import DerivedTradeLog
from services.bookkeeping import Bookkeeper

log = logging.getLogger(__name__)

LOG_BYTES = 20_000_000
LOGS_KEPT = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """The open books of one run; the bookkeeper fills the trade log."""

    folder: Path
    journal: SqliteJournal
    trade_log: DerivedTradeLog
    bookkeeper: Bookkeeper

    def announce(self, run: RunStarted, *, at: int) -> None:
        """Write down what begins here. Where that fails, the trader finds out too, and opens nothing."""
        try:
            self.journal.append([Entry(body=run, at=at, seen_at=at)])
        except JournalError as fault:
            log.warning("the journal does not tell what began here: %s", fault)


@contextmanager
def records_in(folder: Path, clock: Clock, *, durable: bool = True) -> Iterator[Records]:
    """Open the books in ``folder``, which is then nobody else's; ``durable`` waits for the disk."""
    with RunLock(folder), SqliteJournal(folder / "journal.db", durable=durable) as journal:
        trade_log = DerivedTradeLog(folder / "trades", journal.path)
        bookkeeper = Bookkeeper(trade_log, clock)
        yield Records(folder=folder, journal=journal, trade_log=trade_log, bookkeeper=bookkeeper)
        bookkeeper.flush()


def log_to(folder: Path, settings: Settings) -> None:
    """Send what libraries and services log to a file: the terminal belongs to the run's own view.

    It never takes more than ``LOG_BYTES`` times one more than ``LOGS_KEPT``, however long the run.
    """
    file = RotatingFileHandler(
        folder / "perpscout.log", maxBytes=LOG_BYTES, backupCount=LOGS_KEPT, encoding="utf-8"
    )
    logging.basicConfig(
        handlers=[file],
        level=settings.log_level,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        force=True,
    )
