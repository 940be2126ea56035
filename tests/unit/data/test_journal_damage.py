"""A journal cut at any byte and flipped at any bit: nothing acknowledged is lost in silence."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from core.errors import JournalError
from core.journal import (
    Body,
    DamageFound,
    Entry,
    IntentRecorded,
    MinuteJudged,
    PositionChanged,
    PositionClosed,
    RiskChanged,
)
from core.risk_state import RiskState
from core.rng import seeded
from core.trades import EMPTY_SNAPSHOT
from data.journal import SqliteJournal
from data.journal_audit import audit
from data.journal_reader import JournalReader
from data.journal_witness import ask_witness
from tests.builders import T0, candidate, closed_position, plan, position, ranked

FRAME = 24 + 512  # of the log, with pages as small as SQLite makes them
PARTS = ("journal.db", "journal.db-wal", "journal.db.witness")


def transactions() -> Iterator[Sequence[Entry]]:
    """Yield what one trade and the minute it lives through write."""
    intent = plan(ranked(candidate()))
    bodies: tuple[list[Body], ...] = (
        [IntentRecorded(plan=intent), PositionChanged(position=position(intent))],
        [MinuteJudged(row_sha256="ab", symbols=2, absent=(), ranked=0, equity="10000")],
        [
            PositionClosed(position=closed_position(intent), snapshot=EMPTY_SNAPSHOT),
            RiskChanged(state=RiskState(day=1)),
        ],
    )
    for each in bodies:
        yield [Entry(body=body, at=T0, seen_at=T0) for body in each]


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """The files of a journal whose writer was killed, and what it had been told was safe."""

    folder: Path
    files: dict[str, bytes]
    entries: list[str]
    ends: frozenset[int]

    def lay(self, **changed: bytes) -> Path:
        """Put the files down, some of them otherwise than they were."""
        for name in (*PARTS, "journal.db-shm"):
            (self.folder / name).unlink(missing_ok=True)
        for name, content in {**self.files, **changed}.items():
            (self.folder / name).write_bytes(content)
        return self.folder / "journal.db"


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Return a folder in memory where there is one: thousands of journals are opened here."""
    memory = Path("/dev/shm")  # noqa: S108 - the folder in it has a name nobody can guess
    with TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


@pytest.fixture(scope="module")
def disk(folder: Path) -> Disk:
    path = folder / "journal.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("PRAGMA page_size = 512; CREATE TABLE t (n); DROP TABLE t;")
    SqliteJournal(path).close()
    written: list[str] = []
    ends = [0]
    with SqliteJournal(path) as journal:
        for each in transactions():
            journal.append(each)
            written.extend(map(str, each))
            ends.append(len(written))
        files = {name: (folder / name).read_bytes() for name in PARTS}
    return Disk(folder=folder, files=files, entries=written, ends=frozenset(ends))


def told_by(disk: Disk, path: Path) -> tuple[list[str], str]:
    """Open it as a start does; return what it still knows and what it says is wrong."""
    with SqliteJournal(path, durable=False) as journal:
        entries = [each for each in journal.reader().entries() if not isinstance(each.body, DamageFound)]
        return list(map(str, entries)), journal.damage()


def check(disk: Disk, path: Path) -> str:
    """Demand that whatever is missing or altered is named; returns how."""
    try:
        entries, damage = told_by(disk, path)
    except JournalError as fault:
        return str(fault)
    if entries != disk.entries:
        assert damage, f"{len(entries)} of {len(disk.entries)} entries, and nothing is said"
        if entries == disk.entries[: len(entries)]:
            assert len(entries) in disk.ends, "half a transaction"
            assert damage == f"events {len(entries) + 1} to {len(disk.entries)} are missing"
    return damage


def cuts(content: bytes, every: int) -> Iterator[int]:
    borders = {at + shift for at in range(32, len(content), FRAME) for shift in (-1, 0, 1)}
    yield from sorted(borders | set(range(0, len(content), every)))


def test_an_undamaged_journal_says_nothing(disk: Disk) -> None:
    assert told_by(disk, disk.lay()) == (disk.entries, "")
    assert len(disk.files["journal.db-wal"]) > 10 * FRAME


@pytest.mark.fault(80)
@pytest.mark.timeout(600)
@pytest.mark.parametrize("every", [61, pytest.param(1, marks=pytest.mark.long)])
def test_a_log_cut_at_any_byte_keeps_whole_transactions_and_names_the_missing(disk: Disk, every: int) -> None:
    log = disk.files["journal.db-wal"]
    said = {check(disk, disk.lay(**{"journal.db-wal": log[:at]})) for at in cuts(log, every)}
    assert f"events 1 to {len(disk.entries)} are missing" in said
    assert len(said) == len(disk.ends) - 1


@pytest.mark.timeout(600)
@pytest.mark.parametrize("every", [211, pytest.param(1, marks=pytest.mark.long)])
def test_a_file_cut_at_any_byte_is_refused_or_made_whole_by_its_log(disk: Disk, every: int) -> None:
    main = disk.files["journal.db"]
    for at in range(0, len(main), every):
        check(disk, disk.lay(**{"journal.db": main[:at]}))


@pytest.mark.fault(81)
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("flips", [150, pytest.param(1_500, marks=pytest.mark.long)])
def test_a_flipped_bit_loses_nothing_in_silence(disk: Disk, name: str, flips: int) -> None:
    rng = seeded(20)
    for at, bit in zip(*drawn(rng, disk.files[name], flips), strict=True):
        content = bytearray(disk.files[name])
        content[at] ^= 1 << bit
        check(disk, disk.lay(**{name: bytes(content)}))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("flips", [150, pytest.param(1_500, marks=pytest.mark.long)])
def test_after_a_flip_in_a_closed_journal_every_question_is_answered_right_or_the_audit_objects(
    disk: Disk, flips: int
) -> None:
    path = disk.lay()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = path.read_bytes()
    asked = answers(path)
    rng = seeded(21)
    for at, bit in zip(*drawn(rng, whole, flips), strict=True):
        content = bytearray(whole)
        content[at] ^= 1 << bit
        try:
            same = answers(disk.lay(**{"journal.db": bytes(content), "journal.db-wal": b""})) == asked
        except JournalError:
            continue
        assert same or objections(path), f"bit {bit} of byte {at}"


def drawn(rng: np.random.Generator, content: bytes, flips: int) -> tuple[list[int], list[int]]:
    return rng.integers(len(content), size=flips).tolist(), rng.integers(8, size=flips).tolist()


def answers(path: Path) -> list[str]:
    with JournalReader(path) as reader:
        questions: tuple[Iterable[object], ...] = (
            reader.entries(),
            reader.results(),
            reader.live_positions(),
            reader.equity(),
        )
        return [str(list(each)) for each in questions]


def objections(path: Path) -> list[str]:
    with JournalReader(path) as reader:
        try:
            return audit(reader, ask_witness(path)[0])
        except JournalError as fault:
            return [str(fault)]
