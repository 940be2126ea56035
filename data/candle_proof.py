"""Whether the candles in the archive are those the decisions saw, minute by minute and history by history."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

import numpy as np

from core.inputs import WarmUp, digest_of
from core.journal import EntryKind, MinuteJudged, RunStarted
from core.market import MINUTE_MS, QUARTER_MS, Field
from data.candle_archive import CandleArchive
from data.journal_reader import JournalReader

_MINUTES_AT_ONCE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A minute as the journal tells it: ``axis`` is the order of its columns."""

    open_time: int
    axis: tuple[str, ...]
    told: MinuteJudged


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """How many minutes and histories were compared, and which are not the archive's."""

    minutes: int
    histories: int
    differing: tuple[str, ...]


def prove(journal: JournalReader, archive: CandleArchive) -> Proof:
    """Compare every minute and every history that the journal tells of with the candles in the archive."""
    minutes = histories = 0
    differing: list[str] = []
    for some in _in_pieces(judged_minutes(journal)):
        minutes += len(some)
        differing += _differing_minutes(some, archive)
        for timeframe_ms in (MINUTE_MS, QUARTER_MS):
            given = [
                each for judged in some for each in judged.told.warmed if each.timeframe_ms == timeframe_ms
            ]
            histories += len(given)
            differing += map(_named, _differing_histories(given, archive))
    return Proof(minutes=minutes, histories=histories, differing=tuple(differing))


def judged_minutes(journal: JournalReader) -> Iterator[Judged]:
    """Yield every minute with its axis, which stands in the run's first entry and where it changes.

    Versions that did not write it down left nothing to compare with.
    """
    axis: tuple[str, ...] = ()
    for entry in journal.entries(EntryKind.RUN, EntryKind.MINUTE):
        match entry.body:
            case RunStarted():
                axis = entry.body.axis
            case MinuteJudged() as told:
                axis = told.axis or axis
                if axis:
                    yield Judged(open_time=entry.at - MINUTE_MS, axis=axis, told=told)
            case _:
                pass


def _in_pieces(minutes: Iterator[Judged]) -> Iterator[list[Judged]]:
    """Gather minutes that follow closely and share an axis, to be read together."""
    piece: list[Judged] = []
    for each in minutes:
        first = piece[0] if piece else each
        reach = first.open_time + _MINUTES_AT_ONCE * MINUTE_MS
        if each.axis != first.axis or not first.open_time <= each.open_time < reach:
            yield piece
            piece = []
        piece.append(each)
    if piece:
        yield piece


def _differing_minutes(some: list[Judged], archive: CandleArchive) -> Iterator[str]:
    start, end, axis = some[0].open_time, some[-1].open_time + MINUTE_MS, some[0].axis
    block = archive.block(MINUTE_MS, start, end, symbols=axis)
    for each in some:
        row = np.ascontiguousarray(block.candles[:, :, (each.open_time - start) // MINUTE_MS].T)
        absent = np.isin(np.array(axis), np.array(each.told.absent, dtype=str))
        row[:, absent] = np.nan
        if sha256(row.tobytes()).hexdigest() != each.told.row_sha256:
            yield f"the minute {each.open_time}"


def _differing_histories(given: list[WarmUp], archive: CandleArchive) -> Iterator[WarmUp]:
    """Read the histories of one timeframe together, and yield those that are not the archive's."""
    whole = [each for each in given if each.candles]
    if not whole:
        return
    start, step = min(each.first for each in whole), whole[0].timeframe_ms
    end = max(each.last for each in whole) + step
    symbols = tuple(dict.fromkeys(each.symbol for each in whole))
    block = archive.block(step, start, end, symbols=symbols)
    for each in whole:
        bars = slice((each.first - start) // step, (each.last - start) // step + 1)
        candles = block.candles[symbols.index(each.symbol), :, bars]
        there = candles[:, ~np.isnan(candles[Field.CLOSE])]
        if there.shape[1] != each.candles or digest_of(there) != each.digest:
            yield each


def _named(warm_up: WarmUp) -> str:
    minutes = warm_up.timeframe_ms // MINUTE_MS
    return f"the {minutes}m history of {warm_up.symbol} from {warm_up.first} to {warm_up.last}"
