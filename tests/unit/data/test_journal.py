"""The journal: all or nothing, once, in order, and loud about anything that is not as it was written."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from core.errors import EntryUnwritable, JournalError
from core.journal import (
    Body,
    Entry,
    EntryKind,
    IntentRecorded,
    MinuteJudged,
    PositionChanged,
    PositionClosed,
    RiskChanged,
)
from core.positions import Position, PositionPlan, Source, Stage
from core.risk_state import Ban, RiskState
from core.trades import EMPTY_SNAPSHOT
from data import journal_schema
from data.journal import SqliteJournal
from data.journal_reader import JournalReader
from data.journal_schema import APPLICATION_ID, SCHEMA_VERSION
from tests.builders import HOUR, T0, candidate, closed_position, plan, position, ranked


def entry(body: Body, *, key: str | None = None, at: int = T0) -> Entry:
    return Entry(body=body, at=at, seen_at=at + 5, key=key)


def minute(equity: str = "10000", *, at: int = T0, key: str | None = None) -> Entry:
    body = MinuteJudged(row_sha256="ab", symbols=2, absent=("ETHUSDT",), ranked=1, equity=equity)
    return entry(body, at=at, key=key)


def closing_of(ended: Position) -> Entry:
    return entry(PositionClosed(position=ended, snapshot=EMPTY_SNAPSHOT), key=f"closed:{ended.position_id}")


def intent(hours: int, source: Source = Source.REAL) -> PositionPlan:
    return plan(ranked(candidate(at=T0 + hours * HOUR)), source=source)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[SqliteJournal]:
    with SqliteJournal(path) as opened:
        yield opened


def verified(path: Path) -> int:
    with JournalReader(path) as reader:
        return reader.verify()


def raw(path: Path, statement: str) -> None:
    """Change the file behind the journal's back."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "DROP TRIGGER events_are_never_changed; DROP TRIGGER events_are_never_removed;"
        )
        connection.execute(statement)
        connection.commit()


# --- writing ------------------------------------------------------------------------------------------


def test_what_was_appended_is_read_back_in_order(journal: SqliteJournal, path: Path) -> None:
    written = [minute(at=T0), entry(IntentRecorded(plan=plan())), entry(PositionChanged(position=position()))]
    journal.append(written[:2])
    journal.append(written[2:])
    with JournalReader(path) as reader:
        assert list(reader.entries()) == written
        assert list(reader.entries(EntryKind.INTENT)) == written[1:2]
        assert reader.counts() == {EntryKind.MINUTE: 1, EntryKind.INTENT: 1, EntryKind.POSITION: 1}


def test_the_same_news_twice_is_recorded_once(journal: SqliteJournal, path: Path) -> None:
    journal.append([minute("1", key="m"), minute("2", key="m", at=T0 + 1)])
    journal.append([minute("3", key="m", at=T0 + 2), minute("4", key="n", at=T0 + 3)])
    with JournalReader(path) as reader:
        assert reader.equity() == [(T0, Decimal(1)), (T0 + 3, Decimal(4))]
        assert reader.verify() == 2


def test_entries_without_a_key_are_never_taken_for_each_other(journal: SqliteJournal, path: Path) -> None:
    journal.append([minute(), minute()])
    assert verified(path) == 2


def test_one_entry_that_can_not_be_written_takes_the_whole_call_with_it(
    journal: SqliteJournal, path: Path
) -> None:
    impossible = plan(ranked(replace(candidate(), atr_1m=float("nan"))))
    with pytest.raises(EntryUnwritable, match=r"can not be written to the journal .*atr_1m"):
        journal.append([minute(), entry(IntentRecorded(plan=impossible))])
    assert verified(path) == 0
    assert not journal.live_positions()
    journal.append([minute()])
    assert verified(path) == 1


