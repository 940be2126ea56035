"""What the journal knows of trades, for people: what is open, what was closed, and what it adds up to."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path

from rich.table import Table

from cli.consoles import result_console
from cli.options import TradesOptions
from cli.upkeep import keep_up
from cli.watch import print_result
from cli.wording import clock_time, duration, money, net_r, price, signed
from core.errors import PerpscoutError
from core.parameters import OutcomeParameters
from core.performance import evidence, performance_of, twin_gap
from core.positions import Position, Source
from core.trades import TradeRecord
from core.views import Performance, TwinGap
from data.journal_reader import JournalReader

REMEMBERED = 10_000
"""Trades of a book that are summed up."""


def newest_journal(home: Path) -> Path:
    """Return the journal written last below ``home``; a ``PerpscoutError`` says where there is none."""
    found = sorted(home.glob("**/journal.db"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise PerpscoutError(f"There is no journal below {home}: run `demo`, or name one with --journal.")
    return found[-1]


def show_trades(options: TradesOptions, home: Path) -> int:
    """Print what the journal holds, or do to the records what is asked for; returns the exit code."""
    journal = options.journal or newest_journal(home)
    if options.upkeep is not None:
        return keep_up(options.upkeep, journal, as_json=options.as_json)
    damaged: list[str] = []
    with JournalReader(journal) as reader:
        known = reader.live_positions(damaged.append, lost=damaged.append)
        live = [each for each in known if _is_wanted(each.plan.source, options)]
        closed = _newest(reader, options, damaged)
        sums = {source: _sum_of(closed, source) for source in Source if _is_wanted(source, options)}
        gap = twin_gap(*([each for each in closed if each.source is s] for s in (Source.REAL, Source.TWIN)))
        shown = closed[-options.last :]
        if options.as_json:
            facts = _as_json(reader.path, live, shown, sums=sums, gap=gap)
            print_result(json.dumps({**facts, "damaged": damaged}))
        else:
            _print(reader.path, live, shown, sums=sums, gap=gap)
            for each in damaged:
                result_console().print(f"damaged: {each}", highlight=False, markup=False)
    return 1 if damaged else 0


def _newest(reader: JournalReader, options: TradesOptions, damaged: list[str]) -> Sequence[TradeRecord]:
    """Return what closed last in each book, in the order of closing; what can not be read is ``damaged``."""
    wanted = [source for source in Source if _is_wanted(source, options)]
    trades = [
        trade for source in wanted for trade in reader.newest_trades(source, REMEMBERED, damaged.append)
    ]
    return sorted(trades, key=lambda each: each.position.closed_at or 0)


def _is_wanted(source: Source, options: TradesOptions) -> bool:
    """Shadows, which nobody opened, are shown to whoever asks for them by name."""
    return source is not Source.SHADOW if options.source is None else source is options.source


def _sum_of(closed: Sequence[TradeRecord], source: Source) -> Performance:
    return performance_of([each for each in closed if each.source is source], OutcomeParameters())


# --- for people -------------------------------------------------------------------------------------


def _print(
    path: Path,
    live: Sequence[Position],
    closed: Sequence[TradeRecord],
    *,
    sums: Mapping[Source, Performance],
    gap: TwinGap,
) -> None:
    console = result_console()
    console.print(f"journal {path}", highlight=False)
    if live:
        rows = (_live_row(each) for each in live)
        console.print(_table("open", ("since", "book", "side", "symbol", "quantity", "entry", "stage"), rows))
    if closed:
        names = ("closed", "book", "side", "symbol", "entry", "exit", "net R", "USDT", "reason", "held")
        console.print(_table("closed", names, (_closed_row(each.position) for each in closed)))
    for line in _sums(sums, gap):
        console.print(line, highlight=False)


def _table(title: str, names: Sequence[str], rows: Iterator[Sequence[str]]) -> Table:
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for name in names:
        table.add_column(name)
    for row in rows:
        table.add_row(*row)
    return table


def _live_row(each: Position) -> Sequence[str]:
    return (
        clock_time(each.opened_at or each.plan.planned_at),
        each.plan.source.value,
        each.side.name.lower(),
        each.symbol,
        price(each.quantity),
        price(each.entry_price),
        each.stage.value,
    )


def _closed_row(each: Position) -> Sequence[str]:
    closed_at, opened_at = each.closed_at or 0, each.opened_at or 0
    return (
        clock_time(closed_at),
        each.plan.source.value,
        each.side.name.lower(),
        each.symbol,
        price(float(each.entry_price)),
        price(float(each.exit_price)) if each.exit_price is not None else "",
        signed(net_r(each)),
        signed(each.net_pnl),
        (each.exit_reason.value if each.exit_reason else "").replace("_", " "),
        duration(closed_at - opened_at),
    )


def _sums(sums: Mapping[Source, Performance], gap: TwinGap) -> Iterator[str]:
    """Say what it adds up to, and no more than the numbers allow."""
    for source, each in sums.items():
        if not each.closed:
            continue
        bounds = ""
        if each.net_r_low is not None and each.net_r_high is not None:
            bounds = f", 95 % between {signed(each.net_r_low)} and {signed(each.net_r_high)}"
        yield (
            f"{source}: {each.closed} closed, {each.wins} won, {each.losses} lost, {each.scratches} even,"
            f" {money(each.net_pnl)} USDT net, {signed(each.mean_net_r or 0.0)} R on average{bounds}:"
            f" {evidence(each).value.replace('_', ' ')}"
        )
    if gap.pairs and gap.mean_r is not None:
        yield f"real against paper: {signed(gap.mean_r)} R on average over {gap.pairs} pairs"


# --- for scripts ------------------------------------------------------------------------------------


def _as_json(
    path: Path,
    live: Sequence[Position],
    closed: Sequence[TradeRecord],
    *,
    sums: Mapping[Source, Performance],
    gap: TwinGap,
) -> Mapping[str, object]:
    return {
        "journal": str(path),
        "open": [_facts(each) for each in live],
        "closed": [_facts(each.position) for each in closed],
        "performance": {
            source.value: {name: _plain(value) for name, value in asdict(each).items()}
            for source, each in sums.items()
        },
        "twin_gap": asdict(gap),
    }


def _facts(each: Position) -> Mapping[str, object]:
    return {
        "position_id": each.position_id,
        "source": each.plan.source.value,
        "symbol": each.symbol,
        "side": each.side.name.lower(),
        "stage": each.stage.value,
        "opened_at": each.opened_at,
        "closed_at": each.closed_at,
        "quantity": exact(each.entered),
        "entry_price": exact(each.entry_price),
        "exit_price": None if each.exit_price is None else exact(each.exit_price),
        "net_pnl": exact(each.net_pnl),
        "net_r": net_r(each),
        "exit_reason": each.exit_reason.value if each.exit_reason else None,
    }


def exact(value: Decimal) -> str:
    """Print to the 8 places in which the exchange keeps its books: an average has any number."""
    text = f"{value:.8f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _plain(value: object) -> object:
    return exact(value) if isinstance(value, Decimal) else value
