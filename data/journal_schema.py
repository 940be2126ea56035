"""The journal's tables, and how a file comes to have them."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path

from core.errors import JournalError

APPLICATION_ID = 0x70737474  # "pstt" in the file's header: this database is ours
BUSY_TIMEOUT_SECONDS = 2.0

DAMAGE = (sqlite3.Error, UnicodeDecodeError)
"""What a damaged file answers with: where a name is garbled, even the message can not be read."""

_FIRST = """
CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    key TEXT UNIQUE,
    payload TEXT NOT NULL,
    prev_hash TEXT NOT NULL,
    hash TEXT NOT NULL
);
CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER events_are_never_removed BEFORE DELETE ON events
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

CREATE TABLE positions (
    position_id TEXT PRIMARY KEY,
    source TEXT NOT NULL,
    symbol TEXT NOT NULL,
    stage TEXT NOT NULL,
    state TEXT,
    seq INTEGER NOT NULL REFERENCES events
);
CREATE INDEX live_positions ON positions (seq) WHERE stage <> 'closed';

CREATE TABLE trades (
    trade_id TEXT PRIMARY KEY,
    source TEXT NOT NULL,
    strategy TEXT NOT NULL,
    symbol TEXT NOT NULL,
    side TEXT NOT NULL,
    opened_at INTEGER,
    closed_at INTEGER,
    duration_ms INTEGER,
    quantity TEXT NOT NULL,
    entry_price TEXT NOT NULL,
    exit_price TEXT,
    gross_pnl TEXT NOT NULL,
    net_pnl TEXT NOT NULL,
    fees TEXT NOT NULL,
    funding TEXT NOT NULL,
    gross_r REAL NOT NULL,
    net_r REAL NOT NULL,
    confidence REAL NOT NULL,
    exit_reason TEXT NOT NULL,
    seq INTEGER NOT NULL UNIQUE REFERENCES events
);
CREATE INDEX trades_by_time ON trades (closed_at);

CREATE TABLE equity (at INTEGER PRIMARY KEY, equity TEXT NOT NULL);
"""

_SECOND = """
CREATE INDEX risk_events ON events (seq) WHERE kind = 'risk';
CREATE INDEX positions_by_change ON positions (seq);
"""

# From here on a payload may be a BLOB, see ``data.journal_payloads``: ``base`` is the event it was compressed
# against. A position's state is the last event about it, and need not be kept a second time.
_THIRD = """
ALTER TABLE events ADD COLUMN base INTEGER REFERENCES events;
ALTER TABLE positions DROP COLUMN state;
ALTER TABLE positions ADD COLUMN intent INTEGER REFERENCES events;
CREATE INDEX damage_events ON events (seq) WHERE kind = 'damage';
CREATE INDEX trades_by_source ON trades (source, seq);
"""

MIGRATIONS: Sequence[str] = (
    _FIRST,
    _SECOND,
    _THIRD,
)  # the n-th script makes a version-n file out of a version n−1 one
SCHEMA_VERSION = len(MIGRATIONS)


def open_writer(path: Path, *, durable: bool = True) -> sqlite3.Connection:
    """Open or create the journal; a committed transaction survives power loss where the disk keeps its word.

    Without ``durable`` it survives only the end of the process, and a commit need not wait for the disk.
    Raises ``JournalError`` when it can not be opened, is not a journal, or is newer than this program.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = _connected(str(path))
    except (OSError, sqlite3.Error) as error:
        raise fault(path, error) from error
    with _closed_at_fault(connection, path):
        _prepare(connection, path, durable=durable)
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """Open an existing journal for reading only. Raises ``JournalError`` as ``open_writer`` does.

    What an older version left is read from a copy, which ends with the connection.
    """
    if not path.exists():
        raise JournalError(f"There is no journal at {path}: check the path, or run the program once.")
    try:
        connection = _for_reading(path.resolve())
    except sqlite3.Error as error:
        raise fault(path, error) from error
    with _closed_at_fault(connection, path):
        version = _version(connection, path)
        if version != SCHEMA_VERSION:
            return _newer_copy(connection, version, path)
        _check_tables(connection, path)
    return connection


def _for_reading(path: Path) -> sqlite3.Connection:
    """Open for reading, for which SQLite makes files of its own beside the journal.

    Where it can not, and there are none, nobody writes the journal: it is read as if it never changed.
    """
    connection = _connected(f"{path.as_uri()}?mode=ro", is_uri=True)
    try:
        connection.execute("PRAGMA user_version")  # which opens it
    except sqlite3.Error as error:
        connection.close()
        if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_CANTOPEN:
            raise
        memory, log = (path.with_name(f"{path.name}-{part}") for part in ("shm", "wal"))
        if log.exists() and log.stat().st_size:
            raise JournalError(
                f"The journal {path} can not be read where nothing can be written, for its newest events are"
                f" still in {log.name}: copy both to a folder that can be written, and read it there."
            ) from error
        if memory.is_file():
            raise
        return _connected(f"{path.as_uri()}?mode=ro&immutable=1", is_uri=True)
    return connection