def test_an_event_is_never_changed_or_removed(journal: SqliteJournal, path: Path) -> None:
    journal.append([minute()])
    with closing(sqlite3.connect(path)) as connection:
        for statement in ("UPDATE events SET at = 0", "DELETE FROM events"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(statement)


@pytest.mark.parametrize(("durable", "synchronous"), [(True, 2), (False, 1)])
def test_a_commit_waits_for_the_disk_unless_told_otherwise(
    path: Path, durable: bool, synchronous: int
) -> None:
    with SqliteJournal(path, durable=durable) as journal:
        answers = [
            journal._connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous")
        ]
    assert answers == ["wal", synchronous]


# --- projections --------------------------------------------------------------------------------------


def test_a_position_is_live_from_its_intent_to_its_close(journal: SqliteJournal) -> None:
    journal.append([entry(IntentRecorded(plan=plan()))])
    assert journal.live_positions() == [Position(plan=plan())]
    journal.append([entry(PositionChanged(position=position()))])
    assert journal.live_positions() == [position()]
    journal.append([closing_of(closed_position())])
    assert journal.live_positions() == []


def test_a_position_that_never_held_anything_ends_without_a_trade(journal: SqliteJournal) -> None:
    journal.append([entry(IntentRecorded(plan=plan()))])
    journal.append([entry(PositionChanged(position=position(stage=Stage.CLOSED)))])
    assert journal.live_positions() == []
    assert list(journal.closed_trades()) == []


def test_trades_come_in_the_order_of_closing_however_many(journal: SqliteJournal) -> None:
    ended = [closed_position(intent(hours)) for hours in range(300)]
    journal.append([closing_of(each) for each in reversed(ended)])
    assert [trade.position for trade in journal.closed_trades()] == ended[::-1]


def test_a_trade_can_be_summed_up_in_sql(journal: SqliteJournal, path: Path) -> None:
    ended = [
        closed_position(intent(0), gross_r=1, costs="0.1"),
        closed_position(intent(9, Source.VIRTUAL), gross_r=-1, costs="0.2", funding="-0.05"),
    ]
    journal.append([closing_of(each) for each in ended])
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(
            "SELECT source, net_pnl, gross_r, duration_ms FROM trades ORDER BY seq"
        ).fetchall()
    assert rows == [
        (each.plan.source, str(each.net_pnl), gross_r, HOUR)
        for each, gross_r in zip(ended, (1.0, -1.0), strict=True)
    ]


def test_the_last_risk_state_is_the_one_to_go_on_with(journal: SqliteJournal, path: Path) -> None:
    assert journal.risk_state() is None
    halted = RiskState(halted="drawdown", blacklist={"XUSDT": Ban(reason="refused", until=T0)})
    journal.append([entry(RiskChanged(state=RiskState(paused_until=T0)))])
    journal.append([entry(RiskChanged(state=halted)), minute()])
    assert journal.risk_state() == halted
    with JournalReader(path) as reader:
        assert reader.risk_state() == halted


def test_the_last_risk_state_is_found_without_reading_the_whole_journal(journal: SqliteJournal) -> None:
    asked: list[str] = []
    journal._connection.set_trace_callback(asked.append)
    journal.risk_state()
    (plan_of_query,) = journal._connection.execute(f"EXPLAIN QUERY PLAN {asked[0]}").fetchall()
    assert "risk_events" in plan_of_query[3]


def test_positions_are_remembered_by_their_last_change(journal: SqliteJournal) -> None:
    first, second = intent(0), intent(1)
    journal.append([entry(IntentRecorded(plan=first)), entry(IntentRecorded(plan=second))])
    journal.append([closing_of(closed_position(first))])
    assert journal.position_ids(10) == [first.position_id, second.position_id]
    assert journal.position_ids(1) == [first.position_id]


# --- opening ------------------------------------------------------------------------------------------


def test_a_restart_goes_on_where_the_last_run_ended(path: Path) -> None:
    with SqliteJournal(path) as first:
        first.append([minute(key="m"), entry(PositionChanged(position=position()))])
    with SqliteJournal(path) as second:
        assert second.live_positions() == [position()]
        second.append([minute(key="m"), minute(key="n")])
    with JournalReader(path) as reader:
        assert reader.verify() == 3


@pytest.mark.fault(83)
def test_a_reader_sees_commits_while_the_writer_goes_on(journal: SqliteJournal) -> None:
    with journal.reader() as reader:
        journal.append([minute()])
        assert reader.verify() == 1
        journal.append([minute()])
        assert reader.verify() == 2


def test_a_reader_can_not_write(journal: SqliteJournal) -> None:
    with journal.reader() as reader, pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader._connection.execute("DELETE FROM equity")


@pytest.fixture
def closed_journal(path: Path) -> Path:
    with SqliteJournal(path) as written:
        written.append([minute()])
    return path


def test_a_journal_at_rest_is_read_where_nothing_can_be_written(closed_journal: Path) -> None:
    log = closed_journal.with_name(f"{closed_journal.name}-wal")
    log.symlink_to(closed_journal.parent / "missing" / "log")  # can not be made, as on a read-only mount
    assert verified(closed_journal) == 1


def test_what_a_killed_run_left_is_not_passed_over_where_nothing_can_be_written(closed_journal: Path) -> None:
    log = closed_journal.with_name(f"{closed_journal.name}-wal")
    log.mkdir()  # can not be opened, as on a read-only mount
    (log / "content").touch()
    with pytest.raises(JournalError, match=r"journal\.db-wal: copy both to a folder that can be written"):
        verified(closed_journal)


def test_a_second_writer_is_found_out_before_it_forks_the_chain(journal: SqliteJournal, path: Path) -> None:
    with SqliteJournal(path) as other:
        other.append([minute()])
        with pytest.raises(JournalError, match="Another process has written"):
            journal.append([minute()])
    assert verified(path) == 1


def test_a_journal_held_by_another_writer_says_so(journal: SqliteJournal, path: Path) -> None:
    journal._connection.execute("PRAGMA busy_timeout = 10")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalError, match="being written by another process"):
            journal.append([minute()])
        other.execute("ROLLBACK")
    journal.append([minute()])


