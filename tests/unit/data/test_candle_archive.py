"""Candles on disk: read back as they were written, whatever happened to the disk or to us."""

import logging
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.market import DAY_MS, MINUTE_MS, QUARTER_MS, CandleHistory, Field, Floats, MarketContext, SymbolAxis
from core.market import MinuteClosed as Minute
from data.candle_archive import CandleArchive
from data.candle_batch import CandleBatch, CandleBlock
from data.candle_file import CandleFile
from data.parquet_parts import opened_part

DAY = 20_000 * DAY_MS
NAMES = ("AUSDT", "BUSDT", "CUSDT")


def walk(bars: int, seed: int = 0) -> Floats:
    """Candles float64 [5, n] with prices of four decimals and volumes of one."""
    rng = np.random.default_rng(seed)
    close = np.round(100 * np.exp(rng.normal(0, 0.002, bars).cumsum()), 4)
    opened = np.concatenate([[100.0], close[:-1]])
    high, low = np.maximum(opened, close) + 0.01, np.minimum(opened, close) - 0.01
    volume = np.round(rng.random(bars) * 1e4, 1)
    return np.stack([opened, np.round(high, 4), np.round(low, 4), close, volume])


def history(
    symbol: str, start_ms: int, bars: int, *, timeframe_ms: int = MINUTE_MS, seed: int = 0
) -> CandleHistory:
    times = start_ms + np.arange(bars, dtype=np.int64) * timeframe_ms
    return CandleHistory(symbol=symbol, timeframe_ms=timeframe_ms, open_times=times, candles=walk(bars, seed))


def batch(
    symbol: str, start_ms: int, bars: int, *, timeframe_ms: int = MINUTE_MS, seed: int = 0
) -> CandleBatch:
    return CandleBatch.of_history(history(symbol, start_ms, bars, timeframe_ms=timeframe_ms, seed=seed))


def parts(archive: CandleArchive) -> list[Path]:
    return sorted(path for path in archive.folder.rglob("*.parquet") if not path.name.startswith("_"))


@pytest.fixture
def archive(tmp_path: Path) -> CandleArchive:
    return CandleArchive(tmp_path / "candles")


def test_what_was_appended_is_read_back_to_the_last_digit(archive: CandleArchive) -> None:
    wanted = {symbol: walk(50, seed) for seed, symbol in enumerate(NAMES)}
    archive.append([batch(symbol, DAY, 50, seed=seed) for seed, symbol in enumerate(NAMES)])
    block = archive.block(MINUTE_MS, DAY, DAY + 50 * MINUTE_MS)
    assert block.symbols == NAMES
    for index, symbol in enumerate(NAMES):
        assert np.array_equal(block.candles[index], wanted[symbol])


def test_candles_are_put_into_the_folder_of_their_day(archive: CandleArchive) -> None:
    assert archive.append([batch("AUSDT", DAY - 2 * MINUTE_MS, 4)]) == 4
    days = sorted(path.parent.name for path in parts(archive))
    assert days == ["2024-10-03", "2024-10-04"]


def test_an_absent_symbol_of_a_minute_is_not_written(archive: CandleArchive) -> None:
    row = np.full((5, 2), 7.0)
    row[:, 1] = np.nan
    minute = Minute(
        open_time=DAY,
        axis=SymbolAxis(("AUSDT", "BUSDT")),
        row=row,
        present=np.array([True, False]),
        context=MarketContext.unknown(2),
        seen_at=DAY,
    )
    assert archive.append([CandleBatch.of_minute(minute)]) == 1
    block = archive.block(MINUTE_MS, DAY, DAY + MINUTE_MS, symbols=["BUSDT", "AUSDT"])
    assert np.isnan(block.candles[0]).all()
    assert block.candles[1, Field.CLOSE, 0] == 7.0


def test_of_two_candles_of_one_minute_the_later_written_counts(archive: CandleArchive) -> None:
    archive.append([batch("AUSDT", DAY, 10, seed=1)])
    archive.append([batch("AUSDT", DAY + 5 * MINUTE_MS, 1, seed=2)])
    closes = archive.block(MINUTE_MS, DAY, DAY + 10 * MINUTE_MS).candles[0, Field.CLOSE]
    assert closes[5] == walk(1, 2)[Field.CLOSE, 0]
    assert np.array_equal(np.delete(closes, 5), np.delete(walk(10, 1)[Field.CLOSE], 5))


def test_a_day_that_is_over_becomes_one_part_and_its_quarters_are_built(archive: CandleArchive) -> None:
    for start in range(0, 1440, 240):
        archive.append([batch(symbol, DAY + start * MINUTE_MS, 240, seed=start) for symbol in NAMES])
    before = archive.block(MINUTE_MS, DAY, DAY + DAY_MS).candles
    assert archive.merge(DAY + DAY_MS) == 1
    assert [path.name for path in parts(archive)] == ["day-000001.parquet", "day-000007.parquet"]
    assert np.array_equal(archive.block(MINUTE_MS, DAY, DAY + DAY_MS).candles, before)
    quarters = archive.block(QUARTER_MS, DAY, DAY + DAY_MS).candles
    assert not np.isnan(quarters).any()
    assert np.array_equal(quarters[:, Field.HIGH, 0], before[:, Field.HIGH, :15].max(axis=1))
    assert archive.merge(DAY + DAY_MS) == 0


