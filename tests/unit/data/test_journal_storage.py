"""How the journal lies on the disk: small, readable by its successors, and honest about its own end."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import JournalError
from core.journal import Entry, IntentRecorded, PositionChanged, PositionClosed, RiskChanged, SignalJudged
from core.positions import Position, PositionPlan, Source, Stage
from core.risk_state import RiskState
from core.trades import EMPTY_SNAPSHOT
from data.codec import encode
from data.journal import SqliteJournal
from data.journal_chain import Tail, link
from data.journal_payloads import pack, unpack
from data.journal_reader import JournalReader
from data.journal_schema import APPLICATION_ID, MIGRATIONS
from data.journal_witness import Witness
from tests.builders import T0, candidate, closed_position, features, plan, position, ranked


def entries_of(*bodies: object) -> list[Entry]:
    return [Entry(body=body, at=T0, seen_at=T0) for body in bodies]  # type: ignore[arg-type]


def life(intent: PositionPlan) -> list[Entry]:
    """Return what a position writes from its intent to its close."""
    ended = closed_position(intent)
    return entries_of(
        IntentRecorded(plan=intent),
        *(PositionChanged(position=position(intent)) for _ in range(8)),
        SignalJudged(signal=intent.signal, verdict=intent.source.value, reasons=()),
        PositionClosed(position=ended, snapshot=EMPTY_SNAPSHOT),
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


# --- size ---------------------------------------------------------------------------------------------


def test_what_repeats_its_intent_takes_little_room(path: Path) -> None:
    numbers = features(**{f"number_{index}": index / 7 for index in range(50)})
    written = life(plan(ranked(replace(candidate(), features=numbers))))
    with SqliteJournal(path) as journal:
        journal.append(written)
        assert [str(each) for each in journal.reader().entries()] == [str(each) for each in written]
        sizes = journal._connection.execute("SELECT kind, length(payload), base FROM events").fetchall()
    intent = next(size for kind, size, _ in sizes if kind == "intent")
    assert all(size < intent / 2 and base == 1 for kind, size, base in sizes if kind != "intent")


def test_a_short_payload_stays_readable_with_other_tools(path: Path) -> None:
    with SqliteJournal(path) as journal:
        journal.append(entries_of(RiskChanged(state=RiskState())))
        (kind,) = journal._connection.execute("SELECT typeof(payload) FROM events").fetchone()
    assert kind == "text"


@pytest.mark.parametrize("base", [None, "x" * 1000 + "y"])
def test_a_packed_payload_that_was_cut_or_altered_is_an_error(base: str | None) -> None:
    payload = "".join(f"{number * number}," for number in range(300))
    stored = pack(payload, base)
    assert isinstance(stored, bytes)
    assert unpack(stored, base) == payload
    for damaged in (stored[:-1], stored[:40] + bytes([stored[40] ^ 1]) + stored[41:]):
        with pytest.raises(ValueError, match="damaged"):
            unpack(damaged, base)


def test_a_payload_whose_base_was_altered_is_an_error() -> None:
    stored = pack("abc" * 500, "abc" * 300)
    with pytest.raises(ValueError, match="damaged"):
        unpack(stored, "abd" * 300)


# --- an older file ------------------------------------------------------------------------------------


def version_2(path: Path, entries: list[Entry], live: Position) -> None:
    """Write a journal as schema 2 had it: payloads as text, a position's state kept beside its events."""
    with closing(sqlite3.connect(path)) as connection:
        for script in MIGRATIONS[:2]:
            connection.executescript(script)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 2")
        tail = Tail()
        for entry in entries:
            event = link(tail, entry)
            tail = Tail(seq=event.seq, hash=event.hash)
            connection.execute(
                "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    event.seq,
                    event.at,
                    event.seen_at,
                    event.kind,
                    event.key,
                    event.text,
                    event.prev_hash,
                    event.hash,
                ),
            )
        connection.execute(
            "INSERT INTO positions VALUES (?, ?, ?, ?, ?, ?)",
            (
                live.position_id,
                live.plan.source,
                live.symbol,
                live.stage,
                encode(live).decode(),
                len(entries),
            ),
        )
        connection.commit()


@pytest.mark.fault(84)
def test_a_journal_of_the_version_before_is_copied_and_goes_on(path: Path) -> None:
    held = position()
    before = entries_of(IntentRecorded(plan=held.plan), PositionChanged(position=held))
    version_2(path, before, held)
    with SqliteJournal(path) as journal:
        assert journal.live_positions() == [held]
        assert journal.damage() == ""
        journal.append(entries_of(PositionChanged(position=held)))
        journal.append(entries_of(PositionClosed(position=closed_position(), snapshot=EMPTY_SNAPSHOT)))
        assert journal.live_positions() == []
        assert len(journal.newest_trades(Source.REAL, 5)) == 1
        assert journal.reader().verify() == 4
    with closing(sqlite3.connect(f"{path}.v2.bak")) as copy:
        assert copy.execute("SELECT count(*), count(state) FROM events, positions").fetchone() == (2, 2)


# --- questions ----------------------------------------------------------------------------------------


