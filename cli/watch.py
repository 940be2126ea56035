"""Shows a running trader: a live view on a terminal, plain lines anywhere else."""

import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from cli.screen import Screen, is_worth_a_line
from cli.wording import clock_time, money, notice_line
from core.clock import Clock
from core.notices import Notice
from core.views import TraderView

REFRESH_SECONDS = 0.25
LINE_EVERY_MINUTES = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What is watched: a picture on request, and how many minutes are done at which speed."""

    view: Callable[[], TraderView]
    done: Callable[[], int]
    speed: float


class Watch:
    """A ``core.ports.Notifier`` for the terminal, and the task that redraws it."""

    def __init__(self, title: str, *, minutes: int | None, clock: Clock) -> None:
        self._console = Console(stderr=True)
        self._screen = Screen(title, minutes=minutes)
        self._clock = clock
        self._told_at = 0

    def notify(self, notice: Notice) -> None:
        """Show what happened; on a terminal it appears with the next redraw.

        What is heard late, as after an outage, bears the time at which it is told: no line is older than the
        one before.
        """
        self._told_at = max(self._told_at, notice.at)
        if self._console.is_terminal:
            self._screen.notify(notice, at=self._told_at)
        elif is_worth_a_line(notice):
            self.say(f"{clock_time(self._told_at)}  {notice_line(notice)}")

    def say(self, line: str) -> None:
        """Print one line to stderr; stdout belongs to results. Whoever closed stderr wants no lines."""
        with suppress(OSError, SystemExit):  # rich leaves the program on a broken pipe
            self._console.print(line, highlight=False, markup=False, soft_wrap=True)

    async def run(self, run: Run) -> None:
        """Show the trader until cancelled."""
        if not self._console.is_terminal:
            await self._report(run)
        with Live(console=self._console, auto_refresh=False, transient=True) as live:
            while True:
                width = self._console.width
                picture = self._screen.render(run.view(), done=run.done(), speed=run.speed, width=width)
                live.update(above_typing(picture), refresh=True)
                await self._clock.sleep(REFRESH_SECONDS)

    async def _report(self, run: Run) -> None:
        """Say when each quarter of the history is there, then sum up now and then."""
        told, due = 0, 1
        while True:
            view = run.view()
            quarter = view.loaded * 4 // max(view.universe, 1)
            if quarter > told:
                told = quarter
                self.say(f"history of {view.loaded} of {view.universe} symbols")
            if view.scan and run.done() >= due:
                due = run.done() + LINE_EVERY_MINUTES
                self.say(f"{clock_time(view.at)}  {_progress(view, run.done())}")
            await self._clock.sleep(REFRESH_SECONDS)


def above_typing(picture: RenderableType) -> Group:
    """Put a line of its own below, for what the terminal echoes of keys, such as ``^C``.

    Behind a full last line the echo would wrap, and the top of the picture would never be wiped away.
    """
    return Group(picture, Text())


def _progress(view: TraderView, done: int) -> str:
    equity = f"equity {money(view.balance.equity)} USDT" if view.balance else "account not read yet"
    if view.scan is None:
        return equity
    scanned = f"{view.scan.symbols} symbols scanned in {view.scan.elapsed_ms:.1f} ms"
    held = f"open {len(view.real)} real and {len(view.virtual)} virtual"
    return f"minute {done}: {scanned}, {len(view.scan.ranked)} signals, {held}, {equity}"


def print_result(line: str) -> None:
    """Print a result to stdout."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