def test_a_day_of_fetched_quarters_alone_becomes_one_part(archive: CandleArchive) -> None:
    for name in NAMES:
        archive.append([batch(name, DAY, 96, timeframe_ms=QUARTER_MS)])
    before = archive.block(QUARTER_MS, DAY, DAY + DAY_MS).candles
    assert archive.merge(DAY + DAY_MS) == 1
    assert [path.name for path in parts(archive)] == ["day-000004.parquet"]
    assert np.array_equal(archive.block(QUARTER_MS, DAY, DAY + DAY_MS).candles, before)
    assert archive.merge(DAY + DAY_MS) == 0


def test_a_day_that_is_not_over_stays_in_pieces(archive: CandleArchive) -> None:
    archive.append([batch("AUSDT", DAY, 60)])
    assert archive.merge(DAY + DAY_MS - 1) == 0


def test_a_crash_between_merging_and_removing_changes_nothing(
    archive: CandleArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    for start in range(0, 60, 20):
        archive.append([batch("AUSDT", DAY + start * MINUTE_MS, 20, seed=start)])
    before = archive.block(MINUTE_MS, DAY, DAY + DAY_MS).candles

    def crash(path: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as crashing:
        crashing.setattr(Path, "unlink", crash)
        with pytest.raises(KeyboardInterrupt):
            archive.merge(DAY + DAY_MS)
    again = CandleArchive(archive.folder)
    assert np.array_equal(again.block(MINUTE_MS, DAY, DAY + DAY_MS).candles, before, equal_nan=True)
    assert again.merge(DAY + DAY_MS) == 1
    assert np.array_equal(again.block(MINUTE_MS, DAY, DAY + DAY_MS).candles, before, equal_nan=True)


def test_fetched_quarters_stand_and_missing_ones_are_built_from_minutes(archive: CandleArchive) -> None:
    archive.append([batch("AUSDT", DAY, 45)])
    archive.append([batch("AUSDT", DAY, 1, timeframe_ms=QUARTER_MS, seed=9)])
    shelf = archive.newest(DAY + 45 * MINUTE_MS)
    quarters = shelf.history("AUSDT", QUARTER_MS, start_ms=DAY, end_ms=DAY + 2 * QUARTER_MS)
    assert quarters.candles[Field.CLOSE].tolist() == [
        walk(1, 9)[Field.CLOSE, 0], *walk(45)[Field.CLOSE, [29, 44]].tolist()
    ]  # fmt: skip


def test_a_quarter_with_a_missing_minute_is_not_built(archive: CandleArchive) -> None:
    archive.append([batch("AUSDT", DAY, 7), batch("AUSDT", DAY + 8 * MINUTE_MS, 22)])
    quarters = archive.newest(DAY + 30 * MINUTE_MS).history(
        "AUSDT", QUARTER_MS, start_ms=DAY, end_ms=DAY + QUARTER_MS
    )
    assert quarters.open_times.tolist() == [DAY + QUARTER_MS]


@given(
    volumes=st.lists(
        st.decimals(min_value=0, max_value=10**9, places=3, allow_nan=False), min_size=15, max_size=15
    )
)
def test_a_built_volume_is_the_decimal_sum_that_the_exchange_tells(volumes: list[Decimal]) -> None:
    candles = np.ones((5, 15))
    candles[Field.VOLUME] = [float(volume) for volume in volumes]
    minutes = CandleHistory(
        symbol="AUSDT", timeframe_ms=MINUTE_MS, open_times=DAY + np.arange(15) * MINUTE_MS, candles=candles
    )
    block = CandleBlock.of(CandleBatch.of_history(minutes), DAY, DAY + QUARTER_MS)
    assert block.quarters().candles[0, Field.VOLUME, 0] == float(sum(volumes))


def test_the_newest_candles_end_where_asked(archive: CandleArchive) -> None:
    archive.append([batch("AUSDT", DAY, 100), batch("AUSDT", DAY - DAY_MS, 94, timeframe_ms=QUARTER_MS)])
    shelf = archive.newest(DAY + 50 * MINUTE_MS, bars={MINUTE_MS: 20, QUARTER_MS: 10})
    minutes = shelf.history("AUSDT", MINUTE_MS, start_ms=DAY, end_ms=DAY + 99 * MINUTE_MS)
    assert minutes.open_times.tolist() == [DAY + minute * MINUTE_MS for minute in range(30, 50)]
    assert len(shelf) == 20 + 8  # the minutes build three quarters; two of the ten are nowhere


def test_the_shelf_tells_what_is_new_or_different(archive: CandleArchive) -> None:
    told = history("AUSDT", DAY, 12)
    archive.append([CandleBatch.of_history(told).pick(np.arange(10))])
    shelf = archive.newest(DAY + 10 * MINUTE_MS)
    told.candles[Field.CLOSE, 4] += 0.001
    assert shelf.news(told).times.tolist() == [DAY + minute * MINUTE_MS for minute in (4, 10, 11)]
    assert len(shelf.news(history("BUSDT", DAY, 12))) == 12
    shelf.forget("AUSDT")
    assert len(shelf.news(told)) == 12


def test_a_folder_that_is_not_there_is_an_empty_archive(archive: CandleArchive) -> None:
    assert len(archive.newest(DAY)) == 0
    assert archive.merge(DAY) == 0


def test_what_a_crash_left_half_written_is_removed(archive: CandleArchive) -> None:
    archive.append([batch("AUSDT", DAY, 10)])
    half = parts(archive)[0].with_name(".part-000002.parquet.tmp")
    half.write_bytes(b"half")
    archive.merge(DAY)
    assert not half.exists()


@settings(max_examples=60, deadline=None)
@given(where=st.floats(min_value=0, max_value=1), flip=st.integers(min_value=1, max_value=255))
def test_a_flipped_byte_never_becomes_a_candle(
    where: float, flip: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    archive = CandleArchive(tmp_path_factory.mktemp("flipped"))
    archive.append([batch(symbol, DAY, 40, seed=seed) for seed, symbol in enumerate(NAMES)])
    (part,) = parts(archive)
    content = bytearray(part.read_bytes())
    content[int(where * (len(content) - 1))] ^= flip
    part.write_bytes(content)
    block = archive.block(MINUTE_MS, DAY, DAY + 40 * MINUTE_MS, symbols=NAMES)
    for index in range(len(NAMES)):
        there = ~np.isnan(block.candles[index, Field.CLOSE])
        assert np.array_equal(block.candles[index][:, there], walk(40, index)[:, there])


def test_a_footer_with_one_bit_wrong_is_not_even_shown_to_arrow(
    archive: CandleArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.append([batch("AUSDT", DAY, 5)])
    (part,) = parts(archive)
    content = part.read_bytes()
    start = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    monkeypatch.setattr("data.parquet_parts.pq.ParquetFile", None)  # some damage makes it end the process
    for place in range(start, len(content) - 8):
        damaged = bytearray(content)
        damaged[place] ^= 1 << place % 8
        part.write_bytes(damaged)
        with pytest.raises(pa.ArrowInvalid), opened_part(part):
            """It is not opened."""


@pytest.mark.parametrize("kept", [0, 3, 4, 100, 0.5, 0.99])
def test_a_truncated_part_is_set_aside_with_a_warning(
    kept: float, archive: CandleArchive, caplog: pytest.LogCaptureFixture
) -> None:
    archive.append([batch("AUSDT", DAY, 40)])
    (part,) = parts(archive)
    archive.append([batch("BUSDT", DAY, 40)])
    content = part.read_bytes()
    part.write_bytes(content[: int(kept if kept >= 1 else kept * len(content))])
    with caplog.at_level(logging.WARNING):
        block = archive.block(MINUTE_MS, DAY, DAY + DAY_MS)
    assert block.symbols == ("BUSDT",)
    assert "its candles will be fetched again" in caplog.text
    assert part.with_name(f"_damaged-{part.name}").exists()
    archive.append([batch("AUSDT", DAY, 40)])
    assert not part.exists(), "the name of a damaged part must not be used again"
    assert archive.block(MINUTE_MS, DAY, DAY + DAY_MS, symbols=["AUSDT"]).batch().times.size == 40


def test_an_export_is_a_candle_file_of_what_was_asked_for(archive: CandleArchive, tmp_path: Path) -> None:
    archive.append([batch(symbol, DAY - 30 * MINUTE_MS, 90, seed=seed) for seed, symbol in enumerate(NAMES)])
    out = tmp_path / "file.parquet"
    written = archive.export(out, DAY - 10 * MINUTE_MS, DAY + 20 * MINUTE_MS, symbols=["BUSDT", "AUSDT"])
    candles = CandleFile.load(out)
    assert written == candles.count == 60
    assert candles.symbols == ("AUSDT", "BUSDT")
    assert (candles.start_ms, candles.end_ms) == (DAY - 10 * MINUTE_MS, DAY + 20 * MINUTE_MS)
    assert np.array_equal(candles.candles[:, :, 1].T, walk(90, 1)[:, 20:50])


def test_an_archive_can_be_replayed_as_if_it_were_a_file(archive: CandleArchive) -> None:
    archive.append([batch("BUSDT", DAY - 30 * MINUTE_MS, 90, seed=1), batch("AUSDT", DAY, 10)])
    candles = CandleFile.load(archive.folder)
    assert candles.symbols == ("AUSDT", "BUSDT")
    assert (candles.start_ms, candles.count) == (DAY - 30 * MINUTE_MS, 100)
    assert np.array_equal(candles.candles[:, :, 1].T, walk(90, 1))
    assert np.array_equal(candles.candles[30:40, :, 0].T, walk(10))
