"""Records that can not be read: named, left out, and no reason to leave a real position to itself."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import JournalError
from core.journal import Body, Entry, IntentRecorded, PositionChanged, PositionClosed, RiskChanged
from core.orders import Role
from core.positions import Position, PositionPlan, Source, Stage
from core.risk_state import Ban, RiskState
from core.trades import EMPTY_SNAPSHOT
from data.journal import SqliteJournal
from data.journal_reader import JournalReader
from tests.builders import T0, candidate, closed_position, plan, position, ranked


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def write(path: Path, *bodies: Body) -> None:
    with SqliteJournal(path) as journal:
        journal.append([Entry(body=body, at=T0, seen_at=T0) for body in bodies])


def alter(path: Path, statement: str, *values: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TRIGGER IF EXISTS events_are_never_changed")
        connection.execute(statement, values)
        connection.commit()


def garble(path: Path, *seqs: int) -> None:
    """Flip a bit in the middle of payloads."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TRIGGER IF EXISTS events_are_never_changed")
        for seq in seqs:
            (stored,) = connection.execute("SELECT payload FROM events WHERE seq = ?", (seq,)).fetchone()
            content = bytearray(stored.encode() if isinstance(stored, str) else stored)
            content[len(content) // 2] ^= 0x80
            flipped = bytes(content)
            expression = "CAST(? AS TEXT)" if isinstance(stored, str) else "?"
            connection.execute(f"UPDATE events SET payload = {expression} WHERE seq = ?", (flipped, seq))  # noqa: S608
        connection.commit()


def states(intent: PositionPlan) -> Sequence[Position]:
    """Return what a position was from its intent until it was protected."""
    entering = Position(plan=intent, stage=Stage.ENTERING, attempts={Role.ENTRY: 1})
    held = replace(position(intent), attempts={Role.ENTRY: 1, Role.STOP: 1})
    return (Position(plan=intent), entering, replace(held, stage=Stage.PROTECTING), held)


def life(intent: PositionPlan) -> list[Body]:
    return [IntentRecorded(plan=intent), *(PositionChanged(position=each) for each in states(intent))]


@pytest.mark.parametrize("source", [Source.TWIN, Source.VIRTUAL, Source.SHADOW])
def test_a_position_on_paper_that_can_not_be_read_is_left_out_and_named(path: Path, source: Source) -> None:
    real, paper = plan(ranked(candidate("REALUSDT"))), plan(ranked(candidate()), source=source)
    write(path, *life(real), *life(paper))
    garble(path, 10)
    with SqliteJournal(path) as journal:
        assert journal.live_positions() == [states(real)[-1]]
        assert "event 10 (position) has been altered" in journal.damage()
        assert f"{paper.position_id} is left out: event 10 (position) can not be read" in journal.damage()


def test_what_was_left_out_is_told_once(path: Path) -> None:
    write(path, *life(plan(source=Source.TWIN)))
    garble(path, 5)
    with SqliteJournal(path) as journal:
        journal.live_positions()
        assert journal.damage()
    write(path, RiskChanged(state=RiskState(halted="journal_damaged")))
    with SqliteJournal(path) as journal:
        journal.live_positions()
        assert journal.damage() == ""


@pytest.mark.parametrize(("garbled", "taken"), [((5,), 2), ((4, 5), 1)])
def test_a_real_position_is_taken_up_in_its_last_state_that_can_be_read(
    path: Path, garbled: tuple[int, ...], taken: int
) -> None:
    intent = plan()
    write(path, *life(intent))
    garble(path, *garbled)
    with SqliteJournal(path) as journal:
        assert journal.live_positions() == [states(intent)[taken]]
        assert f"{intent.position_id} is taken up in an earlier state: event 5" in journal.damage()


@pytest.mark.parametrize("garbled", [(3, 4, 5), (1,)])
def test_a_real_position_of_which_no_order_is_known_stops_the_start_with_what_to_do(
    path: Path, garbled: tuple[int, ...]
) -> None:
    intent = plan()
    write(path, *life(intent))
    garble(path, *garbled)
    advice = rf"state of {intent.position_id}: event 5 .*rests at the exchange.*last good copy.*by hand"
    with SqliteJournal(path) as journal, pytest.raises(JournalError, match=advice):
        journal.live_positions()


def test_one_of_which_the_order_never_left_is_known_by_its_intent(path: Path) -> None:
    intent = plan()
    write(path, *life(intent)[:2])
    garble(path, 2)
    with SqliteJournal(path) as journal:
        assert journal.live_positions() == [Position(plan=intent)]


def test_a_closed_trade_that_can_not_be_read_stops_no_start(path: Path) -> None:
    plans = [plan(ranked(candidate(at=T0 + number))) for number in range(3)]
    ended = [closed_position(each) for each in plans]
    write(
        path,
        *(IntentRecorded(plan=each) for each in plans),
        *(PositionClosed(position=each, snapshot=EMPTY_SNAPSHOT) for each in ended),
    )
    garble(path, 5)
    with SqliteJournal(path) as journal:
        assert [each.position for each in journal.newest_trades(Source.REAL, 5)] == [ended[0], ended[2]]
        assert len(list(journal.results())) == 3
        assert "event 5 (trade) can not be read" in journal.damage()


def test_the_risk_state_before_a_damaged_one_goes_on_and_the_damage_is_told(path: Path) -> None:
    bans = {f"{letter}USDT": Ban(reason="refused", until=T0) for letter in "ABCDEFGHIJKLMNOPQ"}
    write(path, *(RiskChanged(state=RiskState(day=day, blacklist=bans)) for day in (1, 2)))
    garble(path, 2)
    with SqliteJournal(path) as journal:
        assert journal.risk_state() == RiskState(day=1, blacklist=bans)
        assert "event 2 (risk)" in journal.damage()


def test_a_risk_state_that_was_altered_and_still_reads_well_is_not_believed(path: Path) -> None:
    write(path, *(RiskChanged(state=RiskState(halted="drawdown", day=day)) for day in (1, 2)))
    alter(path, "UPDATE events SET payload = replace(payload, 'drawdown', '') WHERE seq = 2")
    with SqliteJournal(path) as journal:
        assert journal.risk_state() == RiskState(halted="drawdown", day=1)
        assert "event 2 (risk)" in journal.damage()


def test_a_row_that_points_to_another_position_loses_neither(path: Path) -> None:
    first, second = plan(ranked(candidate())), plan(ranked(candidate("REALUSDT")))
    write(path, *life(first), *life(second))
    alter(path, "UPDATE positions SET seq = 10 WHERE position_id = ?", first.position_id)
    with SqliteJournal(path) as journal:
        assert {each.position_id for each in journal.live_positions()} == {
            first.position_id,
            second.position_id,
        }
        assert f"{first.position_id} is taken up in an earlier state" in journal.damage()


def test_a_closed_position_whose_row_was_altered_is_not_taken_up_again(path: Path) -> None:
    ended = closed_position(plan())
    write(path, *life(ended.plan), PositionClosed(position=ended, snapshot=EMPTY_SNAPSHOT))
    alter(path, "UPDATE positions SET stage = 'clo3ed'")
    with SqliteJournal(path) as journal:
        assert journal.live_positions() == []
        assert f"the row of {ended.position_id} in positions has been altered" in journal.damage()


def test_one_that_was_given_up_and_can_not_be_read_is_named(path: Path) -> None:
    plans = [plan(ranked(candidate(at=T0 + number))) for number in range(2)]
    ended = [replace(Position(plan=each), stage=Stage.CLOSED) for each in plans]
    write(path, *(body for each in plans for body in life(each)[:1]))
    write(path, *(PositionChanged(position=each) for each in ended))
    garble(path, 3)
    with SqliteJournal(path) as journal:
        assert journal.given_up(5) == ended[1:]
        assert "event 3 (position) can not be read" in journal.damage()


def test_what_follows_a_damaged_intent_is_written_all_the_same(path: Path) -> None:
    intent = plan()
    write(path, *life(intent)[:1])
    garble(path, 1)
    write(path, PositionChanged(position=states(intent)[-1]))
    with JournalReader(path) as reader:
        assert reader.live_positions() == [states(intent)[-1]]


@pytest.mark.parametrize("column", ["source", "symbol", "strategy", "funding", "trade_id", "gross_r"])
def test_a_row_of_the_sums_that_was_garbled_stops_no_start(path: Path, column: str) -> None:
    plans = [plan(ranked(candidate(at=T0 + number))) for number in range(2)]
    write(path, *(PositionClosed(position=closed_position(each), snapshot=EMPTY_SNAPSHOT) for each in plans))
    alter(path, f"UPDATE trades SET {column} = CAST(X'FF' AS TEXT) WHERE seq = 1")  # noqa: S608
    is_learned_from = column in {"source", "gross_r"}
    with SqliteJournal(path) as journal:
        assert len(list(journal.results())) == (1 if is_learned_from else 2)
        assert ("the row of event 1 in trades" in journal.damage()) is is_learned_from
