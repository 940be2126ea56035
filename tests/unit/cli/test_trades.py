"""The journal as people read it."""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cli.options import TradesOptions, Upkeep
from cli.trades import exact, newest_journal, show_trades
from core.errors import PerpscoutError
from core.journal import (
    Body,
    Entry,
    IntentRecorded,
    MinuteJudged,
    PositionChanged,
    PositionClosed,
    RunStarted,
)
from core.market import MINUTE_MS, MarketContext, MinuteClosed, SymbolAxis
from core.positions import Source
from core.trades import EMPTY_SNAPSHOT
from data.candle_archive import CandleArchive
from data.candle_batch import CandleBatch
from data.journal import SqliteJournal
from data.journal_reader import JournalReader
from data.run_lock import RunLock
from data.trade_log import TradeLog, read_trades
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


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return said


def test_open_and_closed_trades_are_listed_and_summed_up(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert show_trades(EVERYTHING, home) == 0
    said = capsys.readouterr().out
    assert "OPENUSDT" in said
    assert "real: 2 closed, 1 won, 1 lost, 0 even" in said
    assert "no evidence of edge" in said
    assert "real against paper: +0.50 R on average over 1 pairs" in said


def test_results_near_zero_are_counted_as_neither_won_nor_lost(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with SqliteJournal(tmp_path / "journal.db") as journal:
        for hours, gross in enumerate((0.9, -0.08, -0.24)):
            ended = closed_position(plan(ranked(candidate(at=T0 + hours * HOUR))), gross_r=gross)
            write(journal, PositionClosed(position=ended, snapshot=EMPTY_SNAPSHOT))
    show_trades(EVERYTHING, tmp_path)
    assert "real: 3 closed, 1 won, 1 lost, 1 even" in capsys.readouterr().out


def test_scripts_get_one_object(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert show_trades(TradesOptions(journal=None, source=None, last=1, as_json=True), home) == 0
    said = told(capsys)
    assert said.keys() == {"journal", "open", "closed", "performance", "twin_gap", "damaged"}
    assert isinstance(said["closed"], list)
    assert len(said["closed"]) == 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("0.04052189499957932523768124071"), "0.04052189"),
        (Decimal("103213.40"), "103213.4"),
        (Decimal("1E-7"), "0.0000001"),
        (Decimal("1.2E+2"), "120"),
        (Decimal("-46.510000000000000000000000001"), "-46.51"),
        (Decimal("-1E-12"), "0"),
    ],
)
def test_scripts_get_amounts_to_the_places_of_the_exchange(value: Decimal, text: str) -> None:
    assert exact(value) == text


