"""The trade log: any reader opens it, its rows add up exactly, and the journal can always make it anew."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import DataFileError
from core.features import FeatureVector
from core.journal import Entry, PositionClosed
from core.positions import ExitReason, Source
from core.signals import Factor, Side, Zone
from core.trades import EMPTY_SNAPSHOT, TradeRecord
from data.journal import SqliteJournal
from data.trade_columns import COLUMNS
from data.trade_log import TradeLog, read_trades
from data.trade_parts import write_part
from data.trade_sink import DerivedTradeLog
from tests.builders import DAY, HOUR, T0, candidate, closed_position, features, fill, plan, ranked, trade

DOCUMENT = Path(__file__).parents[3] / "docs" / "trade-log.md"


def closed(
    hours: int = 0, *, source: Source = Source.REAL, numbers: FeatureVector | None = None
) -> TradeRecord:
    wish = replace(candidate(at=T0 + hours * HOUR), features=numbers or features(confidence=70.0))
    return trade(plan(ranked(wish), source=source), gross_r=1, costs="0.1")


def part_paths(folder: Path) -> list[Path]:
    return sorted(folder.glob("closed_date=*/*.parquet"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "trades"


@pytest.fixture
def log(folder: Path) -> TradeLog:
    return TradeLog(folder)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    with SqliteJournal(tmp_path / "journal.db") as opened:
        yield opened


def journalled(journal: SqliteJournal, *records: TradeRecord) -> None:
    journal.append(
        [
            Entry(body=PositionClosed(position=each.position, snapshot=each.snapshot), at=T0, seen_at=T0)
            for each in records
        ]
    )


# --- rows ---------------------------------------------------------------------------------------------


def test_a_row_tells_the_whole_story(log: TradeLog, folder: Path) -> None:
    factor = Factor(name="trend", grade=0.5, weight=15.0, reason="trend_up", numbers=(("distance", 1.5),))
    zone = Zone(kind="order_block", low=98.0, high=99.0, labelled_at=T0 - HOUR, known_at=T0)
    wish = replace(
        candidate(side=Side.SHORT), factors=(factor,), zones=(zone,), features=features(rsi=31.5, atr=0.25)
    )
    ended = closed_position(
        plan(ranked(wish)), gross_r=-1, costs="0.75", funding="0.02", reason=ExitReason.STOP
    )
    ended = replace(ended, favourable=Decimal("99.5"), adverse=Decimal(101), unprotected_seconds=0.4)
    log.write([TradeRecord(position=ended, snapshot=np.arange(10.0).reshape(5, 2))])
    (row,) = read_trades(folder).to_pylist()
    assert row["trade_id"] == f"real:{row['signal_id']}" == f"real:{wish.signal_id}"
    assert (row["side"], row["exit_reason"], row["source"]) == ("short", "stop", "real")
    assert (row["opened_at"], row["closed_at"], row["held_ms"]) == (T0, T0 + HOUR, HOUR)
    assert (row["gross_pnl"], row["fees"], row["funding"]) == (Decimal(-10), Decimal("0.75"), Decimal("0.02"))
    assert row["net_pnl"] == Decimal("-10.73")
    assert (row["gross_r"], row["net_r"]) == (-1.0, -1.073)
    assert (row["favourable_r"], row["adverse_r"]) == (0.5, -1.0)
    assert (row["f_rsi"], row["f_atr"], row["feature_version"]) == (31.5, 0.25, "test")
    assert row["snapshot_high"] == [2.0, 3.0]
    assert row["factors"][0] | {"numbers": None} == {
        "name": "trend",
        "grade": 0.5,
        "weight": 15.0,
        "points": 7.5,
        "reason": "trend_up",
        "numbers": None,
    }
    assert row["factors"][0]["numbers"] == [{"name": "distance", "value": 1.5}]
    assert row["zones"][0]["known_at"] == T0
    assert [each["opening"] for each in row["fills"]] == [True, False]
    assert row["targets"] == [{"price": ended.plan.targets[0].price, "fraction": Decimal(1)}]


amounts = st.decimals("0.00000001", "99999", places=8)  # Python adds 28 digits, so money stays below 10^10


@settings(max_examples=60, deadline=None)
@given(
    entries=st.lists(st.tuples(amounts, amounts), min_size=1, max_size=4),
    exit_price=amounts,
    fee=st.decimals("0", "1000", places=14),
    funding=st.decimals("-1000", "1000", places=14),
)
def test_gross_less_fees_plus_funding_is_net_to_the_last_digit(
    tmp_path_factory: pytest.TempPathFactory,
    entries: list[tuple[Decimal, Decimal]],
    exit_price: Decimal,
    fee: Decimal,
    funding: Decimal,
) -> None:
    intent = plan()
    opening = tuple(fill(intent, price=price, quantity=quantity) for price, quantity in entries)
    held = sum((quantity for _, quantity in entries), Decimal(0))
    ending = fill(intent, price=exit_price, quantity=held, opening=False, fee=str(fee))
    ended = replace(closed_position(intent), fills=(*opening, ending), funding=funding)
    folder = tmp_path_factory.mktemp("exact")
    TradeLog(folder).write([TradeRecord(position=ended, snapshot=EMPTY_SNAPSHOT)])
    (row,) = read_trades(folder).to_pylist()
    assert row["gross_pnl"] - row["fees"] + row["funding"] == row["net_pnl"]
    assert row["fees"] == fee
    assert abs(row["net_pnl"] - ended.net_pnl) < Decimal("1e-9")


def test_sums_over_rows_equal_the_journals_own(log: TradeLog, folder: Path, journal: SqliteJournal) -> None:
    records = [
        trade(
            plan(ranked(candidate(at=T0 + i * HOUR))),
            gross_r=i % 3 - 1,
            costs=f"0.{i:03}1",
            funding=f"-0.{i}",
        )
        for i in range(50)
    ]
    journalled(journal, *records)
    log.write(records)
    frame = read_trades(folder).to_pandas()
    with journal.reader() as reader:
        net = sum((each.position.net_pnl for each in reader.closed_trades()), Decimal(0))
    assert frame["net_pnl"].sum() == net == sum((each.position.net_pnl for each in records), Decimal(0))


def test_every_column_is_explained_in_the_documents() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert [name for name in COLUMNS.names if f"`{name}`" not in text] == []


# --- folders ------------------------------------------------------------------------------------------


def test_any_arrow_reader_opens_it_even_before_the_first_trade(log: TradeLog, folder: Path) -> None:
    assert ds.dataset(folder).schema.names == COLUMNS.names
    assert ds.dataset(folder).count_rows() == 0
    log.write([closed()])
    assert ds.dataset(folder).count_rows() == 1
    assert pd.read_parquet(folder)["closed_date"].tolist() == ["2025-11-26"]
    assert len(pq.read_table(folder)) == 1


def test_rows_lie_by_the_day_they_closed(log: TradeLog, folder: Path) -> None:
    log.write([closed(30), closed(0), closed(31)])
    assert [path.parent.name for path in part_paths(folder)] == [
        "closed_date=2025-11-26",
        "closed_date=2025-11-27",
    ]
    assert read_trades(folder)["closed_at"].to_pylist() == [T0 + hours * HOUR for hours in (1, 31, 32)]


def test_a_new_feature_is_seen_by_every_reader_and_null_in_old_rows(log: TradeLog, folder: Path) -> None:
    log.write([closed(0, numbers=features(old=1.0))])
    log.write([closed(48, numbers=features(new=2.0, old=3.0))])
    for rows in (ds.dataset(folder).to_table(), read_trades(folder)):
        assert rows.sort_by("closed_at").select(["f_old", "f_new"]).to_pydict() == {
            "f_old": [1.0, 3.0],
            "f_new": [None, 2.0],
        }


def test_a_restart_remembers_the_columns(log: TradeLog, folder: Path) -> None:
    log.write([closed(0, numbers=features(old=1.0))])
    TradeLog(folder).write([closed(48, numbers=features(new=2.0))])
    assert {"f_old", "f_new"} <= set(ds.dataset(folder).schema.names)


def test_the_columns_survive_the_loss_of_their_list(log: TradeLog, folder: Path) -> None:
    log.write([closed(0, numbers=features(old=1.0))])
    (folder / "0-columns.parquet").unlink()
    TradeLog(folder)
    assert "f_old" in ds.dataset(folder).schema.names


def test_the_same_record_twice_is_one_row(log: TradeLog, folder: Path) -> None:
    log.write([closed(0)])
    log.write([closed(0)])
    log.write([closed(0), closed(1)])
    assert len(read_trades(folder)) == 2


def test_some_columns_can_be_read_alone(log: TradeLog, folder: Path) -> None:
    assert read_trades(folder, columns=["net_r"]).column_names == ["net_r"]
    log.write([closed(0)])
    assert read_trades(folder, columns=["net_r", "f_unknown"]).column_names == ["net_r"]


def test_there_is_no_reading_where_there_is_no_log(folder: Path) -> None:
    with pytest.raises(DataFileError, match="There is no trade log at"):
        read_trades(folder)


def test_a_folder_of_other_things_is_not_read_and_not_touched(folder: Path) -> None:
    (folder / "candles").mkdir(parents=True)
    (folder / "candles" / "broken.parquet").write_bytes(b"junk")
    with pytest.raises(DataFileError, match="There is no trade log at"):
        read_trades(folder)
    assert (folder / "candles" / "broken.parquet").exists()


def test_a_folder_that_can_not_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataFileError, match="can not be written"):
        TradeLog(tmp_path / "file" / "trades")


# --- crashes and damage -------------------------------------------------------------------------------


def test_what_a_crash_left_half_written_is_never_seen(log: TradeLog, folder: Path) -> None:
    log.write([closed(0)])
    torn = part_paths(folder)[0].with_name(".part-torn.parquet.tmp")
    torn.write_bytes(part_paths(folder)[0].read_bytes()[:500])
    assert ds.dataset(folder).count_rows() == 1
    assert len(read_trades(folder)) == 1
    TradeLog(folder)
    assert not torn.exists()


def test_a_failing_disk_leaves_no_half_part(
    log: TradeLog, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DataFileError, match="No space left on device"):
        log.write([closed(0, numbers=features(confidence=1.0))])
    monkeypatch.undo()
    assert len(read_trades(folder)) == 0
    TradeLog(folder).write([closed(0)])
    assert len(read_trades(folder)) == 1


@pytest.mark.fault(82)
@pytest.mark.parametrize("flip", range(0, 100, 9))
def test_a_damaged_part_is_set_aside_and_the_rest_is_read(
    log: TradeLog, folder: Path, flip: int, caplog: pytest.LogCaptureFixture
) -> None:
    log.write([closed(0)])
    log.write([closed(48)])
    part = part_paths(folder)[0]
    content = bytearray(part.read_bytes())
    content[4 + (len(content) - 8) * flip // 100] ^= 0x55
    part.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        rows = read_trades(folder)
    intact = closed(48).position.position_id
    if "is damaged" in caplog.text:
        assert rows["trade_id"].to_pylist() == [intact]
        assert part.with_name(f"_damaged-{part.name}").exists()
        assert ds.dataset(folder).count_rows() == 1
    else:  # the flip hit a byte that means nothing
        part.unlink()
        log.write([closed(0)])
        assert rows.equals(read_trades(folder))


def test_many_parts_of_a_day_become_one(log: TradeLog, folder: Path) -> None:
    for hours in range(5):
        log.write([closed(hours, numbers=features(**{f"n{hours}": 1.0}))])
    before = read_trades(folder)
    log.compact()
    assert len(part_paths(folder)) == 1
    assert read_trades(folder).select(before.column_names).equals(before)
    log.write([closed(6)])
    log.compact()
    assert (len(part_paths(folder)), len(read_trades(folder))) == (1, 6)


def test_a_crash_between_merging_and_removing_doubles_nothing(log: TradeLog, folder: Path) -> None:
    log.write([closed(0)])
    log.write([closed(1)])
    originals = {path: path.read_bytes() for path in part_paths(folder)}
    log.compact()
    for path, content in originals.items():
        path.write_bytes(content)
    assert len(read_trades(folder)) == 2
    TradeLog(folder)
    assert len(part_paths(folder)) == 1
    assert ds.dataset(folder).count_rows() == 2


@pytest.mark.parametrize("names", list(permutations(("merged-a", "merged-b", "merged-c"))))
def test_a_merged_part_that_another_replaces_is_removed_in_whatever_order_they_are_listed(
    names: tuple[str, ...], log: TradeLog, folder: Path
) -> None:
    log.write([closed(0), closed(1)])
    part = part_paths(folder)[0]
    oldest, middle, newest = (part.with_name(f"{name}.parquet") for name in names)
    rows = pq.read_table(part, partitioning=None)
    write_part(oldest, rows.slice(0, 1))
    write_part(middle, rows, replaces=[oldest.name])
    write_part(newest, rows, replaces=[oldest.name, middle.name, part.name])
    TradeLog(folder)
    assert part_paths(folder) == [newest]
    assert len(read_trades(folder)) == 2


def test_a_damaged_merged_part_replaces_nothing(log: TradeLog, folder: Path) -> None:
    log.write([closed(0), closed(1)])
    part = part_paths(folder)[0]
    older, newer = part.with_name("merged-b.parquet"), part.with_name("merged-a.parquet")
    rows = pq.read_table(part, partitioning=None)
    write_part(older, rows, replaces=[part.name])
    write_part(newer, rows, replaces=[older.name])
    newer.write_bytes(newer.read_bytes()[:-20])
    TradeLog(folder)
    assert [path.name for path in part_paths(folder)] == ["_damaged-merged-a.parquet", "merged-b.parquet"]
    assert len(read_trades(folder)) == 2


def test_an_amended_record_takes_the_place_of_its_row(log: TradeLog, folder: Path) -> None:
    record = closed(0)
    log.write([record, closed(1)])
    log.write([replace(record, position=replace(record.position, funding=Decimal("-0.5")), amends=True)])
    assert read_trades(folder)["funding"].to_pylist() == [Decimal("-0.5"), Decimal(0)]
    assert ds.dataset(folder).count_rows() == 2


def test_an_amendment_that_a_crash_kept_from_the_log_is_caught_up(
    log: TradeLog, folder: Path, journal: SqliteJournal
) -> None:
    record = closed(0)
    amended = replace(record, position=replace(record.position, funding=Decimal("-0.5")))
    journalled(journal, record)
    log.write([record])
    journalled(journal, amended)
    assert log.catch_up(journal.reader()) == 1
    assert read_trades(folder)["funding"].to_pylist() == [Decimal("-0.5")]
    assert log.catch_up(journal.reader()) == 0


# --- from the journal ---------------------------------------------------------------------------------


def test_the_journal_makes_the_log_anew(log: TradeLog, folder: Path, journal: SqliteJournal) -> None:
    records = [closed(hours, source=source) for hours in range(0, 72, 5) for source in Source]
    journalled(journal, *records)
    log.write(records)
    before = read_trades(folder)
    part_paths(folder)[0].unlink()
    assert log.rebuild(journal.reader()) == len(records)
    assert read_trades(folder).equals(before)
    log.write([closed(600)])
    assert len(read_trades(folder)) == len(records) + 1
    assert sorted(path.name for path in folder.parent.iterdir() if "journal" not in path.name) == ["trades"]


def test_a_rebuild_cut_short_leaves_the_old_log(log: TradeLog, folder: Path) -> None:
    log.write([closed(0)])
    folder.rename(folder.with_name(".trades.old"))
    folder.with_name(".trades.new").mkdir()
    TradeLog(folder)
    assert len(read_trades(folder)) == 1
    assert [path.name for path in folder.parent.iterdir()] == ["trades"]


def test_a_row_and_what_amends_it_may_come_in_one_batch(log: TradeLog, folder: Path) -> None:
    record = closed(0)
    funded = replace(record, position=replace(record.position, funding=Decimal("-0.5")), amends=True)
    log.write([record, closed(1), funded])
    assert sorted(read_trades(folder)["funding"].to_pylist()) == [Decimal("-0.5"), Decimal(0)]


def test_only_what_is_missing_is_caught_up(log: TradeLog, folder: Path, journal: SqliteJournal) -> None:
    records = [closed(hours) for hours in range(4)]
    journalled(journal, *records)
    log.write(records[:2])
    assert log.catch_up(journal.reader()) == 2
    assert log.catch_up(journal.reader()) == 0
    assert len(read_trades(folder)) == 4
    assert T0 + DAY not in read_trades(folder)["closed_at"].to_pylist()


def cut_short(journal: SqliteJournal, seq: int) -> None:
    journal._connection.execute("DROP TRIGGER events_are_never_changed")
    journal._connection.execute("UPDATE events SET payload = substr(payload, 1, 50) WHERE seq = ?", (seq,))


def test_a_rebuild_keeps_the_rows_that_the_journal_can_not_tell(
    log: TradeLog, folder: Path, journal: SqliteJournal
) -> None:
    early, unreadable, late, unknown = (closed(hours) for hours in (0, 1, 30, 31))
    journalled(journal, early, unreadable, late)
    for each in (early, unreadable, late, unknown):
        log.write([each])
    before = read_trades(folder)
    cut_short(journal, 2)
    named: list[str] = []
    kept: list[str] = []
    assert log.rebuild(journal.reader(), damaged=named.append, kept=kept.append) == 4
    assert len(named) == 1
    assert kept == [each.position.position_id for each in (unreadable, unknown)]
    assert read_trades(folder) == before
    log.write([closed(2)])
    assert len(read_trades(folder)) == 5


@pytest.mark.parametrize("is_readable", [False, True])
def test_a_rebuild_keeps_damaged_parts_while_nothing_else_holds_their_rows(
    log: TradeLog, folder: Path, journal: SqliteJournal, is_readable: bool
) -> None:
    journalled(journal, closed(0), closed(1))
    for hours in (0, 1):
        log.write([closed(hours)])
    part = part_paths(folder)[0]
    part.write_bytes(part.read_bytes()[:-20])
    read_trades(folder)
    if not is_readable:
        cut_short(journal, 1)
    log.rebuild(journal.reader())
    assert any(folder.rglob("_damaged-*")) is not is_readable


def test_a_rebuild_keeps_damaged_parts_of_a_log_that_an_earlier_journal_told(
    log: TradeLog, folder: Path, journal: SqliteJournal
) -> None:
    for hours in (0, 1):  # told by a journal that was moved away
        log.write([closed(hours)])
    journalled(journal, closed(2))
    part = part_paths(folder)[0]
    part.write_bytes(part.read_bytes()[:-20])
    log.rebuild(journal.reader())
    assert any(folder.rglob("_damaged-*"))


def test_a_rebuild_keeps_no_second_row_of_a_trade_that_was_amended(
    log: TradeLog, folder: Path, journal: SqliteJournal
) -> None:
    journalled(journal, closed(0))
    wrong = closed(0)
    log.write([replace(wrong, position=replace(wrong.position, funding=Decimal(7)))])
    assert log.rebuild(journal.reader()) == 1
    assert read_trades(folder)["funding"].to_pylist() == [Decimal(0)]


def test_a_trade_that_can_not_be_read_is_named_and_the_rest_is_rebuilt(
    log: TradeLog, folder: Path, journal: SqliteJournal
) -> None:
    journalled(journal, closed(0), closed(1), closed(2))
    cut_short(journal, 2)
    named: list[str] = []
    assert log.rebuild(journal.reader(), damaged=named.append) == 2
    assert [each.split(":")[0] for each in named] == ["event 2 (real"]
    assert len(read_trades(folder)) == 2


# --- as the trader writes it --------------------------------------------------------------------------


@pytest.mark.fault(82)
def test_a_folder_that_can_not_be_used_costs_nothing_but_time(
    tmp_path: Path, folder: Path, journal: SqliteJournal
) -> None:
    folder.write_text("in the way")
    sink = DerivedTradeLog(folder, journal.path)
    records = [closed(hours) for hours in range(3)]
    journalled(journal, *records)
    for record in records[:2]:
        with pytest.raises(DataFileError):
            sink.write([record])
    folder.unlink()
    sink.write(records[2:])
    assert len(read_trades(folder)) == ds.dataset(folder).count_rows() == 3


def test_a_record_that_the_journal_has_not_yet_is_written_too(folder: Path, journal: SqliteJournal) -> None:
    journalled(journal, closed(0))
    sink = DerivedTradeLog(folder, journal.path)
    sink.write([closed(0), closed(1)])
    assert ds.dataset(folder).count_rows() == 2


def test_a_log_is_compacted_when_it_is_opened_and_as_it_grows(
    folder: Path, journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data.trade_sink._COMPACT_EVERY", 4)
    sink = DerivedTradeLog(folder, journal.path)
    for hours in range(6):
        sink.write([closed(hours)])
    assert len(part_paths(folder)) == 3
    DerivedTradeLog(folder, journal.path).write([])
    assert len(part_paths(folder)) == 1
    assert len(read_trades(folder)) == 6
