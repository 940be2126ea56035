"""A candle file is read as it is, or refused in one sentence that says where it is wrong."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.errors import DataFileError
from core.market import MINUTE_MS, QUARTER_MS, Field
from data.candle_file import CandleFile
from tests.builders import DAY, T0

RECORDED = Path(__file__).parents[4] / "shared" / "data" / "klines_1m_2025-05.parquet"


def rows(symbol: str = "BTCUSDT", *, minutes: Sequence[int] = range(3)) -> list[dict[str, Any]]:
    return [
        {
            "symbol": symbol,
            "open_time": T0 + minute * MINUTE_MS,
            "open": 100.0 + minute,
            "high": 102.0 + minute,
            "low": 99.0 + minute,
            "close": 101.0 + minute,
            "volume": 5.0,
        }
        for minute in minutes
    ]


def saved(
    folder: Path, candles: list[dict[str, Any]], *, types: Mapping[str, pa.DataType] | None = None
) -> Path:
    table = pa.Table.from_pylist(candles)
    for name, kind in (types or {}).items():
        table = table.set_column(table.column_names.index(name), name, table[name].cast(kind))
    pq.write_table(table, folder / "candles.parquet")
    return folder / "candles.parquet"


def test_minutes_hold_every_symbol_and_tell_who_is_missing(tmp_path: Path) -> None:
    file = CandleFile.load(saved(tmp_path, rows("ETHUSDT") + rows("BTCUSDT", minutes=[1])))
    assert file.symbols == ("BTCUSDT", "ETHUSDT")
    first, second, third = file.minutes(T0, T0 + DAY)
    assert [each.open_time for each in (first, second, third)] == [T0, T0 + MINUTE_MS, T0 + 2 * MINUTE_MS]
    assert first.present.tolist() == [False, True]
    assert second.present.tolist() == [True, True]
    assert np.isnan(first.row[:, 0]).all()
    assert second.row[:, 1].tolist() == [101.0, 103.0, 100.0, 102.0, 5.0]
    assert (second.seen_at, second.symbols) == (second.at, file.symbols)


def test_minutes_are_those_that_opened_in_the_asked_for_time(tmp_path: Path) -> None:
    file = CandleFile.load(saved(tmp_path, rows(minutes=range(10))))

    def opened(start: int, end: int) -> list[int]:
        return [(each.open_time - T0) // MINUTE_MS for each in file.minutes(T0 + start, T0 + end)]

    assert opened(2 * MINUTE_MS, 5 * MINUTE_MS) == [2, 3, 4]
    assert opened(2 * MINUTE_MS + 1, 5 * MINUTE_MS + 1) == [3, 4, 5]
    assert opened(-DAY, MINUTE_MS) == [0]
    assert opened(9 * MINUTE_MS, DAY) == [9]
    assert opened(DAY, 2 * DAY) == []


def test_a_time_with_nothing_to_play_is_refused_in_times_that_can_be_read(tmp_path: Path) -> None:
    file = CandleFile.load(saved(tmp_path, rows(minutes=range(60))))
    file.check_span(file.start_ms - MINUTE_MS, file.start_ms + MINUTE_MS)
    for start, end in ((file.end_ms, file.end_ms + MINUTE_MS), (0, file.start_ms)):
        with pytest.raises(DataFileError, match=r"no candles to play at \d{4}-\d\d-\d\dT\d\d:\d\d UTC"):
            file.check_span(start, end)
    with pytest.raises(DataFileError, match="choose a later one"):
        file.check_span(file.start_ms + 2 * MINUTE_MS, file.start_ms + MINUTE_MS)


def test_a_minute_that_nobody_has_is_still_a_minute(tmp_path: Path) -> None:
    file = CandleFile.load(saved(tmp_path, rows(minutes=[0, 2])))
    assert [each.present.tolist() for each in file.minutes(T0, T0 + DAY)] == [[True], [False], [True]]
    assert file.count == 2


def test_candles_can_not_be_written_to(tmp_path: Path) -> None:
    file = CandleFile.load(saved(tmp_path, rows()))
    with pytest.raises(ValueError, match="read-only"):
        next(file.minutes(T0, T0 + DAY)).row[0, 0] = 1


def test_arrays_run_along_time(tmp_path: Path) -> None:
    arrays = CandleFile.load(saved(tmp_path, rows("BTCUSDT") + rows("ETHUSDT", minutes=[2]))).arrays()
    assert arrays.open_times.tolist() == [T0, T0 + MINUTE_MS, T0 + 2 * MINUTE_MS]
    assert arrays.close[0].tolist() == [101.0, 102.0, 103.0]
    np.testing.assert_array_equal(arrays.volume[1], [np.nan, np.nan, 5.0])


def test_only_some_symbols_can_be_taken(tmp_path: Path) -> None:
    file = CandleFile.load(saved(tmp_path, rows("BTCUSDT") + rows("ETHUSDT", minutes=[2])))
    assert file.only(["ETHUSDT"]).symbols == ("ETHUSDT",)
    assert next(file.only(["ETHUSDT"]).minutes(T0, T0 + DAY)).present.tolist() == [False]
    with pytest.raises(DataFileError, match="has no XRPUSDT: it holds BTCUSDT, ETHUSDT"):
        file.only(["XRPUSDT"])


def test_history_is_enough_when_most_symbols_have_it(tmp_path: Path) -> None:
    candles = (
        rows("AUSDT", minutes=range(7, 200))
        + rows("BUSDT", minutes=range(200))
        + rows("CUSDT", minutes=[199])
    )
    file = CandleFile.load(saved(tmp_path, candles))
    assert file.first_minute_with_history(2) == T0 + 3 * QUARTER_MS  # A's first whole bar is the second one
    assert file.only(["BUSDT"]).first_minute_with_history(2) == T0 + 2 * QUARTER_MS
    assert file.only(["BUSDT"]).first_minute_with_history(13) == T0 + 13 * QUARTER_MS
    with pytest.raises(DataFileError, match="holds 13 15m bars for most symbols and 14 are needed"):
        file.only(["BUSDT"]).first_minute_with_history(14)
    with pytest.raises(DataFileError, match="holds 0 15m bars"):
        file.only(["CUSDT"]).first_minute_with_history(1)


def test_the_order_of_rows_means_nothing(tmp_path: Path) -> None:
    ordered = CandleFile.load(saved(tmp_path, rows("AUSDT") + rows("BUSDT")))
    mixed = CandleFile.load(saved(tmp_path, (rows("BUSDT") + rows("AUSDT"))[::-1]))
    np.testing.assert_array_equal(mixed.candles, ordered.candles)


def test_a_candle_given_twice_counts_once_and_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        file = CandleFile.load(saved(tmp_path, rows() + rows(minutes=[1])))
    assert file.count == 3
    assert "1 candles occur twice" in caplog.text


def test_two_different_candles_of_one_minute_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match=r"BTCUSDT at \d+\): two different candles of the same minute"):
        CandleFile.load(saved(tmp_path, [*rows(), rows(minutes=[1])[0] | {"volume": 6.0}]))


@pytest.mark.parametrize(
    ("column", "value", "complaint"),
    [
        ("high", 98.0, "do not lie between low and high"),
        ("close", 500.0, "do not lie between low and high"),
        ("low", -1.0, "low is -1, not a price"),
        ("open", 0.0, "open is 0, not a price"),
        ("close", float("nan"), "close is nan, not a price"),
        ("high", float("inf"), "high is inf, not a price"),
        ("volume", -5.0, "volume is -5"),
        ("open_time", T0 + 90_000, "does not begin a minute"),
        ("open_time", (T0 + MINUTE_MS) * 1000, "not in milliseconds"),
        ("open_time", T0 // 1000, "not in milliseconds"),
    ],
)
def test_a_row_that_can_not_be_a_candle_is_named(
    tmp_path: Path, column: str, value: Any, complaint: str
) -> None:
    candles = rows()
    candles[1][column] = value
    path = saved(tmp_path, candles)
    with pytest.raises(DataFileError, match=complaint) as refusal:
        CandleFile.load(path)
    assert str(refusal.value).startswith(f"{path}, row 1 (BTCUSDT at ")
    assert str(refusal.value).count("\n") == 0


@pytest.mark.parametrize(
    ("column", "kind", "complaint"),
    [
        ("open", pa.string(), "column open holds string, not float64"),
        ("open_time", pa.timestamp("ms"), r"column open_time holds timestamp\[ms\], not int64 milliseconds"),
        ("open_time", pa.float64(), "column open_time holds double, not int64 milliseconds"),
    ],
)
def test_a_column_of_the_wrong_type_is_named(
    tmp_path: Path, column: str, kind: pa.DataType, complaint: str
) -> None:
    with pytest.raises(DataFileError, match=complaint):
        CandleFile.load(saved(tmp_path, rows(), types={column: kind}))


@pytest.mark.parametrize("kind", [pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_text_is_text_however_it_is_stored(tmp_path: Path, kind: pa.DataType) -> None:
    assert CandleFile.load(saved(tmp_path, rows(), types={"symbol": kind})).symbols == ("BTCUSDT",)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    candles = [{name: value for name, value in row.items() if name != "volume"} for row in rows()]
    with pytest.raises(DataFileError, match="has no column volume: a candle file has symbol, open_time"):
        CandleFile.load(saved(tmp_path, candles))


def test_an_empty_cell_is_named(tmp_path: Path) -> None:
    candles = rows()
    candles[2]["open_time"] = None
    with pytest.raises(DataFileError, match="row 2: open_time is empty"):
        CandleFile.load(saved(tmp_path, candles))


def test_a_file_without_rows_is_refused(tmp_path: Path) -> None:
    table = pa.Table.from_pylist(rows()).slice(0, 0)
    pq.write_table(table, tmp_path / "candles.parquet")
    with pytest.raises(DataFileError, match="holds no candles"):
        CandleFile.load(tmp_path / "candles.parquet")


def test_candles_years_apart_are_not_laid_out_minute_by_minute(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="split it"):
        CandleFile.load(saved(tmp_path, rows(minutes=[0, 20 * 365 * 24 * 60])))


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="There is no candle file at"):
        CandleFile.load(tmp_path / "nowhere.parquet")


@pytest.mark.parametrize("content", [b"", b"symbol,open_time\n", b"PAR1" + b"\0" * 100 + b"PAR1"])
def test_a_file_that_is_not_parquet_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "candles.parquet"
    path.write_bytes(content)
    with pytest.raises(DataFileError, match="can not be read as Parquet"):
        CandleFile.load(path)


def test_a_file_cut_short_is_never_read_as_a_shorter_one(tmp_path: Path) -> None:
    path = saved(tmp_path, rows(minutes=range(500)))
    whole = path.read_bytes()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        with pytest.raises(DataFileError):
            CandleFile.load(path)


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded candles lie beside the repository")
def test_the_recorded_candles_are_read_whole() -> None:
    file = CandleFile.load(RECORDED)
    assert (len(file.symbols), file.count) == (16, 708_180)
    start = file.first_minute_with_history()
    assert start % QUARTER_MS == 0
    assert file.start_ms + 1400 * QUARTER_MS <= start < file.start_ms + 1500 * QUARTER_MS
    minute = next(file.minutes(start, file.end_ms))
    assert minute.present[file.symbols.index("BTCUSDT")]
    assert minute.row[Field.CLOSE, file.symbols.index("BTCUSDT")] > 50_000
