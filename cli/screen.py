"""The live view of a running trader: what it scans, ranks, holds and has just done."""

from collections import deque

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from cli.reasons import refusal_text
from cli.screen_tables import WIDE, positions_table, signals_table
from cli.wording import clock_time, money, notice_line, signed
from core.notices import Notice, SignalRefused
from core.signals import RankedSignal
from core.views import ScanView, TraderView

SHOWN_REFUSALS = 3
_SPARKS = "▁▂▃▄▅▆▇█"


class Screen:
    """Renders snapshots; keeps only what a snapshot does not hold: last events and the equity's path."""

    def __init__(self, title: str, *, minutes: int | None = None, rows: int = 8) -> None:
        self._title = title
        self._minutes = minutes
        self._rows = rows
        self._events: deque[str] = deque(maxlen=rows)
        self._equity: deque[float] = deque(maxlen=40)
        self._signals: deque[RankedSignal] = deque(maxlen=rows)
        self._scanned_at = 0
        self._refused: deque[str] = deque(maxlen=SHOWN_REFUSALS)
        self._refusals = 0

    def notify(self, notice: Notice, *, at: int) -> None:
        """Remember an event told ``at`` (ms); refusals have a place where they push nothing else away."""
        line = f"{clock_time(at)}  {notice_line(notice)}"
        if isinstance(notice, SignalRefused):
            self._refusals += 1
            self._refused.append(line)
        else:
            self._events.append(line)

    def render(
        self, view: TraderView, *, done: int, speed: float | None = None, width: int = WIDE
    ) -> RenderableType:
        """Return the whole view for a terminal ``width`` columns wide.

        ``done`` of the minutes have passed at ``speed``, the effective one.
        """
        if view.balance:
            self._equity.append(float(view.balance.equity))
        self._collect(view.scan)
        return Group(
            self._header(view, done, speed),
            signals_table(self._signals, width=width),
            *self._refused_lines(),
            positions_table(view, rows=self._rows + 5, width=width),
            Panel(Text("\n".join(self._events) or "nothing yet"), title="last events", border_style="dim"),
        )

    def _collect(self, scan: ScanView | None) -> None:
        """Keep the latest ranked signals: most minutes have none, and an empty table says little."""
        if scan is not None and scan.at > self._scanned_at:
            self._scanned_at = scan.at
            self._signals.extendleft(reversed(scan.ranked))

    def _refused_lines(self) -> tuple[Text, ...]:
        if not self._refused:
            return ()
        lines = Text("\n".join(self._refused), style="yellow")
        return Text(f"signals refused: {self._refusals}, the last ones", style="italic"), lines

    def _header(self, view: TraderView, done: int, speed: float | None) -> Panel:
        lines: list[RenderableType] = [self._status(view, speed)]
        if view.loaded < view.universe:
            lines.append(_progress("history", view.loaded, view.universe))
        if self._minutes:
            lines.append(_progress("minutes", min(done, self._minutes), self._minutes))
        lines.append(self._account(view))
        return Panel(Group(*lines), title=f"perpscout · {self._title}", border_style="cyan")

    def _status(self, view: TraderView, speed: float | None) -> Text:
        text = Text(f"{view.mode.upper()}  {clock_time(view.at)} UTC")
        if speed is not None:
            text.append(f"  ×{speed:.0f}")
        if view.scan:
            text.append(f"  scanned {view.scan.symbols} symbols in {view.scan.elapsed_ms:.1f} ms")
            text.append(f", {view.scan.ready} ready, {view.scan.candidates} candidates")
        if view.halted:
            ends = f", until {clock_time(view.halted_until)}" if view.halted_until else ""
            text.append(f"  HALTED: {refusal_text(view.halted)}{ends}", style="bold red")
        elif view.barred:
            reason, ends = refusal_text(view.barred.reason), clock_time(view.barred.until)
            text.append(f"  NO REAL ENTRIES: {reason}, until {ends}", style="bold yellow")
        if view.is_cut_off:
            since = f" since {clock_time(view.heard_at)} UTC" if view.heard_at else ""
            text.append(f"  THE EXCHANGE DOES NOT ANSWER{since}", style="bold red")
        return text

    def _account(self, view: TraderView) -> Text:
        if not view.balance:
            return Text("account not read yet", style="dim")
        closed = view.performance.closed + view.virtual_performance.closed
        text = Text(f"equity {money(view.balance.equity)} USDT  ", style="dim" if view.is_cut_off else "")
        if view.is_cut_off:
            text.append(f"(as of {clock_time(view.balance.at)})  ", style="red")
        text.append(sparkline(list(self._equity)), style="cyan")
        text.append(f"  today {signed(view.balance.day_pnl)}  drawdown {view.balance.drawdown:.2%}")
        text.append(f"  closed {closed} ({view.performance.closed} real)")
        return text


def _progress(label: str, done: int, total: int) -> Table:
    row = Table.grid(padding=(0, 1))
    row.add_row(f"{label:8}", ProgressBar(total=total, completed=done, width=40), f"{done}/{total}")
    return row


def sparkline(values: list[float]) -> str:
    """Draw a series with eight heights; a flat one is drawn low."""
    if len(values) < 2:
        return ""
    low, span = min(values), max(values) - min(values)
    return "".join(_SPARKS[int((value - low) / span * 7)] if span else _SPARKS[0] for value in values)


def is_worth_a_line(notice: Notice) -> bool:
    """Plain output keeps openings, ends and alerts; a refusal is in the journal."""
    return not isinstance(notice, SignalRefused)
