"""What a run ends with: a table for people, one JSON object for scripts."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal

from rich.table import Table

from cli.consoles import result_console
from cli.watch import print_result


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoResult:
    """The stable object of ``demo --json``; see docs/commands.md for the meaning of each field."""

    minutes: int
    symbols: int
    scans: int
    signals: int
    opened: int
    closed: int
    virtual_opened: int
    virtual_closed: int
    refused: int
    shadow_opened: int
    shadow_closed: int
    twin_pairs: int
    twin_gap_r: float | None
    unprotected_seconds_max: float
    net_pnl: float
    fees: float
    funding: float
    virtual_net_pnl: float
    virtual_fees: float
    virtual_funding: float
    equity: float | None
    scan_ms_p50: float | None
    scan_ms_p99: float | None
    first_scan_seconds: float | None
    effective_speed: float | None
    rss_mb: float | None
    decisions_sha256: str
    trade_log: str
    journal: str
    pictures: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayResult:
    """The stable object of ``replay --json``."""

    candles: int
    seconds: float
    candles_per_second: float
    signals: int
    trades: int
    virtual_trades: int
    shadow_trades: int
    net_r: float
    net_r_se: float | None
    net_pnl: float
    decisions_sha256: str
    trade_log: str
    journal: str


def as_json(result: DemoResult | ReplayResult) -> str:
    """Return one line of JSON."""
    return json.dumps(asdict(result))


def show(title: str, rows: Mapping[str, object], *, stdout: bool) -> None:
    """Print a two-column table, to stdout or, where that belongs to JSON, to stderr."""
    table = Table(title=title, title_justify="left", show_header=False, box=None, padding=(0, 2, 0, 0))
    for name, value in rows.items():
        table.add_row(name, str(value))
    result_console(stderr=not stdout).print(table, highlight=False)


def finish(
    result: DemoResult | ReplayResult, title: str, rows: Mapping[str, object], *, json_wanted: bool
) -> None:
    """Show a result in the way asked for; JSON is the last line of stdout."""
    show(title, rows, stdout=not json_wanted)
    if json_wanted:
        print_result(as_json(result))


def show_simulator(told: Mapping[str, object], *, json_wanted: bool) -> None:
    """Say where a simulator listens: one JSON object, or a table and a hint."""
    if json_wanted:
        print_result(json.dumps(told))
        return
    show("simulated exchange, Ctrl-C ends it", told, stdout=True)


def pnl(amount: Decimal | float) -> str:
    return f"{amount:+,.2f} USDT"