def test_what_a_start_needs_is_had_without_reading_every_trade(path: Path) -> None:
    plans = [plan(ranked(candidate(at=T0 + i)), source=source) for i in range(4) for source in Source]
    with SqliteJournal(path) as journal:
        journal.append(
            entries_of(
                *(PositionClosed(position=closed_position(each), snapshot=EMPTY_SNAPSHOT) for each in plans)
            )
        )
        newest = journal.newest_trades(Source.TWIN, 2)
        assert [each.position.plan for each in newest] == [
            each for each in plans if each.source is Source.TWIN
        ][-2:]
        assert list(journal.results()) == [each.result for each in journal.closed_trades()]
        known = {each.position_id for each in plans[:10]}
        found = journal.reader().trades_where(lambda name, _: name not in known, damaged=print)
        missing = [each.position.position_id for each in found]
    assert missing == [each.position_id for each in plans[10:]]


# --- the second witness -------------------------------------------------------------------------------


def rewound(path: Path, damage: Callable[[], None]) -> str:
    """Write three transactions, lose what ``damage`` takes, and return what the next start says."""
    with SqliteJournal(path) as journal:
        for number in range(3):
            journal.append(entries_of(RiskChanged(state=RiskState(day=number))))
            if number == 1:
                backup = path.read_bytes(), path.with_name(f"{path.name}-wal").read_bytes()
    path.write_bytes(backup[0])
    path.with_name(f"{path.name}-wal").write_bytes(backup[1])
    damage()
    with SqliteJournal(path) as again:
        return again.damage()


@pytest.mark.fault(80)
def test_a_lost_end_is_noticed_and_named(path: Path) -> None:
    assert rewound(path, lambda: None) == "events 3 to 3 are missing"


def test_a_lost_end_is_told_until_somebody_was_halted_for_it(path: Path) -> None:
    rewound(path, lambda: None)
    with SqliteJournal(path) as journal:
        assert journal.damage() == "events 3 to 3 are missing"
        journal.append(entries_of(RiskChanged(state=RiskState(halted="journal_damaged"))))
        assert journal.damage() == ""
    with SqliteJournal(path) as journal:
        assert journal.damage() == ""
        assert journal.reader().verify() == 4


def test_a_journal_that_was_taken_away_is_noticed(path: Path) -> None:
    with SqliteJournal(path) as journal:
        journal.append(entries_of(RiskChanged(state=RiskState())))
    path.unlink()
    with SqliteJournal(path) as again:
        assert again.damage() == "events 1 to 1 are missing"


def test_another_history_of_the_same_length_is_noticed(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    for each, day in ((path, 1), (other, 2)):
        with SqliteJournal(each) as journal:
            journal.append(entries_of(RiskChanged(state=RiskState(day=day))))
    path.write_bytes(other.read_bytes())
    with SqliteJournal(path) as again:
        assert again.damage() == "event 1 is not the one that was written"


def test_a_crash_between_commit_and_witness_is_no_loss(path: Path) -> None:
    with SqliteJournal(path) as journal:
        journal.append(entries_of(RiskChanged(state=RiskState())))
        mark = path.with_name("journal.db.witness").read_bytes()
        journal.append(entries_of(RiskChanged(state=RiskState(day=2))))
    path.with_name("journal.db.witness").write_bytes(mark)
    with SqliteJournal(path) as again:
        assert again.damage() == ""


@pytest.mark.parametrize("byte", [0, 5, 70, 520, 600])
def test_a_torn_mark_leaves_the_one_before_it(path: Path, byte: int) -> None:
    witness = Witness(path)
    for seq in (1, 2):
        witness.note(Tail(seq=seq, hash="ab" * 32))
    witness.close()
    file = path.with_name("journal.db.witness")
    content = bytearray(file.read_bytes())
    content[byte] ^= 0xFF
    file.write_bytes(content)
    seen = Witness(path).seen
    assert seen is not None
    assert seen.seq == (1 if byte < 512 else 2)


def test_without_a_witness_the_journal_goes_on_and_says_so(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.with_name("journal.db.witness").mkdir()
    with SqliteJournal(path) as journal:
        journal.append(entries_of(RiskChanged(state=RiskState())))
        assert journal.damage() == ""
    assert "no second witness" in caplog.text


def test_an_altered_event_near_the_end_is_named_at_the_next_start_once(path: Path) -> None:
    with SqliteJournal(path) as journal:
        journal.append(entries_of(*(RiskChanged(state=RiskState(day=day)) for day in range(4))))
        journal._connection.execute("DROP TRIGGER events_are_never_changed")
        journal._connection.execute("UPDATE events SET payload = replace(payload, ':1', ':7') WHERE seq = 2")
    with SqliteJournal(path) as journal:
        assert journal.damage() == "event 2 (risk) has been altered"
        journal.append(entries_of(RiskChanged(state=RiskState(halted="journal_damaged"))))
    with SqliteJournal(path) as journal:
        assert journal.damage() == ""
    with JournalReader(path) as reader, pytest.raises(JournalError, match="event 2"):
        reader.verify()


def test_what_was_given_up_is_known_again(path: Path) -> None:
    plans = [plan(ranked(candidate(at=T0 + i))) for i in range(4)]
    virtual = plan(ranked(candidate(at=T0 + 9)), source=Source.VIRTUAL)
    ended = [replace(Position(plan=each), stage=Stage.CLOSED) for each in (*plans[:3], virtual)]
    with SqliteJournal(path) as journal:
        journal.append(entries_of(*(IntentRecorded(plan=each) for each in (*plans, virtual))))
        journal.append(entries_of(*(PositionChanged(position=each) for each in ended)))
        held = closed_position(plans[3])
        journal.append(
            entries_of(PositionChanged(position=held), PositionClosed(position=held, snapshot=EMPTY_SNAPSHOT))
        )
        assert journal.given_up(10) == ended[:3]
        assert journal.given_up(2) == ended[1:3]
