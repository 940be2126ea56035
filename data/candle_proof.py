"""Whether the candles in the archive are those the decisions saw, minute by minute and history by history."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

import numpy as np

from core.inputs import WarmUp, digest_of
from core.journal import EntryKind, MinuteJudged, RunStarted
from core.market import MINUTE_MS, QUARTER_MS, Field
from data.candle_archive import MINUTES_A_PART, WINDOW, CandleArchive
from data.journal_reader import JournalReader

_MINUTES_AT_ONCE = 60
_NOT_YET_DUE_MS = 2 * MINUTES_A_PART * MINUTE_MS  # a part is being written while the next is gathered


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A minute as the journal tells it: ``axis`` is the order of its columns, ``since`` its run's first."""

    open_time: int
    since: int
    axis: tuple[str, ...]
    told: MinuteJudged


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """How many minutes and histories were compared, and which are not the archive's.

    ``not_yet_archived`` counts the newest of them, whose candles the archive is not due to have.
    """

    minutes: int
    histories: int
    not_yet_archived: int
    differing: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Difference:
    """What the archive does not confirm; ``told_at`` is the minute that told of it."""

    told_at: int
    name: str
    lacks_candles: bool

    def __str__(self) -> str:
        return f"{self.name} (candles are missing)" if self.lacks_candles else self.name


def prove(journal: JournalReader, archive: CandleArchive) -> Proof:
    """Compare every minute and every history that the journal tells of with the candles in the archive.

    A trader may go on writing both: candles that are missing are no difference until they are due.
    """
    minutes = histories = due_until = 0
    found: list[_Difference] = []
    for some in _in_pieces(judged_minutes(journal)):
        minutes += len(some)
        due_until = _due_until(some[-1])
        found += _differing_minutes(some, archive)
        for timeframe_ms in (MINUTE_MS, QUARTER_MS):
            given = [
                (judged.open_time, each)
                for judged in some
                for each in judged.told.warmed
                if each.timeframe_ms == timeframe_ms
            ]
            histories += len(given)
            found += _differing_histories(given, archive)
    due = [each for each in found if not each.lacks_candles or each.told_at <= due_until]
    return Proof(
        minutes=minutes,
        histories=histories,
        not_yet_archived=len(found) - len(due),
        differing=tuple(map(str, due)),
    )


def judged_minutes(journal: JournalReader) -> Iterator[Judged]:
    """Yield every minute with its axis, which stands in the run's first entry and where it changes.

    Versions that did not write it down left nothing to compare with.
    """
    axis: tuple[str, ...] = ()
    since: int | None = None
    for entry in journal.entries(EntryKind.RUN, EntryKind.MINUTE):
        match entry.body:
            case RunStarted():
                axis, since = entry.body.axis, None
            case MinuteJudged() as told:
                axis, open_time = told.axis or axis, entry.at - MINUTE_MS
                since = open_time if since is None else since
                if axis:
                    yield Judged(open_time=open_time, since=since, axis=axis, told=told)
            case _:
                pass


def _due_until(newest: Judged) -> int:
    """Return the last minute whose candles have to be archived by now.

    What a killed run had not written yet, the next one fetches, and writes with its own first part.
    """
    until = newest.open_time - _NOT_YET_DUE_MS
    return until if until >= newest.since else newest.since - WINDOW[MINUTE_MS] * MINUTE_MS


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


def _differing_minutes(some: list[Judged], archive: CandleArchive) -> Iterator[_Difference]:
    start, end, axis = some[0].open_time, some[-1].open_time + MINUTE_MS, some[0].axis
    block = archive.block(MINUTE_MS, start, end, symbols=axis)
    for each in some:
        row = np.ascontiguousarray(block.candles[:, :, (each.open_time - start) // MINUTE_MS].T)
        absent = np.isin(np.array(axis), np.array(each.told.absent, dtype=str))
        row[:, absent] = np.nan
        if sha256(row.tobytes()).hexdigest() != each.told.row_sha256:
            yield _Difference(
                told_at=each.open_time,
                name=f"the minute {_utc(each.open_time)} UTC",
                lacks_candles=bool(np.isnan(row[Field.CLOSE, ~absent]).any()),
            )


def _differing_histories(given: list[tuple[int, WarmUp]], archive: CandleArchive) -> Iterator[_Difference]:
    """Read the histories of one timeframe together, as a start reads them, and yield those that differ."""
    whole = [(told_at, each) for told_at, each in given if each.candles]
    if not whole:
        return
    step = whole[0][1].timeframe_ms
    start, end = min(each.first for _, each in whole), max(each.last for _, each in whole) + step
    symbols = tuple(dict.fromkeys(each.symbol for _, each in whole))
    block = (
        archive.quarters(start, end, symbols=symbols)
        if step == QUARTER_MS
        else archive.block(step, start, end, symbols=symbols)
    )
    for told_at, each in whole:
        bars = slice((each.first - start) // step, (each.last - start) // step + 1)
        candles = block.candles[symbols.index(each.symbol), :, bars]
        there = candles[:, ~np.isnan(candles[Field.CLOSE])]
        if there.shape[1] != each.candles or digest_of(there) != each.digest:
            yield _Difference(told_at=told_at, name=_named(each), lacks_candles=there.shape[1] < each.candles)


def _named(warm_up: WarmUp) -> str:
    minutes = warm_up.timeframe_ms // MINUTE_MS
    first, last = _utc(warm_up.first), _utc(warm_up.last)
    return f"the {minutes}m history of {warm_up.symbol} from {first} to {last} UTC"


def _utc(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
