"""A trader at work: feeds its one inbox from market, account, clock and people until told to stop."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Protocol

from core.clock import Clock
from core.market import MinuteClosed
from core.orders import StreamLost
from core.ports import Exchange
from services.bookkeeping import Bookkeeper
from services.reconciler import Reconciler
from services.trader import Tick, Trader, TraderEvent

log = logging.getLogger(__name__)

TICK_SECONDS = 0.25


class MinuteSource(Protocol):
    """Where closed minutes come from; see ``services.data_service``."""

    def start(self) -> None: ...

    async def close(self) -> None: ...

    def minutes(self) -> AsyncIterator[MinuteClosed]: ...


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

    def __init__(
        self,
        trader: Trader,
        inbox: Inbox,
        *,
        minutes: MinuteSource,
        exchange: Exchange,
        bookkeeper: Bookkeeper,
        clock: Clock,
        mark: Callable[[str], Decimal | None] = lambda _: None,
    ) -> None:
        """``mark`` tells a symbol's mark price of this moment: without it nothing backs up the stops."""
        self._trader = trader
        self._inbox = inbox
        self._minutes = minutes
        self._exchange = exchange
        self._bookkeeper = bookkeeper
        self._clock = clock
        self._mark = mark
        self._reconciler = Reconciler(exchange, post=inbox.post, clock=clock)

    async def run(self, until: Callable[[], bool], *beside: Awaitable[None]) -> None:
        """Work until ``until`` is true after a minute, or until cancelled; ``beside`` runs along."""
        self._trader.restore()
        self._minutes.start()
        duties = (
            self._trade(until),
            self._feed_minutes(),
            self._feed_reports(),
            self._reconciler.run(),
            self._feed_ticks(),
            self._bookkeeper.run(),
            *beside,
        )
        tasks = [asyncio.ensure_future(duty) for duty in duties]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await _cancel(tasks)
            await self._minutes.close()

    async def _trade(self, until: Callable[[], bool]) -> None:
        while True:
            event = await self._inbox.take()
            self._trader.process(event)
            if isinstance(event, MinuteClosed):
                self._reconciler.wish()
                if until():
                    return

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


async def _cancel(tasks: Sequence[asyncio.Future[None]]) -> None:
    for task in tasks:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, Exception):
            log.error("while stopping: %s", outcome)
