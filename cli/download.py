"""A download of candles as people and scripts see it."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from rich.console import Console

from cli.summary import show
from cli.watch import print_result
from services.candle_download import DownloadProgress

_STEPS = 20  # lines that a pipe gets


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadResult:
    """The stable object of ``download-data --json``; times are ms, ``out`` is for ``replay --data``.

    ``first`` is when the oldest candle opened: later than ``start`` where the exchange gives none before.
    """

    symbols: int
    fetched: int
    candles: int
    failed: dict[str, str]
    start: int
    end: int
    first: int | None
    seconds: float
    rate_limited: int
    out: str


class DownloadLine:
    """Says on stderr how far it is: one line that is written over, or a few in a pipe."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._told = 0

    def progressed(self, progress: DownloadProgress) -> None:
        line = (
            f"{progress.done / progress.total:.0%}, {progress.candles:,} candles,"
            f" about {_duration(progress.seconds_left)} left"
        )
        step = progress.done * _STEPS // progress.total
        if self._console.is_terminal:
            self._console.print(line.ljust(78), end="\r", highlight=False)
        elif step > self._told:
            self.say(line)
        self._told = step

    def say(self, line: str) -> None:
        self._console.print(line.ljust(78), highlight=False, markup=False, soft_wrap=True)


def finish_download(result: DownloadResult, *, json_wanted: bool) -> int:
    """Show what was downloaded; 1 when symbols were refused."""
    rows: dict[str, object] = {
        "candles": f"{result.candles:,} of {result.symbols} symbols, {result.fetched:,} of them fetched now",
        "from": _moment(result.start),
        "to": _moment(result.end),
        **_shortfall(result),
        "took": f"{result.seconds:.1f} s",
        "for --data": result.out,
    }
    for symbol, reason in sorted(result.failed.items()):
        rows[f"without {symbol}"] = reason
    show("downloaded candles", rows, stdout=not json_wanted)
    if json_wanted:
        print_result(json.dumps(asdict(result)))
    return 1 if result.failed else 0


def _shortfall(result: DownloadResult) -> dict[str, object]:
    """Say from when on there are candles, where that is later than was asked for."""
    if result.first == result.start:
        return {}
    given = (
        "gives none of that time" if result.first is None else f"gives none before {_moment(result.first)}"
    )
    return {"but": f"the exchange {given}"}


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