def test_a_file_that_is_no_database_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"open_time,close\n" * 100)
    with pytest.raises(JournalError, match="is not a journal"):
        SqliteJournal(path)
    assert path.read_bytes() == b"open_time,close\n" * 100


def test_another_programs_database_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE diary (day TEXT)")
    with pytest.raises(JournalError, match="another program's database"):
        SqliteJournal(path)


def test_a_newer_journal_is_not_touched(journal: SqliteJournal, path: Path) -> None:
    journal._connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(JournalError, match="newer perpscout"):
        SqliteJournal(path)
    with pytest.raises(JournalError, match="newer perpscout"):
        JournalReader(path)


def test_a_folder_that_can_not_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JournalError, match="can not be used"):
        SqliteJournal(tmp_path / "file" / "journal.db")


def test_a_reader_does_not_make_a_journal(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="There is no journal"):
        JournalReader(tmp_path / "journal.db")
    assert not list(tmp_path.iterdir())


def test_the_file_says_whose_it_is(journal: SqliteJournal) -> None:
    assert journal._connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)


@pytest.mark.fault(84)
def test_an_older_journal_is_copied_before_it_is_changed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with SqliteJournal(path) as old:
        old.append([minute()])
    newest = "CREATE TABLE notes (text TEXT);"
    monkeypatch.setattr(journal_schema, "MIGRATIONS", (*journal_schema.MIGRATIONS, newest))
    monkeypatch.setattr(journal_schema, "SCHEMA_VERSION", SCHEMA_VERSION + 1)
    with JournalReader(path) as reader:
        assert reader.verify() == 1
    assert not path.with_name(f"journal.db.v{SCHEMA_VERSION}.bak").exists()
    with SqliteJournal(path) as new:
        new.append([minute()])
        assert new._connection.execute("SELECT count(*) FROM notes").fetchone() == (0,)
    assert verified(path) == 2
    with closing(sqlite3.connect(path.with_name(f"journal.db.v{SCHEMA_VERSION}.bak"))) as copy:
        assert copy.execute("SELECT count(*) FROM events").fetchone() == (1,)


def test_a_migration_that_fails_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    SqliteJournal(path).close()
    broken = "CREATE TABLE notes (text TEXT); CREATE TABLE events (twice TEXT);"
    with monkeypatch.context() as newer:
        newer.setattr(journal_schema, "MIGRATIONS", (*journal_schema.MIGRATIONS, broken))
        newer.setattr(journal_schema, "SCHEMA_VERSION", SCHEMA_VERSION + 1)
        with pytest.raises(JournalError, match="can not be used"):
            SqliteJournal(path)
    with SqliteJournal(path) as journal:
        journal.append([minute()])
    assert verified(path) == 1


