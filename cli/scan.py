"""One scan of the market from loading to the table, with a symbol explained where asked for."""

import asyncio
import difflib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from cli.consoles import result_console
from cli.options import ScanOptions
from cli.scan_json import scan_as_json
from cli.scan_table import explanation_table, scan_table
from cli.watch import print_result
from core.clock import Clock
from core.errors import PerpscoutError
from services.bootstrap import BootstrapProgress
from services.chronicle import Chronicle
from services.scanner import Scan, Scanner
from services.session import MinuteSource
from strategies.ict_smc.explanation import Explanation

Explained = tuple[Explanation, Explanation]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRig:
    """Everything one scan is made of; ``minutes`` feeds the scanner until the market has
    ``ended``, ``began`` is in monotonic seconds."""

    scanner: Scanner
    minutes: MinuteSource
    ended: Callable[[], Coroutine[Any, Any, None]]
    draw: Callable[[Chronicle, Explained], bytes]
    folder: Path
    clock: Clock
    began: float


class LoadingLine:
    """Says on stderr how far the histories are: one line that is written over, or a few in a pipe."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._told = 0

    def progressed(self, progress: BootstrapProgress) -> None:
        settled = progress.done + progress.failed
        line = f"history of {settled} of {progress.total} symbols, about {progress.seconds_left:.0f} s left"
        quarter = settled * 4 // progress.total
        is_due = quarter > self._told
        self._told = quarter
        if settled == progress.total:
            line = f"history of {progress.done} symbols is here; waiting for one whole minute"
        if self._console.is_terminal:
            self._console.print(line.ljust(78), end="\r", highlight=False)
        elif is_due:
            self.say(line)

    def say(self, line: str) -> None:
        self._console.print(line.ljust(78), highlight=False, markup=False, soft_wrap=True)


def check_explained(symbol: str | None, known: tuple[str, ...]) -> None:
    """Refuse, before the long wait, a symbol that will not be scanned."""
    if symbol is None or symbol in known:
        return
    near = difflib.get_close_matches(symbol, known, n=1)
    hint = f"; the nearest is {near[0]}" if near else ""
    raise PerpscoutError(f"{symbol} is not among the {len(known)} symbols scanned{hint}.")


async def finish_scan(rig: ScanRig, options: ScanOptions) -> int:
    """Load, judge and show; returns the exit code."""
    await _unless(rig.ended(), rig.scanner.run(rig.minutes))
    scan = rig.scanner.scan(near=options.top)
    explained = rig.scanner.explained(options.explain) if options.explain else None
    chart = _drawn(rig, options.explain, explained) if options.explain and explained else None
    seconds = rig.clock.monotonic() - rig.began
    _show(scan, explained, chart, options=options, seconds=seconds)
    if options.as_json:
        print_result(scan_as_json(scan, explained, chart, top=options.top, seconds=seconds))
    return 0


async def _unless(ended: Coroutine[Any, Any, None], work: Coroutine[Any, Any, None]) -> None:
    """Do the work, unless the market ends before it is done."""
    tasks = [asyncio.ensure_future(each) for each in (work, ended)]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if not tasks[0].done():
            tasks[1].result()
            raise PerpscoutError(
                "The recorded candles ended before a minute could be scanned: begin earlier."
            )
        tasks[0].result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _drawn(rig: ScanRig, symbol: str, explained: Explained) -> Path:
    path = rig.folder / f"{symbol}_structure.png"
    path.write_bytes(rig.draw(rig.scanner.chronicle(symbol), explained))
    return path


def _show(
    scan: Scan, explained: Explained | None, chart: Path | None, *, options: ScanOptions, seconds: float
) -> None:
    """Print for people; to stderr where stdout belongs to JSON."""
    console = result_console(stderr=options.as_json)
    console.print(scan_table(scan, top=options.top, seconds=seconds), highlight=False)
    for side in explained or ():
        console.print(explanation_table(side), highlight=False)
    if chart is not None:
        console.print(f"chart  {chart}", highlight=False, soft_wrap=True, markup=False)
