"""Keeps a storm's appointments: does each deed at its moment."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal

from core.operation import OperatorAction
from tests.faults.deeds import Appointment, Deed
from tests.faults.human import Human
from tests.faults.lives import OUTSIDE, Lives
from tests.faults.world import World

_LONGEST_SLEEP = 90.0
_CLOCKS_MS = (-3_600_000, -60_000, -1_500, 1_500, 60_000, 3_600_000)
_LOG_SECONDS = 20.0


class Fate:
    """Does to the world what its weather says."""

    def __init__(self, world: World, human: Human, lives: Lives) -> None:
        self._world = world
        self._human = human
        self._lives = lives
        self._doing: Mapping[Deed, Callable[[Decimal], Awaitable[None] | None]] = {
            Deed.REDUCES: human.reduce,
            Deed.ADDS: human.add,
            Deed.OPENS: human.open,
            Deed.RESTS: human.rest,
            Deed.LIQUIDATED: lambda _: human.be_liquidated(),
            Deed.PAUSE: lambda _: self._ask(OperatorAction.PAUSE),
            Deed.PANIC: lambda _: self._ask(OperatorAction.PANIC),
            Deed.RESUME: lambda _: self._ask(OperatorAction.RESUME),
            Deed.KILL: lambda _: lives.kill(),
            Deed.STOP: lambda _: lives.stop(),
            Deed.SUSPEND: self._suspend,
            Deed.SET_CLOCK: self._set_clock,
            Deed.FRONT_BREAKS: lambda _: self._break_front(),
            Deed.LOG_BREAKS: self._break_log,
        }

    async def run(self) -> None:
        """Keep every appointment, then return."""
        begun = self._world.clock.monotonic()
        async with asyncio.TaskGroup() as tasks:
            for appointment in sorted(self._world.weather.deeds, key=_at):
                left = begun + appointment.at - self._world.clock.monotonic()
                await self._world.clock.sleep(max(left, 0.0))
                doing = self._doing[appointment.deed](Decimal(str(round(appointment.size, 3))))
                if doing is not None:
                    tasks.create_task(_finish(doing), name=OUTSIDE)

    def _ask(self, action: OperatorAction) -> None:
        if self._lives.process is not None:
            self._lives.process.ask(action)

    async def _suspend(self, size: Decimal) -> None:
        """Let the machine sleep; the exchange hangs up on those who do not answer."""
        seconds = float(size) * _LONGEST_SLEEP
        since = self._world.clock.monotonic()
        self._world.watch.trouble(lasts=seconds)
        await self._world.machine.suspend(seconds)
        self._world.watch.slept(since=since)
        self._world.exchange.simulator.hub.cut_all()

    def _set_clock(self, size: Decimal) -> None:
        self._world.machine.set_clock(_CLOCKS_MS[int(size * len(_CLOCKS_MS)) % len(_CLOCKS_MS)])
        self._world.watch.trouble()

    def _break_front(self) -> None:
        self._world.beside.front_is_broken = True

    async def _break_log(self, size: Decimal) -> None:
        self._world.beside.log_is_broken = True
        await self._world.clock.sleep(float(size) * _LOG_SECONDS)
        self._world.beside.log_is_broken = False


def _at(appointment: Appointment) -> float:
    return appointment.at


async def _finish(doing: Awaitable[None]) -> None:
    await doing
