"""What a run ends with: a table for people, one JSON object for scripts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal

from rich.table import Table
from rich.text import Text

from cli.consoles import result_console
from cli.watch import print_result
from core.positions import Position
from core.views import resting_stop


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
    still_open: int
    without_stop: tuple[str, ...]
    refused: int
    unfilled: int
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
        table.add_row(name, value if isinstance(value, Text) else str(value))
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


def still_open(held: Sequence[Position]) -> str:
    """Say how many of the real positions at the end of a run have their stop."""
    safe = len(held) - len(without_stop(held))
    return f"{len(held)} still open, {safe} with a resting stop" if held else "0 still open"


def without_stop(held: Sequence[Position]) -> tuple[Position, ...]:
    """Return those for which no stop is known to rest, among them entries of which nobody knows the end."""
    return tuple(each for each in held if resting_stop(each) is None)


def bare_row(held: Sequence[Position]) -> Mapping[str, Text]:
    """Name loudly what is left behind without a stop; nothing where all have theirs."""
    bare = (f"{each.symbol} {each.side.name} ({each.stage.value})" for each in without_stop(held))
    if not (names := ", ".join(bare)):
        return {}
    advice = "look at the exchange, or start again at once: what has no stop is seen to first"
    return {"WITHOUT A STOP": Text(f"{names}: {advice}", style="bold red")}


def pnl(amount: Decimal | float) -> str:
    return f"{amount:+,.2f} USDT"
