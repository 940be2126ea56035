"""A run's beginning and end: who may end it, and what is seen through first."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any, cast

import pytest

from core.clock import Clock, SystemClock
from core.errors import RestartNeeded
from core.market import MinuteClosed
from core.notices import Alert, Notice
from core.orders import OrderEnded, Report
from core.ports import Exchange
from services.bookkeeping import Bookkeeper
from services.session import SILENT_SECONDS, Inbox, Session
from services.trader import TraderEvent
from services.vital_signs import VitalSigns
from tests.builders import SYMBOL, T0
from tests.builders_scan import last_minute
from tests.fakes.virtual_time import VirtualClock
from tests.faults.loop import run_storm
from tests.unit.services.test_bookkeeping import Sink

ENDED = OrderEnded(symbol=SYMBOL, client_order_id="ps-x-e1", filled=Decimal(0), at=T0)
MINUTE = last_minute()


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
        self.stood_down = asyncio.Event()
        self.heard: list[TraderEvent] = []
        self.held: tuple[str, ...] = ()

    def restore(self) -> None: ...

    def stand_down(self) -> None:
        self.stood_down.set()

    def process(self, event: TraderEvent) -> None:
        self.heard.append(event)
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


class Room:
    """A machine with room for everything, and ears."""

    def __init__(self) -> None:
        self.told: list[Alert] = []

    def memory_bytes(self) -> int:
        return 1

    def disk_used(self) -> float:
        return 0.5

    def notify(self, notice: Notice) -> None:
        assert isinstance(notice, Alert)
        self.told.append(notice)


def session(
    trader: Deciding,
    inbox: Inbox,
    execution: Drained | None = None,
    *,
    clock: Clock | None = None,
    room: Room | None = None,
) -> Session:
    clock, quiet = clock or SystemClock(), Quiet()
    watched = VitalSigns(room, memory_limit=2, notifier=room, clock=clock) if room else None
    return Session(
        trader,
        inbox,
        minutes=quiet,
        exchange=cast(Exchange, quiet),
        bookkeeper=Bookkeeper(Sink(), clock),
        clock=clock,
        execution=execution,
        vital=watched,
    )


async def over() -> None:
    """End at once."""


async def broken() -> None:
    raise RuntimeError("Discord fell over")


@pytest.mark.fault(90)
async def test_what_runs_beside_may_fail_or_end_and_people_hear_of_it_but_the_run_goes_on() -> None:
    ended, room = asyncio.Event(), Room()

    async def end() -> None:
        await ended.wait()

    working = session(Deciding(), Inbox(), room=room).run(lambda: False, broken(), over(), ended=end())
    run = asyncio.create_task(working)
    while not room.told:
        assert not run.done()
        await asyncio.sleep(0)  # noqa: TID251 - lets the run take its next step
    assert [(alert.key, alert.text) for alert in room.told] == [
        ("companion_failed", "RuntimeError('Discord fell over')")
    ]
    ended.set()
    await run


@pytest.mark.fault(90)
async def test_a_trader_that_fails_ends_the_run_with_its_fault() -> None:
    trader, inbox = Deciding(), Inbox()
    trader.process = lambda event: 1 // 0  # type: ignore[assignment,method-assign]
    inbox.post(ENDED)
    with pytest.raises(ZeroDivisionError):
        await session(trader, inbox).run(lambda: False)


async def test_of_faults_at_one_moment_the_traders_is_told_whatever_the_process() -> None:
    """A set of tasks has another order in every process."""
    trader, inbox = Deciding(), Inbox()
    trader.process = lambda event: 1 // 0  # type: ignore[assignment,method-assign]
    for _ in range(8):
        inbox.post(ENDED)
        with pytest.raises(ZeroDivisionError):
            await session(trader, inbox).run(lambda: False, ended=broken())


@pytest.mark.fault(90)
def test_a_reconciler_that_hangs_ends_the_run_once_what_was_begun_is_settled() -> None:
    trader, inbox, room = Deciding(unsettled=True), Inbox(), Room()

    async def story() -> None:
        clock = VirtualClock()
        execution = Drained(trader)

        async def end_the_entry() -> None:
            await clock.sleep(SILENT_SECONDS + 3)
            inbox.post(ENDED)

        entering = asyncio.create_task(end_the_entry())
        try:
            await session(trader, inbox, execution, clock=clock, room=room).run(lambda: False)
        finally:
            assert entering.done()
            assert execution.when_settled == [True]

    with pytest.raises(RestartNeeded, match="reconciler does not go on"):
        run_storm(story(), order=None)
    assert [alert.key for alert in room.told] == ["restart_needed"]


@pytest.mark.fault(86)
async def test_nothing_new_is_begun_while_the_end_is_awaited() -> None:
    trader, inbox = Deciding(unsettled=True), Inbox()
    run = asyncio.create_task(session(trader, inbox).run(lambda: False))
    await asyncio.sleep(0)  # noqa: TID251 - lets the run begin
    run.cancel()
    await trader.stood_down.wait()
    inbox.post(MINUTE)
    inbox.post(ENDED)
    with pytest.raises(asyncio.CancelledError):
        await run
    assert MINUTE not in trader.heard
    assert ENDED in trader.heard


@pytest.mark.fault(86)
async def test_an_entry_on_its_way_is_seen_through_before_the_end() -> None:
    trader, inbox = Deciding(unsettled=True), Inbox()
    execution = Drained(trader)
    run = asyncio.create_task(session(trader, inbox, execution).run(lambda: False, ended=over()))
    inbox.post(ENDED)
    await run
    assert execution.when_settled == [True]


@pytest.mark.fault(86)
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
