"""What a person asked for on the command line, checked."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from core.positions import Source
from core.settings import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketOptions:
    """A simulated market: ``symbols`` drawn from ``seed``, or what ``data`` recorded, from ``start`` (ms) on.

    ``speed`` is in market minutes a minute, 0 as fast as possible.
    """

    speed: float
    symbols: int
    seed: int
    data: Path | None
    start: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions(MarketOptions):
    """``minutes`` are market minutes."""

    minutes: int
    out: Path | None
    as_json: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanOptions(MarketOptions):
    """``mode`` ``None`` takes the one of the settings; ``top`` rows at most; ``explain`` names a symbol.

    ``speed`` makes the wait for history short.
    """

    mode: Mode | None
    top: int
    explain: str | None
    as_json: bool
    speed: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SimOptions(MarketOptions):
    """``port`` 0 lets the system choose; ``faults`` is the seed of the fault plan.

    ``with_parent`` ends the simulator when its standard input does.
    """

    host: str
    port: int
    faults: int | None
    with_parent: bool
    as_json: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOptions:
    """Replay of ``data`` from ``start`` to ``end`` (ms); ``symbols`` empty means all of the file."""

    data: Path
    start: int | None
    end: int | None
    symbols: tuple[str, ...]
    out: Path | None
    as_json: bool


class Upkeep(StrEnum):
    """What can be done to a run's records besides looking at them."""

    REBUILD = "rebuild"
    COMPACT = "compact"
    VERIFY = "verify"


@dataclass(frozen=True, slots=True, kw_only=True)
class TradesOptions:
    """``journal`` ``None`` is the one written last, ``source`` ``None`` every book."""

    journal: Path | None
    source: Source | None
    last: int
    as_json: bool
    upkeep: Upkeep | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadOptions:
    """1m candles from ``start`` to ``end`` (ms), ``None`` for the last day; no ``symbols`` means all.

    ``out`` that ends in .parquet is a file for ``--data``, anything else an archive's folder.
    """

    symbols: tuple[str, ...]
    start: int | None
    end: int | None
    out: Path | None
    as_json: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeOptions:
    """``mode`` ``None`` takes the one of the settings."""

    mode: Mode | None


def moment(text: str) -> int:
    """Read a time given as ISO 8601 (UTC unless it says otherwise) or as milliseconds.

    Raises ``ValueError`` for anything else.
    """
    if text.isdigit():
        return int(text)
    parsed = datetime.fromisoformat(text)
    aware = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    return int(aware.timestamp() * 1000)