def test_an_average_of_fills_has_no_more_digits_than_the_exchange(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = closed_position(plan(ranked(candidate("SPLITUSDT"))))
    part = ended.plan.quantity / 4
    entry, way_out = ended.fills
    parts = (
        replace(entry, trade_id="a", quantity=part, price=Decimal("1.0001")),
        replace(entry, trade_id="b", quantity=2 * part, price=Decimal("1.0002")),
    )
    split = replace(ended, fills=(*parts, replace(way_out, quantity=3 * part)), entry_total=3 * part)
    with SqliteJournal(home / "demo" / "two" / "journal.db") as journal:
        write(journal, IntentRecorded(plan=ended.plan))
        write(journal, PositionClosed(position=split, snapshot=EMPTY_SNAPSHOT))
        show_trades(TradesOptions(journal=journal.path, source=None, last=1, as_json=True), home)
    said = told(capsys)
    assert isinstance(said["closed"], list)
    assert said["closed"][0]["entry_price"] == "1.00016667"
    amounts = [said["closed"][0]["net_pnl"], said["performance"]["real"]["net_pnl"]]
    assert all(len(amount.partition(".")[2]) <= 8 for amount in amounts)


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


def asked(upkeep: Upkeep, journal: Path, *, as_json: bool = True) -> TradesOptions:
    return TradesOptions(journal=journal, source=None, last=20, as_json=as_json, upkeep=upkeep)


def test_the_trade_log_is_made_anew_from_the_journal(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal = newest_journal(home)
    assert show_trades(asked(Upkeep.REBUILD, journal), home) == 0
    said = told(capsys)
    assert (said["rows"], said["damaged"], said["kept"]) == (3, [], [])
    assert len(read_trades(Path(str(said["trade_log"])))) == 3


def test_a_rebuild_loses_no_row_that_the_journal_can_not_tell(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = newest_journal(home)
    show_trades(asked(Upkeep.REBUILD, journal), home)
    before = read_trades(Path(told(capsys)["trade_log"]))
    with closing(sqlite3.connect(journal)) as connection:
        connection.executescript(
            "DROP TRIGGER events_are_never_changed;"
            "UPDATE events SET payload = substr(payload, 1, 50) WHERE seq = 2;"
        )
    assert show_trades(asked(Upkeep.REBUILD, journal), home) == 1
    said = told(capsys)
    assert (said["rows"], len(said["damaged"]), len(said["kept"])) == (3, 1, 1)
    assert said["kept"][0] in said["damaged"][0]
    assert read_trades(Path(said["trade_log"])) == before


def in_parts(home: Path) -> tuple[Path, TradeLog]:
    """Return the newest journal and the log of its trades, a part each."""
    journal = newest_journal(home)
    log = TradeLog(journal.parent / "trades")
    with JournalReader(journal) as reader:
        for each in reader.closed_trades():
            log.write([each])
    return journal, log


def test_parts_of_a_day_are_merged_and_it_is_said_what_that_brought(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal, _ = in_parts(home)
    assert show_trades(asked(Upkeep.COMPACT, journal), home) == 0
    said = told(capsys)
    assert (said["parts_before"], said["parts_after"]) == (3, 1)
    assert isinstance(said["bytes_before"], int)
    assert isinstance(said["bytes_after"], int)
    assert said["bytes_after"] < said["bytes_before"]


def test_a_damaged_part_that_compaction_meets_is_named_until_a_rebuild(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal, log = in_parts(home)
    part = next(log.folder.glob("closed_date=*/*.parquet"))
    part.write_bytes(part.read_bytes()[:-20])
    for _ in range(2):
        assert show_trades(asked(Upkeep.COMPACT, journal), home) == 1
        (named,) = told(capsys)["damaged"]
        assert part.name in named
        assert "--rebuild" in named
    assert show_trades(asked(Upkeep.REBUILD, journal), home) == 0
    assert show_trades(asked(Upkeep.COMPACT, journal), home) == 0


@pytest.mark.parametrize("upkeep", [Upkeep.REBUILD, Upkeep.COMPACT])
def test_a_running_traders_log_is_left_to_the_trader(home: Path, upkeep: Upkeep) -> None:
    journal = newest_journal(home)
    TradeLog(journal.parent / "trades")
    with RunLock(journal.parent), pytest.raises(PerpscoutError, match=r"in use by process \d+.* by itself"):
        show_trades(asked(upkeep, journal), home)


def test_a_journal_is_checked_while_a_trader_runs(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal = newest_journal(home)
    with RunLock(journal.parent):
        assert show_trades(asked(Upkeep.VERIFY, journal, as_json=False), home) == 0
    said = capsys.readouterr().out
    assert "events  7" in said
    assert "damaged  nothing" in said


def test_what_is_damaged_or_missing_is_named_and_the_exit_code_says_so(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = newest_journal(home)
    with closing(sqlite3.connect(journal)) as connection:
        connection.executescript(
            "DROP TRIGGER events_are_never_changed; DROP TRIGGER events_are_never_removed;"
            "UPDATE events SET at = 1 WHERE seq = 3; DELETE FROM events WHERE seq = 7;"
        )
    assert show_trades(asked(Upkeep.VERIFY, journal), home) == 1
    assert told(capsys)["damaged"] == [
        "events 7 to 7 are missing",
        "event 3 (intent) has been altered",
    ]


@pytest.mark.parametrize(
    ("content", "state"), [(b"\xff" * 1024, "damaged"), (b"", "damaged"), (None, "missing")]
)
def test_a_witness_that_tells_nothing_is_named(
    home: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, state: str
) -> None:
    journal = newest_journal(home)
    witness = journal.with_name("journal.db.witness")
    witness.unlink()
    if content is not None:
        witness.write_bytes(content)
    assert show_trades(asked(Upkeep.VERIFY, journal), home) == 1
    assert told(capsys)["damaged"] == [
        f"journal.db.witness is {state}: nothing tells whether the journal has lost its end"
    ]


def test_a_journal_without_events_needs_no_witness(tmp_path: Path) -> None:
    journal = tmp_path / "journal.db"
    SqliteJournal(journal).close()
    assert show_trades(asked(Upkeep.VERIFY, journal), tmp_path) == 0


@pytest.mark.parametrize("as_json", [False, True])
def test_what_can_be_read_is_shown_and_what_can_not_is_named(
    home: Path, capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    journal = newest_journal(home)
    with closing(sqlite3.connect(journal)) as connection:
        connection.executescript(
            "DROP TRIGGER events_are_never_changed;"
            "UPDATE events SET payload = substr(payload, 1, 50) WHERE seq IN (2, 7);"
        )
    assert show_trades(replace(EVERYTHING, as_json=as_json), home) == 1
    said = capsys.readouterr().out
    assert "real: 1 closed" in said or '"real": {"closed": 1' in said
    assert "event 2 (trade) can not be read" in said
    assert "event 7 (position) can not be read" in said


def test_candles_that_are_not_those_of_the_decisions_end_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    axis = SymbolAxis(("AUSDT",))
    seen = MinuteClosed(
        open_time=T0,
        axis=axis,
        row=np.ones((5, 1)),
        present=np.ones(1, dtype=np.bool_),
        context=MarketContext.unknown(1),
        seen_at=T0 + MINUTE_MS,
    )
    run = RunStarted(mode="sim", version="0", parameters={}, axis=axis.names)
    digest = sha256(seen.row.tobytes()).hexdigest()
    minute = MinuteJudged(row_sha256=digest, symbols=1, absent=(), ranked=0, equity="")
    with SqliteJournal(tmp_path / "journal.db") as journal:
        write(journal, run)
        journal.append([Entry(body=minute, at=seen.at, seen_at=seen.at)])
    archive = CandleArchive(tmp_path / "candles")
    archive.append([CandleBatch.of_minute(seen)])
    assert show_trades(asked(Upkeep.VERIFY, journal.path), tmp_path) == 0
    assert told(capsys)["differing"] == []
    archive.append([CandleBatch.of_minute(replace(seen, row=seen.row * 2))])
    assert show_trades(asked(Upkeep.VERIFY, journal.path, as_json=False), tmp_path) == 1
    assert "differing  the minute 2025-11-26 00:00 UTC" in capsys.readouterr().out


def test_no_folder_is_made_where_there_is_no_journal(tmp_path: Path) -> None:
    with pytest.raises(PerpscoutError, match="There is no journal at"):
        show_trades(asked(Upkeep.REBUILD, tmp_path / "none" / "journal.db"), tmp_path)
    assert not (tmp_path / "none").exists()


def test_where_there_is_none_one_sentence_says_so(tmp_path: Path) -> None:
    with pytest.raises(PerpscoutError, match="There is no journal below"):
        newest_journal(tmp_path)
