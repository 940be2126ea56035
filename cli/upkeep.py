"""Work on the records of one run: the trade log made anew or compacted, the journal checked."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from cli.consoles import result_console
from cli.options import Upkeep
from cli.watch import print_result
from core.clock import SystemClock
from core.errors import JournalError, PerpscoutError
from data.candle_archive import CandleArchive
from data.candle_proof import prove
from data.journal_audit import audit
from data.journal_reader import JournalReader
from data.journal_witness import ask_witness
from data.run_lock import RunLock
from data.trade_log import TradeLog
from data.trade_parts import parts_in, parts_set_aside

Facts = Mapping[str, object]

_NAMED = 10
"""Findings that are named one by one to people; scripts get them all."""


def keep_up(upkeep: Upkeep, journal: Path, *, as_json: bool) -> int:
    """Do it and say what came of it; returns the exit code, 1 where something is damaged or differs."""
    clock = SystemClock()
    began = clock.monotonic()
    facts = {**_WORK[upkeep](journal), "seconds": round(clock.monotonic() - began, 3)}
    if as_json:
        print_result(json.dumps({"journal": str(journal), **facts}))
    else:
        for name, value in facts.items():
            result_console().print(f"{name.replace('_', ' '):>16}  {_worded(value)}", highlight=False)
    return 1 if any(facts.get(name) for name in ("damaged", "kept", "differing")) else 0


def _rebuild(journal: Path) -> Facts:
    damaged: list[str] = []
    kept: list[str] = []
    folder = _trade_log_of(journal)
    with JournalReader(journal) as reader, _alone_in(journal.parent):
        rows = TradeLog(folder).rebuild(reader, damaged=damaged.append, kept=kept.append)
    return {"trade_log": str(folder), "rows": rows, "damaged": damaged, "kept": kept}


def _compact(journal: Path) -> Facts:
    folder = _trade_log_of(journal)
    if not folder.exists():
        raise PerpscoutError(f"There is no trade log at {folder}: make it with --rebuild.")
    with _alone_in(journal.parent):
        log = TradeLog(folder)
        before = _size_of(folder)
        log.compact()
        after = _size_of(folder)
    return {
        "trade_log": str(folder),
        "parts_before": before[0],
        "parts_after": after[0],
        "bytes_before": before[1],
        "bytes_after": after[1],
        "damaged": [
            f"{part.relative_to(folder)} lies aside: the next start, or --rebuild, brings its rows back"
            for part in parts_set_aside(folder)
        ],
    }


def _verify(journal: Path) -> Facts:
    """Read everything; a trader may go on writing meanwhile."""
    seen, trouble = ask_witness(journal)
    with JournalReader(journal) as reader:
        events, altered = reader.last().seq, audit(reader, seen)
        untold = [trouble] if trouble and events else []
        facts = {"events": events, "damaged": [*untold, *altered]}
        return facts if altered else {**facts, **_proved(reader, journal.parent / "candles")}


def _proved(reader: JournalReader, candles: Path) -> Facts:
    """Compare what the decisions saw with the archive beside the journal, where there is one."""
    if not candles.is_dir():
        return {}
    proof = prove(reader, CandleArchive(candles))
    return {**asdict(proof), "differing": list(proof.differing)}


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep a trader out, or be kept out by one: it writes the trade log too."""
    try:
        lock = RunLock(folder)
    except JournalError as refusal:
        raise PerpscoutError(f"{refusal} A running trader keeps its trade log up by itself.") from refusal
    with lock:
        yield


def _trade_log_of(journal: Path) -> Path:
    return journal.parent / "trades"


def _size_of(folder: Path) -> tuple[int, int]:
    parts = [part for part in parts_in(folder) if part.parent != folder]
    return len(parts), sum(part.stat().st_size for part in parts)


def _worded(value: object) -> str:
    if isinstance(value, list):
        more = f" and {len(value) - _NAMED} more" if len(value) > _NAMED else ""
        return "; ".join(value[:_NAMED]) + more or "nothing"
    return f"{value:,}" if isinstance(value, int) else str(value)


_WORK: Mapping[Upkeep, Callable[[Path], Facts]] = {
    Upkeep.REBUILD: _rebuild,
    Upkeep.COMPACT: _compact,
    Upkeep.VERIFY: _verify,
}
