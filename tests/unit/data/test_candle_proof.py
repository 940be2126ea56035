"""The archive against what the journal says was seen."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from core.inputs import WarmUp, digest_of
from core.journal import Body, Entry, MinuteJudged, RunStarted
from core.market import MINUTE_MS, QUARTER_MS, CandleHistory, MarketContext, MinuteClosed, SymbolAxis
from core.rng import seeded
from data.candle_archive import CandleArchive
from data.candle_batch import CandleBatch
from data.candle_proof import Proof, prove
from data.journal import SqliteJournal
from tests.builders import HOUR, T0

AXIS = SymbolAxis(("AUSDT", "BUSDT", "CUSDT"))
WIDER = SymbolAxis((*AXIS.names, "DUSDT"))


def minute_at(number: int, axis: SymbolAxis = AXIS, *, absent: int | None = None) -> MinuteClosed:
    rng = seeded(number)
    row = np.round(rng.uniform(1, 2, size=(5, len(axis))), 4)
    present = np.ones(len(axis), dtype=np.bool_)
    if absent is not None:
        present[absent], row[:, absent] = False, np.nan
    return MinuteClosed(
        open_time=T0 + number * MINUTE_MS,
        axis=axis,
        row=row,
        present=present,
        context=MarketContext.unknown(len(axis)),
        seen_at=T0 + (number + 1) * MINUTE_MS,
    )


def judged(minute: MinuteClosed, *warmed: WarmUp, axis: tuple[str, ...] = ()) -> MinuteJudged:
    absent = tuple(np.array(minute.symbols)[~minute.present].tolist())
    return MinuteJudged(
        row_sha256=sha256(minute.row.tobytes()).hexdigest(),
        symbols=len(minute.symbols),
        absent=absent,
        ranked=0,
        equity="",
        axis=axis,
        warmed=warmed,
    )


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    with SqliteJournal(tmp_path / "journal.db") as opened:
        opened.append([Entry(body=run_on(AXIS), at=T0, seen_at=T0)])
        yield opened


def run_on(axis: SymbolAxis) -> RunStarted:
    return RunStarted(mode="sim", version="0", parameters={}, axis=axis.names)


def proof_of(journal: SqliteJournal, told: Mapping[int, Body], *batches: CandleBatch) -> Proof:
    journal.append([Entry(body=body, at=at, seen_at=at) for at, body in told.items()])
    archive = CandleArchive(journal.path.parent / "candles")
    archive.append(batches)
    with journal.reader() as reader:
        return prove(reader, archive)


def test_candles_that_are_those_that_were_seen_prove_it(journal: SqliteJournal) -> None:
    minutes = [*(minute_at(number, absent=number % 3) for number in range(100)), minute_at(100, WIDER)]
    told = {each.at: judged(each, axis=each.symbols if each.axis is WIDER else ()) for each in minutes}
    proof = proof_of(journal, told, *map(CandleBatch.of_minute, minutes))
    assert proof == Proof(minutes=101, histories=0, not_yet_archived=0, differing=())


def test_a_candle_that_came_too_late_changes_nothing_of_what_was_seen(journal: SqliteJournal) -> None:
    seen, whole = minute_at(0, absent=1), minute_at(0)
    assert proof_of(journal, {seen.at: judged(seen)}, CandleBatch.of_minute(whole)).differing == ()


def test_a_minute_of_other_candles_is_named(journal: SqliteJournal) -> None:
    first, second = minute_at(0), minute_at(1)
    other = replace(second, row=second.row + 0.0001)
    told = {each.at: judged(each) for each in (first, second)}
    proof = proof_of(journal, told, CandleBatch.of_minute(first), CandleBatch.of_minute(other))
    assert proof.differing == ("the minute 2025-11-26 00:01 UTC",)


def history_of(symbol: str, timeframe_ms: int, *, bars: int, before: int) -> CandleHistory:
    times = before - np.arange(bars, 0, -1, dtype=np.int64) * timeframe_ms
    candles = np.round(seeded(7).uniform(1, 2, size=(5, bars)), 4)
    return CandleHistory(symbol=symbol, timeframe_ms=timeframe_ms, open_times=times, candles=candles)


def told_of(history: CandleHistory) -> WarmUp:
    return WarmUp(
        symbol=history.symbol,
        timeframe_ms=history.timeframe_ms,
        first=int(history.open_times[0]),
        last=int(history.open_times[-1]),
        candles=len(history.open_times),
        digest=digest_of(history.candles),
        starts_over=False,
    )


def test_histories_are_compared_and_named(journal: SqliteJournal) -> None:
    history = history_of("AUSDT", MINUTE_MS, bars=20, before=T0)
    sound = told_of(history)
    empty = replace(sound, first=0, last=0, candles=0, digest="")
    others = [replace(sound, digest="0" * 16), replace(sound, candles=19), replace(sound, symbol="BUSDT")]
    first, last = minute_at(0), minute_at(60)
    told = {first.at: judged(first, sound, empty, *others), last.at: judged(last)}
    proof = proof_of(
        journal, told, CandleBatch.of_history(history), *map(CandleBatch.of_minute, (first, last))
    )
    assert proof.histories == 5
    assert [name.split()[4] for name in proof.differing] == ["AUSDT", "AUSDT", "BUSDT"]
    assert proof.differing[0].endswith("from 2025-11-25 23:40 to 2025-11-25 23:59 UTC")


def test_a_history_that_a_restart_built_from_minutes_is_compared_with_what_it_was_built_from(
    journal: SqliteJournal,
) -> None:
    fetched = CandleBatch.of_history(history_of("AUSDT", QUARTER_MS, bars=20, before=T0))
    minutes = [minute_at(number) for number in range(60)]
    batches = [fetched, *map(CandleBatch.of_minute, minutes)]
    archive = CandleArchive(journal.path.parent / "before")
    archive.append(batches)
    shelf = archive.newest(T0 + HOUR)
    given = shelf.history("AUSDT", QUARTER_MS, start_ms=T0 - 5 * HOUR, end_ms=T0 + HOUR - QUARTER_MS)
    assert len(given.open_times) == 24
    after = minute_at(60)
    altered = replace(told_of(given), digest="0" * 16)
    told = {after.at: judged(after, told_of(given), altered)}
    proof = proof_of(journal, told, *batches, CandleBatch.of_minute(after))
    assert proof.differing == ("the 15m history of AUSDT from 2025-11-25 19:00 to 2025-11-26 00:45 UTC",)


def test_what_is_not_due_to_be_archived_yet_is_counted_and_not_named(journal: SqliteJournal) -> None:
    minutes = [minute_at(number) for number in range(40)]
    late = told_of(history_of("AUSDT", MINUTE_MS, bars=20, before=T0))
    told = {each.at: judged(each, *([late] if each is minutes[-1] else [])) for each in minutes}
    proof = proof_of(journal, told, *map(CandleBatch.of_minute, minutes[:30]))
    assert proof == Proof(minutes=40, histories=1, not_yet_archived=11, differing=())


def test_candles_that_were_due_long_ago_are_named(journal: SqliteJournal) -> None:
    minutes = [minute_at(number) for number in range(40)]
    told = {each.at: judged(each) for each in minutes}
    proof = proof_of(journal, told, *map(CandleBatch.of_minute, minutes[1:]))
    assert (proof.not_yet_archived, proof.differing) == (
        0,
        ("the minute 2025-11-26 00:00 UTC (candles are missing)",),
    )


def test_what_a_killed_run_did_not_write_is_due_when_the_next_one_has_written(journal: SqliteJournal) -> None:
    killed, after = [minute_at(number) for number in range(50)], [minute_at(n) for n in range(60, 91)]
    for each in killed:
        journal.append([Entry(body=judged(each), at=each.at, seen_at=each.at)])
    journal.append([Entry(body=run_on(AXIS), at=after[0].open_time, seen_at=after[0].open_time)])
    young = proof_of(journal, {each.at: judged(each) for each in after[:30]})
    assert (young.not_yet_archived, young.differing) == (80, ())
    older = proof_of(journal, {after[30].at: judged(after[30])}, *map(CandleBatch.of_minute, killed[1:]))
    assert older.not_yet_archived == 30
    assert [each[:32] for each in older.differing] == [
        "the minute 2025-11-26 00:00 UTC ",
        "the minute 2025-11-26 01:00 UTC ",
    ]


def test_the_newest_minute_is_named_where_its_candles_are_there_and_differ(journal: SqliteJournal) -> None:
    seen = minute_at(0)
    proof = proof_of(journal, {seen.at: judged(seen)}, CandleBatch.of_minute(replace(seen, row=seen.row * 2)))
    assert (proof.not_yet_archived, len(proof.differing)) == (0, 1)


def test_a_run_that_did_not_tell_its_axis_can_not_be_compared(tmp_path: Path) -> None:
    minute = minute_at(0)
    with SqliteJournal(tmp_path / "journal.db") as journal:
        proof = proof_of(journal, {minute.at: judged(minute)}, CandleBatch.of_minute(minute))
    assert proof == Proof(minutes=0, histories=0, not_yet_archived=0, differing=())