_TEMPORARY = ""  # SQLite's own temporary file, which ends with its connection


def _connected(name: str, *, is_uri: bool = False) -> sqlite3.Connection:
    connection = sqlite3.connect(
        name, uri=is_uri, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False
    )
    connection.text_factory = _text
    return connection


def _text(stored: bytes) -> str:
    """Read garbled bytes as marks: such a row is altered, which its hash tells, and no other row suffers."""
    return stored.decode(errors="replace")


@contextmanager
def _closed_at_fault(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """Close the connection where the journal can not be used, and say what happened to it."""
    try:
        yield
    except DAMAGE as error:
        connection.close()
        raise fault(path, error) from error
    except JournalError:
        connection.close()
        raise


def _newer_copy(connection: sqlite3.Connection, version: int, path: Path) -> sqlite3.Connection:
    if not version:
        raise JournalError(f"The journal {path} is empty: start the trader once.")
    copy = _connected(_TEMPORARY)
    with closing(connection):
        connection.backup(copy)
    _migrate(copy, since=version)
    return copy


def blank_copy() -> sqlite3.Connection:
    """Open an empty journal that ends with its connection."""
    copy = _connected(_TEMPORARY)
    _migrate(copy, since=0)
    copy.execute("BEGIN")
    return copy


def fault(path: Path, error: Exception) -> JournalError:
    """Say what happened to the journal, and what to do about it, in one sentence."""
    is_garbled = isinstance(error, UnicodeDecodeError)
    code = sqlite3.SQLITE_CORRUPT if is_garbled else getattr(error, "sqlite_errorcode", 0) & 0xFF
    advice = _ADVICE.get(code)
    if advice is None:
        return JournalError(
            f"The journal {path} can not be used ({error}): check the disk, then start again."
        )
    return JournalError(f"The journal {path} {advice}.")


_ADVICE = {
    sqlite3.SQLITE_BUSY: "is being written by another process: stop that one, then start again",
    sqlite3.SQLITE_FULL: "can not be written because the disk is full: free some space, then start again",
    sqlite3.SQLITE_IOERR: "can not be read or written: check the disk and its free space, then start again",
    sqlite3.SQLITE_READONLY: "can not be written: make the file and its folder writable",
    sqlite3.SQLITE_CANTOPEN: "can not be opened: check that its folder exists and is yours",
    sqlite3.SQLITE_NOTADB: "is not a journal: move that file away, or choose another folder",
    sqlite3.SQLITE_CORRUPT: "is damaged: keep the file, and start with a copy of the last good one",
}


def _prepare(connection: sqlite3.Connection, path: Path, *, durable: bool) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
    version = _version(connection, path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
    if 0 < version < SCHEMA_VERSION:
        _back_up(connection, path.with_name(f"{path.name}.v{version}.bak"))
    _migrate(connection, since=version)
    _check_tables(connection, path)


def _check_tables(connection: sqlite3.Connection, path: Path) -> None:
    """A garbled definition makes SQLite read sound rows as something else."""
    if _tables_of(connection) != _tables_made_by(tuple(MIGRATIONS)):
        raise JournalError(f"The journal {path} {_ADVICE[sqlite3.SQLITE_CORRUPT]}.")


def _tables_of(connection: sqlite3.Connection) -> list[tuple[str, str, str]]:
    rows = connection.execute(
        "SELECT type, name, tbl_name, ifnull(sql, '') FROM sqlite_master WHERE type IN ('table', 'index')"
    )
    return sorted(rows.fetchall(), key=str)


@cache
def _tables_made_by(_migrations: tuple[str, ...]) -> list[tuple[str, str, str]]:
    with closing(blank_copy()) as blank:
        return _tables_of(blank)


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """Return the schema's version, 0 for an empty file; a file that is not ours is a ``JournalError``."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    owner: int = connection.execute("PRAGMA application_id").fetchone()[0]
    tables: int = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if tables and owner != APPLICATION_ID:
        raise JournalError(f"{path} is another program's database: choose another folder.")
    if version > SCHEMA_VERSION:
        raise JournalError(
            f"The journal {path} was written by a newer perpscout (schema {version}, this one knows"
            f" {SCHEMA_VERSION}): update the program, or choose another folder."
        )
    return version


def _migrate(connection: sqlite3.Connection, *, since: int) -> None:
    """Bring a file of version ``since`` up to ours, a transaction a step."""
    for number in range(since + 1, SCHEMA_VERSION + 1):
        connection.executescript(
            f"BEGIN IMMEDIATE; {MIGRATIONS[number - 1]}"
            f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {number}; COMMIT;"
        )


def _back_up(connection: sqlite3.Connection, path: Path) -> None:
    with closing(sqlite3.connect(path)) as copy:
        connection.backup(copy)
