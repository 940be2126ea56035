"""Keeping 100,000 trades: what a commit costs, what lies on the disk, what a rebuild and a start take."""

import multiprocessing
import resource
import sqlite3
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.parquet as pq

from benchmarks.journal_trades import SYMBOLS, Trades
from core.journal import Entry, PositionChanged
from core.market import SymbolAxis
from core.parameters import Parameters
from core.rng import seeded
from data.candle_store import CandleStore
from data.codec import encode, encode_body
from data.journal import SqliteJournal
from data.journal_reader import JournalReader
from data.trade_columns import columns_for, table_of
from data.trade_log import TradeLog
from data.trade_parts import parts_in
from services.risk_desk import RiskDesk

TRADES = 100_000
LIVES = 500
"""Trades written as they happen, a transaction a step; the rest arrives many at a time."""

TOGETHER = 100
PART_ROWS = 100
"""Rows of a part, as a busy run leaves them before the log is compacted."""

KNOWN_IDS = 10_000
ROWS_AT_ONCE = 1_000
TENTH = 10


def run(*, seed: int = 1, trades: int = TRADES) -> dict[str, Any]:
    """Measure in a folder that is gone afterwards, on the disk of the temporary folder."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        steps = list(_steps(seed))
        bare = time_bare_inserts(folder / "bare.db", steps)
        live = time_appends(folder / "live.db", steps)
        fill(folder / "journal.db", seed, trades)
        measured = {
            each.__name__: alone(each, folder)
            for each in (scatter, compact, rebuild, restore, catch_up, write_plainly)
        }
        found = _found(folder, steps, live=live, bare=bare)
        for work, (seconds, peak_mb) in measured.items():
            found |= {f"{work}_seconds": seconds, f"{work}_peak_mb": peak_mb}
        return found | {
            "trades": trades,
            "rebuild_multiple_of_plain_write": measured["rebuild"][0] / measured["write_plainly"][0],
        }


def _found(folder: Path, steps: list[Sequence[Entry]], *, live: float, bare: float) -> dict[str, Any]:
    events = sum(map(len, steps))
    return {
        "name": "journal",
        "unit": "events/s",
        "ours": events / live,
        "reference": events / bare,
        "reference_name": "sqlite3 alone: the same texts in the same transactions, WAL, synchronous=FULL",
        "ratio": bare / live,
        "commits_a_second": len(steps) / live,
        "events_a_trade": events / LIVES,
        "bytes_a_trade": (folder / "live.db").stat().st_size / LIVES,
        "bytes_a_trade_as_text": sum(len(text) for step in steps for text in _texts_before(step)) / LIVES,
        "journal_mb": (folder / "journal.db").stat().st_size / 1e6,
        "trade_log_mb": sum(part.stat().st_size for part in parts_in(folder / "trades")) / 1e6,
    }


# --- writing ------------------------------------------------------------------------------------------


def _steps(seed: int) -> list[Sequence[Entry]]:
    trades = Trades(seeded(seed))
    return [step for number in range(LIVES) for step in trades.life(number)]


def time_appends(path: Path, steps: list[Sequence[Entry]]) -> float:
    """Return the seconds of all commits, each of them on the disk before the next."""
    with SqliteJournal(path) as journal:
        began = time.perf_counter()
        for step in steps:
            journal.append(step)
        return time.perf_counter() - began


def time_bare_inserts(path: Path, steps: list[Sequence[Entry]]) -> float:
    """Time SQLite alone with texts made beforehand: no hash, no sums, no check that they can be read back."""
    texts = [[(encode_body(entry.body).decode(),) for entry in step] for step in steps]
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")
        connection.execute("CREATE TABLE events (seq INTEGER PRIMARY KEY, payload TEXT NOT NULL)")
        began = time.perf_counter()
        for rows in texts:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO events (payload) VALUES (?)", rows)
            connection.execute("COMMIT")
        return time.perf_counter() - began


def _texts_before(step: Sequence[Entry]) -> list[bytes]:
    """Return what schema 2 kept of a step: every body as text, and a position's state once more."""
    states = [encode(each.body.position) for each in step if isinstance(each.body, PositionChanged)]
    return [encode_body(each.body) for each in step] + states


def fill(path: Path, seed: int, count: int) -> None:
    """Write so many closed trades."""
    trades = Trades(seeded(seed))
    ends = (trades.end(number) for number in range(count))
    with SqliteJournal(path, durable=False) as journal:
        while chunk := list(islice(ends, TOGETHER)):
            journal.append([entry for end in chunk for entry in end])


# --- each in a process of its own, so that its memory is its own ----------------------------------------


def alone(work: Callable[[Path], float], folder: Path) -> tuple[float, float]:
    """Run in a fresh process; return its seconds, and how far its memory rose above its beginning, in MB."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_measured, work, folder).result()


def _measured(work: Callable[[Path], float], folder: Path) -> tuple[float, float]:
    before = _peak_mb()
    return work(folder), _peak_mb() - before


def _peak_mb() -> float:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def scatter(folder: Path) -> float:
    """Write the log as a run does, in small parts."""
    log, began = TradeLog(folder / "trades"), time.perf_counter()
    with JournalReader(folder / "journal.db") as journal:
        trades = journal.closed_trades()
        while chunk := list(islice(trades, PART_ROWS)):
            log.write(chunk)
    return time.perf_counter() - began


def compact(folder: Path) -> float:
    log, began = TradeLog(folder / "trades"), time.perf_counter()
    log.compact()
    return time.perf_counter() - began


def rebuild(folder: Path) -> float:
    log, began = TradeLog(folder / "trades"), time.perf_counter()
    with JournalReader(folder / "journal.db") as journal:
        log.rebuild(journal)
    return time.perf_counter() - began


def restore(folder: Path) -> float:
    """Take up what a start takes up before anything trades."""
    began = time.perf_counter()
    with SqliteJournal(folder / "journal.db") as journal:
        axis = SymbolAxis(tuple(map(str, range(SYMBOLS))))
        RiskDesk({}, CandleStore(axis), Parameters()).recall(journal)
        journal.live_positions()
        journal.position_ids(KNOWN_IDS)
        return time.perf_counter() - began


def catch_up(folder: Path) -> float:
    """Open the log and look for what is missing, as a start does beside trading."""
    began = time.perf_counter()
    with JournalReader(folder / "journal.db") as journal:
        TradeLog(folder / "trades").catch_up(journal)
    return time.perf_counter() - began


def write_plainly(folder: Path) -> float:
    """Put a tenth of the rows into one plain file, without days, checksums or a sync: the least to be done.

    Returns ten times the seconds of that.
    """
    began = time.perf_counter()
    path = folder / "plain.parquet"
    with JournalReader(folder / "journal.db") as journal:
        trades = islice(journal.closed_trades(), journal.last().seq // 2 // TENTH)
        chunk = list(islice(trades, PART_ROWS))
        columns = columns_for(chunk)
        with pq.ParquetWriter(path, columns, compression="zstd") as writer:
            while chunk:
                writer.write_table(table_of(chunk, columns))
                chunk = list(islice(trades, ROWS_AT_ONCE))
    path.unlink()
    return (time.perf_counter() - began) * TENTH
