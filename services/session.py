"""A trader at work: feeds its one inbox from market, account, clock and people until told to stop."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Protocol

from core.clock import Clock
from core.errors import RestartNeeded
from core.market import MinuteClosed
from core.notices import Alert, Severity
from core.orders import StreamLost
from core.ports import Exchange
from services.awakening import Awakening
from services.bookkeeping import Bookkeeper
from services.heartbeats import Heartbeats
from services.notifiers import Notifiers
from services.reconciler import Reconciler
from services.trader import Tick, TraderEvent
from services.vital_signs import VitalSigns

log = logging.getLogger(__name__)

Running = asyncio.Future[None]

TICK_SECONDS = 0.25
GRACE_SECONDS = 5.0
SETTLING_SECONDS = 0.05
SILENT_SECONDS = 180.0
"""No duty needs longer from one step to the next; the reconciler reads every minute at the latest."""


class MinuteSource(Protocol):
    """Where closed minutes come from; see ``services.data_service``."""

    def start(self) -> None: ...

    async def close(self) -> None: ...

    def minutes(self) -> AsyncIterator[MinuteClosed]: ...


class Decider(Protocol):
    """Who decides; see ``services.trader``."""

    @property
    def is_unsettled(self) -> bool: ...

    @property
    def held(self) -> tuple[str, ...]: ...

    def restore(self) -> None: ...

    def stand_down(self) -> None: ...

    def process(self, event: TraderEvent) -> None: ...


class Drainable(Protocol):
    """What still carries out commands when a run ends; see ``services.execution``."""

    async def drain(self, grace: float) -> bool: ...


class Inbox:
    """The only way to the trader from outside its own task. Unbounded: order news is never dropped."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[TraderEvent] = asyncio.Queue()

    def post(self, event: TraderEvent) -> None:
        self._queue.put_nowait(event)

    async def take(self) -> TraderEvent:
        return await self._queue.get()


class Session:
    """Runs the trader's loop and everything that feeds it; the first fault among them ends all."""

    def __init__(  # noqa: PLR0913 - the composition root hands it every part by name
        self,
        trader: Decider,
        inbox: Inbox,
        *,
        minutes: MinuteSource,
        exchange: Exchange,
        bookkeeper: Bookkeeper,
        clock: Clock,
        mark: Callable[[str], Decimal | None] = lambda _: None,
        execution: Drainable | None = None,
        vital: VitalSigns | None = None,
    ) -> None:
        """``mark`` tells a symbol's mark price of this moment: without it nothing backs up the stops.

        Without ``vital`` nobody watches over the run, nor hears what goes wrong beside it.
        """
        self._trader = trader
        self._inbox = inbox
        self._minutes = minutes
        self._exchange = exchange
        self._bookkeeper = bookkeeper
        self._clock = clock
        self._mark = mark
        self._execution = execution
        self._vital = vital
        self._notifier = vital.notifier if vital else Notifiers(())
        self._duties = vital.duties if vital else Heartbeats(clock)
        self._companions = vital.companions if vital else Heartbeats(clock)
        self._reconciler = Reconciler(exchange, post=inbox.post, clock=clock)
        self._awakening = Awakening(clock, woken=self._woken, post=inbox.post, notifier=self._notifier)

    async def run(
        self, until: Callable[[], bool], *companions: Awaitable[None], ended: Awaitable[None] | None = None
    ) -> None:
        """Work until ``until`` is true after a minute, until ``ended`` returns, or until cancelled.

        A duty's fault ends the run. ``companions`` run along: whatever becomes of them, trading goes on.
        """
        self._trader.restore()
        self._minutes.start()
        deciding = self._start_deciding(until, ended)
        serving = self._start_serving()
        beside = self._start_beside(companions)
        try:
            await asyncio.wait([*deciding, *serving], return_when=asyncio.FIRST_COMPLETED)
            for task in (*deciding, *serving):
                if task.done():
                    task.result()
            await _cancel(deciding)
            await self._settle()
        except (asyncio.CancelledError, RestartNeeded):
            await _cancel(deciding)
            await self._settle()
            raise
        finally:
            await _cancel([*deciding, *serving, *beside])
            await self._minutes.close()

    def _start_deciding(self, until: Callable[[], bool], ended: Awaitable[None] | None) -> list[Running]:
        trading = self._duties.of("trader", self._trade(until), within=SILENT_SECONDS)
        deciding: list[Running] = [asyncio.ensure_future(each) for each in (trading, self._feed_minutes())]
        return [*deciding, asyncio.ensure_future(ended)] if ended is not None else deciding

    def _start_serving(self) -> list[Running]:
        duties = [
            self._feed_reports(),
            self._duties.of("reconciler", self._reconciler.run(), within=SILENT_SECONDS),
            self._duties.of("ticks", self._feed_ticks(), within=SILENT_SECONDS),
        ]
        if self._vital is not None:
            duties.append(self._vital.run())
        return [asyncio.create_task(duty) for duty in duties]

    def _start_beside(self, companions: Sequence[Awaitable[None]]) -> list[Running]:
        keeping = self._companions.of("bookkeeper", self._bookkeeper.run(), within=SILENT_SECONDS)
        return [asyncio.create_task(each) for each in (keeping, *map(self._harmless, companions))]

    async def _settle(self) -> None:
        """Open nothing new, but see what was begun to a confirmed stop: for ``GRACE_SECONDS`` at most."""
        self._trader.stand_down()
        deadline = self._clock.monotonic() + GRACE_SECONDS
        trading = asyncio.create_task(self._trade_out())
        try:
            while self._trader.is_unsettled and self._clock.monotonic() < deadline and not trading.done():
                await self._clock.sleep(SETTLING_SECONDS)
            if self._execution is not None:
                await self._execution.drain(max(deadline - self._clock.monotonic(), 0.0))
        finally:
            await _cancel([trading])

    async def _trade(self, until: Callable[[], bool]) -> None:
        while True:
            for event in self._awakening.admit(await self._inbox.take()):
                self._trader.process(event)
                if isinstance(event, MinuteClosed):
                    self._reconciler.wish()
                    if until():
                        return

    async def _trade_out(self) -> None:
        """Follow what was begun; minutes still waiting are not looked at, for they might begin something."""
        while True:
            event = await self._inbox.take()
            if not isinstance(event, MinuteClosed):
                self._trader.process(event)

    def _woken(self) -> None:
        self._trader.stand_down()
        self._reconciler.wish(survey=True)

    async def _feed_minutes(self) -> None:
        async for minute in self._minutes.minutes():
            self._inbox.post(minute)

    async def _feed_reports(self) -> None:
        async for report in self._exchange.reports():
            self._inbox.post(report)
            if isinstance(report, StreamLost):
                self._reconciler.wish(survey=True)

    async def _feed_ticks(self) -> None:
        while True:
            await self._clock.sleep(TICK_SECONDS)
            marks = {symbol: self._mark(symbol) for symbol in self._trader.held}
            self._inbox.post(Tick({symbol: mark for symbol, mark in marks.items() if mark is not None}))

    async def _harmless(self, companion: Awaitable[None]) -> None:
        """Run something beside trading; its fault is told, and is nothing to trading."""
        try:
            await companion
        except Exception as fault:  # whatever it does wrong, trading never ends with talking
            log.exception("something beside the trader failed; trading goes on")
            at = self._clock.market_ms()
            alert = Alert(key="companion_failed", severity=Severity.WARNING, at=at, text=repr(fault))
            self._notifier.notify(alert)


async def _cancel(tasks: Sequence[Running]) -> None:
    for task in tasks:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, Exception):
            log.error("while stopping: %s", outcome)
