"""Where one run writes: its lock, journal, trade log and log file."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.clock import Clock
from core.settings import Settings
from data.journal import SqliteJournal
from data.run_lock import RunLock
from data.trade_log import TradeLog
from services.bookkeeping import Bookkeeper


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """The open books of one run; the bookkeeper fills the trade log."""

    folder: Path
    journal: SqliteJournal
    trade_log: TradeLog
    bookkeeper: Bookkeeper


@contextmanager
def records_in(folder: Path, clock: Clock, *, durable: bool = True) -> Iterator[Records]:
    """Open the books in ``folder``, which is then nobody else's; ``durable`` waits for the disk."""
    with RunLock(folder), SqliteJournal(folder / "journal.db", durable=durable) as journal:
        trade_log = TradeLog(folder / "trades")
        trade_log.catch_up(journal)
        bookkeeper = Bookkeeper(trade_log, clock)
        yield Records(folder=folder, journal=journal, trade_log=trade_log, bookkeeper=bookkeeper)
        bookkeeper.flush()


def log_to(folder: Path, settings: Settings) -> None:
    """Send what libraries and services log to a file: the terminal belongs to the run's own view."""
    logging.basicConfig(
        filename=folder / "perpscout.log",
        level=settings.log_level,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        force=True,
    )