# --- damage -------------------------------------------------------------------------------------------


@pytest.mark.fault(81)
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET payload = replace(payload, 'ETHUSDT', 'BTCUSDT') WHERE seq = 2",
        "UPDATE events SET at = at + 1 WHERE seq = 2",
        "UPDATE events SET key = 'other' WHERE seq = 2",
        "UPDATE events SET hash = prev_hash WHERE seq = 2",
    ],
)
def test_an_altered_event_is_named(journal: SqliteJournal, path: Path, statement: str) -> None:
    journal.append([minute(), minute(), minute()])
    raw(path, statement)
    with pytest.raises(JournalError, match=r"event 2 \(minute\) has been altered"):
        verified(path)


def test_a_missing_event_is_named(journal: SqliteJournal, path: Path) -> None:
    journal.append([minute(), minute(), minute()])
    raw(path, "DELETE FROM events WHERE seq = 2")
    with pytest.raises(JournalError, match="event 2 is missing"):
        verified(path)


def test_a_full_disk_is_said_and_nothing_is_half_written(journal: SqliteJournal, path: Path) -> None:
    journal.append([minute()])
    pages = journal._connection.execute("PRAGMA page_count").fetchone()[0]
    journal._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(JournalError, match="the disk is full"):
        journal.append([entry(PositionChanged(position=position()), at=T0 + i) for i in range(50)])
    journal._connection.execute("PRAGMA max_page_count = 1000000")
    journal.append([minute()])
    assert verified(path) == 2


@pytest.mark.fault(80)
@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.35, 0.5, 0.77, 0.99])
def test_a_wal_cut_anywhere_leaves_whole_calls(journal: SqliteJournal, path: Path, fraction: float) -> None:
    for i in range(20):
        journal.append([minute(at=T0 + i), entry(PositionChanged(position=position(intent(i))))])
    copy = path.with_name("copy.db")
    wal = path.with_name(f"{path.name}-wal").read_bytes()
    copy.write_bytes(path.read_bytes())
    copy.with_name("copy.db-wal").write_bytes(wal[: int(len(wal) * fraction)])
    with SqliteJournal(copy) as cut:
        entries = verified(copy)
        assert entries % 2 == 0
        assert len(cut.live_positions()) == entries // 2
        cut.append([minute()])
        assert verified(copy) == entries + 1


def test_a_damaged_page_is_an_error_not_a_wrong_answer(journal: SqliteJournal, path: Path) -> None:
    journal.append([entry(PositionChanged(position=position(intent(i)))) for i in range(50)])
    journal.close()
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 4096] = b"\xff" * 4096
    path.write_bytes(content)
    with pytest.raises(JournalError, match=r"damaged|altered|missing"):
        verified(path)


GARBLED = {
    "payload": "replace(payload, 'ETH', CAST(X'FF' AS TEXT))",
    "kind": "'minut' || CAST(X'FF' AS TEXT)",
    "key": "'k' || CAST(X'FF' AS TEXT)",
    "prev_hash": "CAST(X'FF' AS TEXT) || substr(prev_hash, 2)",
    "hash": "CAST(X'FF' AS TEXT) || substr(hash, 2)",
}


@pytest.mark.parametrize("column", GARBLED)
def test_bytes_that_are_no_text_are_an_altered_event_like_any_other(
    journal: SqliteJournal, path: Path, column: str
) -> None:
    held = entry(PositionChanged(position=position()))
    journal.append([minute(), minute(key="k"), held, minute()])
    raw(path, f"UPDATE events SET {column} = {GARBLED[column]} WHERE seq = 2")  # noqa: S608 - our own names
    named = r"event 2 \(minut.\) has been altered"
    with pytest.raises(JournalError, match=named):
        verified(path)
    with SqliteJournal(path) as again:
        assert re.search(named, again.damage())
        assert again.live_positions() == [position()]
        again.append([minute()])
