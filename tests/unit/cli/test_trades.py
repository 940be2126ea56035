"""The journal as people read it."""

import json
from pathlib import Path

import pytest

from cli.options import TradesOptions
from cli.trades import newest_journal, show_trades
from core.errors import PerpscoutError
from core.journal import Body, Entry, IntentRecorded, PositionChanged, PositionClosed
from core.positions import Source
from core.trades import EMPTY_SNAPSHOT
from data.journal import SqliteJournal
from tests.builders import HOUR, T0, candidate, closed_position, plan, position, ranked

EVERYTHING = TradesOptions(journal=None, source=None, last=20, as_json=False)


def write(journal: SqliteJournal, *bodies: Body) -> None:
    journal.append([Entry(body=body, at=T0, seen_at=T0) for body in bodies])


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Three closed trades of two books, and one open position."""
    with SqliteJournal(tmp_path / "demo" / "one" / "journal.db") as journal:
        for hours, source, gross in ((0, Source.REAL, 1.0), (1, Source.REAL, -1.0), (0, Source.TWIN, 0.5)):
            intent = plan(ranked(candidate(at=T0 + hours * HOUR)), source=source)
            ended = closed_position(intent, gross_r=gross)
            write(
                journal, IntentRecorded(plan=intent), PositionClosed(position=ended, snapshot=EMPTY_SNAPSHOT)
            )
        write(journal, PositionChanged(position=position(plan(ranked(candidate("OPENUSDT"))))))
    return tmp_path


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    said: dict[str, object] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return said


def test_open_and_closed_trades_are_listed_and_summed_up(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert show_trades(EVERYTHING, home) == 0
    said = capsys.readouterr().out
    assert "OPENUSDT" in said
    assert "real: 2 closed, 1 won, 1 lost" in said
    assert "no evidence of edge" in said
    assert "real against paper: +0.50 R on average over 1 pairs" in said


def test_scripts_get_one_object(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert show_trades(TradesOptions(journal=None, source=None, last=1, as_json=True), home) == 0
    said = told(capsys)
    assert said.keys() == {"journal", "open", "closed", "performance", "twin_gap"}
    assert isinstance(said["closed"], list)
    assert len(said["closed"]) == 1


def test_one_book_alone_can_be_asked_for(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    show_trades(TradesOptions(journal=None, source=Source.TWIN, last=20, as_json=True), home)
    said = told(capsys)
    assert isinstance(said["closed"], list)
    assert {each["source"] for each in said["closed"]} == {"twin"}
    assert said["open"] == []


def test_the_journal_written_last_is_meant(home: Path) -> None:
    with SqliteJournal(home / "replay" / "two" / "journal.db") as journal:
        write(journal, PositionChanged(position=position()))
        assert newest_journal(home) == journal.path


def test_where_there_is_none_one_sentence_says_so(tmp_path: Path) -> None:
    with pytest.raises(PerpscoutError, match="There is no journal below"):
        newest_journal(tmp_path)
