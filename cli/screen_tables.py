"""The tables of the live view: what ranked, and what is held. On a narrow terminal they say less, whole."""

from collections.abc import Collection, Mapping, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cli.wording import bar, clock_time, duration, price, signed
from core.positions import Position
from core.signals import RankedSignal, Side
from core.views import PositionView, TraderView, resting_stop

WIDE = 100
"""Columns of a terminal from which on everything has a place."""

_Cells = Mapping[str, RenderableType]
_LEFT = frozenset({"at", "book", "symbol", "side", "confidence"})
_WHOLE = frozenset({"symbol", "side"})


def signals_table(signals: Sequence[RankedSignal], *, width: int) -> RenderableType:
    """Return the latest ranked signals, the newest first."""
    if not signals:
        return Text("no ranked signal yet", style="dim")
    is_wide = width >= WIDE
    rows = [_signal_cells(each, is_wide=is_wide) for each in signals]
    return _table("latest ranked signals", rows, without=() if is_wide else ("ROI",))


def positions_table(view: TraderView, *, rows: int, width: int) -> RenderableType:
    """Return the first ``rows`` open positions, real ones before virtual ones."""
    held = (*view.real, *view.virtual)
    if not held:
        return Text("no open positions", style="dim")
    is_wide = width >= WIDE
    cells = [_position_cells(each, view.at, is_wide=is_wide) for each in held[:rows]]
    return _table("positions", cells, without=() if is_wide else ("lev", "ROI"))


def side_mark(side: Side) -> Text:
    """Return a side as an arrow and a word, in its colour."""
    return Text("▲ LONG", style="green") if side is Side.LONG else Text("▼ SHORT", style="red")


def _table(title: str, rows: Sequence[_Cells], *, without: Collection[str]) -> Table:
    table = Table(title=title, title_justify="left", expand=True, box=None, padding=(0, 1, 0, 0))
    names = [name for name in rows[0] if name not in without]
    for name in names:
        table.add_column(name, justify="left" if name in _LEFT else "right", no_wrap=name in _WHOLE)
    for row in rows:
        table.add_row(*(row[name] for name in names))
    return table


def _signal_cells(signal: RankedSignal, *, is_wide: bool) -> _Cells:
    candidate, at = signal.candidate, clock_time(signal.candidate.at)
    strength = bar(candidate.confidence / 100, width=10 if is_wide else 6)
    return {
        "at": at if is_wide else at.partition(" ")[2],
        "#": str(signal.rank),
        "symbol": candidate.symbol,
        "side": side_mark(candidate.side),
        "confidence": Text.assemble((strength, "cyan"), f" {candidate.confidence:.0f}"),
        "net R": signed(signal.expected_net_r),
        "ROI": f"{signal.expected_roi:+.2%}",
        "lev": f"×{signal.leverage}",
        "stop": price(candidate.stop),
        "target": price(candidate.target),
    }


def _position_cells(view: PositionView, now_ms: int, *, is_wide: bool) -> _Cells:
    position, opened = view.position, view.position.opened_at
    entry, side = position.entry_price, side_mark(position.side)
    target = position.target.trigger_price if position.target else None
    colour = "green" if view.unrealised_pnl >= 0 else "red"
    return {
        "book": position.plan.source.value,
        "symbol": position.symbol,
        "side": side if is_wide else side[:1],
        "lev": f"×{position.plan.leverage}",
        "entry": price(entry if is_wide else float(entry)),
        "mark": price(view.mark),
        "stop": _stop_cell(position),
        "target": price(target) if target else "-",
        "PnL": Text(signed(view.unrealised_pnl), style=colour),
        "ROI": Text(f"{view.roi:+.1%}", style=colour),
        "age": duration(now_ms - opened) if opened else position.stage.value,
    }


def _stop_cell(position: Position) -> RenderableType:
    """Show the stop that rests; what is held without one must not look as if it had one."""
    stop = resting_stop(position)
    if stop is not None:
        return price(stop)
    return Text("NONE", style="bold red") if position.quantity else "-"
