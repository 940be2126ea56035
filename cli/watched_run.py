"""One run of the trader, watched from the terminal and summed up at its end."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cli.footprint import peak_rss_mb
from cli.interrupts import end_on_interrupt
from cli.summary import DemoResult, bare_row, finish, pnl, still_open, without_stop
from cli.watch import Run, Watch
from core.clock import Clock
from services.highlights import Highlight, Highlights
from services.operator import Operator
from services.session import Session
from services.tally import BookTally, Tally
from services.trader import Trader


class Pace(Protocol):
    """How the market's time goes."""

    async def hurry(self) -> None:
        """Go as fast as was asked for: the trader has its history."""
        ...

    async def effective_speed(self) -> float | None:
        """Return market seconds a machine second, ``None`` where nobody knows."""
        ...

    async def ended(self) -> None:
        """Return when there will be no more minutes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What was asked for: market ``minutes``, ``None`` for a run without an end, at ``speed``."""

    title: str
    minutes: int | None
    speed: float
    as_json: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """Everything a watched run is made of; ``beside`` runs along with the trader.

    The market hurries once ``is_loaded`` says that all history is there.
    """

    trader: Trader
    session: Session
    operator: Operator
    highlights: Highlights
    pace: Pace
    watch: Watch
    clock: Clock
    draw: Callable[[Highlight], bytes]
    is_loaded: Callable[[], bool]
    beside: tuple[Awaitable[None], ...] = ()


class WatchedRun:
    """Runs a rig for so many market minutes, counted from its first scan, or until interrupted."""

    def __init__(self, rig: Rig, goal: Goal, folder: Path, *, began: float) -> None:
        """``folder`` is where the run writes; ``began`` is when the program started, in monotonic seconds."""
        self._rig = rig
        self._goal = goal
        self._folder = folder
        self._began = began
        self._first_scan: float | None = None
        self._speed: float | None = None

    async def run(self) -> int:
        """Return the exit code. Ctrl-C and SIGTERM end the run, not the summary."""
        if (task := asyncio.current_task()) is not None:
            end_on_interrupt(task)
        tally = self._rig.trader.tally
        watched = Run(view=self._rig.trader.view, done=lambda: tally.scans, speed=self._goal.speed)
        try:
            await self._rig.session.run(
                self._is_done,
                self._rig.watch.run(watched),
                self._accompany(),
                *self._rig.beside,
                ended=self._rig.pace.ended(),
            )
        except asyncio.CancelledError:
            self._acknowledge()
        pictures = self._pictures()
        finish(
            self._result(pictures),
            self._goal.title,
            self._rows(pictures),
            json_wanted=self._goal.as_json,
        )
        return 0

    def _acknowledge(self) -> None:
        """Take an interrupt as the wish for an early end."""
        task = asyncio.current_task()
        if task is not None:
            task.uncancel()
        self._rig.watch.say("Interrupted: ending the run.")

    def _is_done(self) -> bool:
        scans = self._rig.trader.tally.scans
        if scans and self._first_scan is None:
            self._first_scan = self._rig.clock.monotonic() - self._began
        return self._goal.minutes is not None and scans >= self._goal.minutes

    async def _accompany(self) -> None:
        """Let the market hurry once the trader can keep up; then remember how fast it goes."""
        while not self._rig.is_loaded():
            await self._rig.clock.sleep(0.1)
        await self._rig.pace.hurry()
        while True:
            await self._rig.clock.sleep(2.0)
            self._speed = await self._rig.pace.effective_speed() or self._speed

    def _pictures(self) -> tuple[str, ...]:
        shown = {"best": self._rig.highlights.best, "worst": self._rig.highlights.worst}
        paths = []
        for name, highlight in shown.items():
            if highlight is not None:
                path = self._folder / f"{name}_trade.png"
                path.write_bytes(self._rig.draw(highlight))
                paths.append(str(path))
        return tuple(paths)

    def _result(self, pictures: tuple[str, ...]) -> DemoResult:
        trader = self._rig.trader
        tally, view = trader.tally, trader.view()
        held = [each.position for each in view.real]
        return DemoResult(
            minutes=tally.scans,
            symbols=view.universe,
            scans=tally.scans,
            signals=tally.signals,
            opened=tally.real.opened,
            closed=tally.real.closed,
            virtual_opened=tally.virtual.opened,
            virtual_closed=tally.virtual.closed,
            still_open=len(held),
            without_stop=tuple(each.symbol for each in without_stop(held)),
            refused=tally.refused,
            unfilled=tally.unfilled,
            shadow_opened=tally.shadow.opened,
            shadow_closed=tally.shadow.closed,
            twin_pairs=view.twin_gap.pairs,
            twin_gap_r=view.twin_gap.mean_r,
            unprotected_seconds_max=round(trader.unprotected_seconds_max(), 6),
            net_pnl=float(tally.real.net_pnl),
            fees=float(tally.real.fees),
            funding=float(tally.real.funding),
            virtual_net_pnl=float(tally.virtual.net_pnl),
            virtual_fees=float(tally.virtual.fees),
            virtual_funding=float(tally.virtual.funding),
            equity=float(view.balance.equity) if view.balance else None,
            scan_ms_p50=tally.scan_ms(50),
            scan_ms_p99=tally.scan_ms(99),
            first_scan_seconds=self._first_scan,
            effective_speed=self._speed,
            rss_mb=peak_rss_mb(),
            decisions_sha256=trader.digest.hexdigest(),
            trade_log=str(self._folder / "trades"),
            journal=str(self._folder / "journal.db"),
            pictures=pictures,
        )

    def _rows(self, pictures: tuple[str, ...]) -> dict[str, object]:
        view, tally = self._rig.trader.view(), self._rig.trader.tally
        held = [each.position for each in view.real]
        scanned = f"{tally.scans} minutes × {view.universe} symbols"
        if (median := tally.scan_ms(50)) is not None:
            scanned += f", {median:.2f} ms a scan from close to ranked list (median)"
        rows: dict[str, object] = {
            "scanned": scanned,
            "signals": _became(tally),
            "real": f"{_brought(tally.real)}, {still_open(held)}",
            **bare_row(held),
            "virtual": f"{_brought(tally.virtual)}, {len(view.virtual)} still open",
            "shadows": f"{tally.shadow.opened} of the refused followed, {tally.shadow.closed} ended",
            "longest unprotected": f"{self._rig.trader.unprotected_seconds_max():.3f} s",
        }
        if view.twin_gap.mean_r is not None:
            gap = view.twin_gap
            rows["real against paper"] = f"{gap.mean_r:+.3f} R on average over {gap.pairs} pairs"
        if view.balance:
            rows["equity"] = f"{view.balance.equity:,.2f} USDT"
        rows |= {"pictures": ", ".join(pictures)} if pictures else {}
        return rows | {"trade log": self._folder / "trades", "journal": self._folder / "journal.db"}


def _became(tally: Tally) -> str:
    told = f"{tally.signals} above the threshold, {tally.refused} refused"
    return f"{told}, {tally.unfilled} without a fill" if tally.unfilled else told


def _brought(book: BookTally) -> str:
    return f"{book.opened} opened, {book.closed} closed for {pnl(book.net_pnl)} net"
