"""A run's beginning and end: who may end it, and what is seen through first."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any, cast

import pytest

from core.clock import SystemClock
from core.market import MinuteClosed
from core.orders import OrderEnded, Report
from core.ports import Exchange
from services.bookkeeping import Bookkeeper
from services.session import Inbox, Session
from services.trader import TraderEvent
from tests.builders import SYMBOL, T0
from tests.unit.services.test_bookkeeping import Sink

ENDED = OrderEnded(symbol=SYMBOL, client_order_id="ps-x-e1", filled=Decimal(0), at=T0)


class Quiet:
    """A market and an exchange from which nothing comes."""

    def start(self) -> None: ...

    async def close(self) -> None: ...

    async def minutes(self) -> AsyncIterator[MinuteClosed]:
        await asyncio.Event().wait()
        yield cast(MinuteClosed, None)

    async def reports(self) -> AsyncIterator[Report]:
        await asyncio.Event().wait()
        yield cast(Report, None)

    def __getattr__(self, _name: str) -> Any:
        async def never(*_arguments: object, **_options: object) -> None:
            await asyncio.Event().wait()

        return never


class Deciding:
    """A trader with an entry on its way, until it hears that the entry has ended."""

    def __init__(self, *, unsettled: bool = False) -> None:
        self.is_unsettled = unsettled
        self.held: tuple[str, ...] = ()

    def restore(self) -> None: ...

    def process(self, event: TraderEvent) -> None:
        if isinstance(event, OrderEnded):
            self.is_unsettled = False


class Drained:
    """An execution that remembers when it was asked to finish."""

    def __init__(self, trader: Deciding) -> None:
        self._trader = trader
        self.when_settled: list[bool] = []

    async def drain(self, grace: float) -> bool:
        self.when_settled.append(not self._trader.is_unsettled)
        return grace >= 0


def session(trader: Deciding, inbox: Inbox, execution: Drained | None = None) -> Session:
    clock, quiet = SystemClock(), Quiet()
    return Session(
        trader,
        inbox,
        minutes=quiet,
        exchange=cast(Exchange, quiet),
        bookkeeper=Bookkeeper(Sink(), clock),
        clock=clock,
        execution=execution,
    )


async def over() -> None:
    """End at once."""


async def broken() -> None:
    raise RuntimeError("Discord fell over")


async def test_what_runs_beside_may_fail_or_end_without_ending_the_run(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ended = asyncio.Event()

    async def end() -> None:
        await ended.wait()

    run = asyncio.create_task(session(Deciding(), Inbox()).run(lambda: False, broken(), over(), ended=end()))
    while "Discord fell over" not in caplog.text:
        assert not run.done()
        await asyncio.sleep(0)  # noqa: TID251 - lets the run take its next step
    ended.set()
    await run


async def test_an_entry_on_its_way_is_seen_through_before_the_end() -> None:
    trader, inbox = Deciding(unsettled=True), Inbox()
    execution = Drained(trader)
    run = asyncio.create_task(session(trader, inbox, execution).run(lambda: False, ended=over()))
    inbox.post(ENDED)
    await run
    assert execution.when_settled == [True]


async def test_an_interrupt_too_sees_it_through() -> None:
    trader, inbox = Deciding(unsettled=True), Inbox()
    execution = Drained(trader)
    run = asyncio.create_task(session(trader, inbox, execution).run(lambda: False))
    await asyncio.sleep(0)  # noqa: TID251 - lets the run begin
    run.cancel()
    inbox.post(ENDED)
    with pytest.raises(asyncio.CancelledError):
        await run
    assert execution.when_settled == [True]
