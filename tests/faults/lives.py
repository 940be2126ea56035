"""The supervisor of a trader: starts it, and starts it again after it has lost its power."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from itertools import count

from core.clock import Clock
from core.errors import PerpscoutError
from tests.faults.power import Power
from tests.faults.process import Process

_log = logging.getLogger(__name__)
RESTART_SECONDS = 1.0
OUTSIDE = "outside"
"""Name of tasks that do not belong to the process, though they began in its time."""


class Lives:
    """One trader after the other on the same folder; life number n loses its power at step ``fails_at[n]``.

    ``process`` is the one alive; ``steps`` names every step of I/O that the first one took.
    """

    def __init__(
        self,
        begin: Callable[[Power, int], Process],
        clock: Clock,
        *,
        fails_at: Sequence[int] = (),
        died: Callable[[], None] = lambda: None,
    ) -> None:
        self._begin = begin
        self._clock = clock
        self._fails_at = tuple(fails_at)
        self._died = died
        self._first_power = self._power = Power()
        self._asked_to_end = asyncio.Event()
        self.process: Process | None = None
        self.count = 0

    @property
    def steps(self) -> Sequence[str]:
        return self._first_power.steps

    def kill(self) -> None:
        """End the one alive here and now, without a last word."""
        self._power.cut()

    def stop(self) -> None:
        """Ask the one alive to end, as a supervisor does with SIGTERM."""
        self._asked_to_end.set()

    async def run(self) -> None:
        """Keep a trader alive until cancelled. Raises what ends one that has its power."""
        for number in count():
            power = Power(fails_at=self._fails_at[number] if number < len(self._fails_at) else None)
            if not number:
                self._first_power = power
            self.count = number + 1
            self._power = power
            self._asked_to_end.clear()
            await self._live(power, number)
            self._died()
            await self._clock.sleep(RESTART_SECONDS)

    async def _live(self, power: Power, number: int) -> None:
        """Return once the power is gone, or the exchange could not be reached at the start."""
        others = asyncio.all_tasks()
        self.process = process = self._begin(power, number)
        life = asyncio.create_task(process.run(), name=f"life {number}")
        dark = asyncio.create_task(power.failed.wait(), name=f"dark {number}")
        asked = asyncio.create_task(self._asked_to_end.wait(), name=f"asked {number}")
        try:
            await asyncio.wait((life, dark, asked), return_when=asyncio.FIRST_COMPLETED)
            if asked.done() and power.is_on and not life.done():
                await _end({life})
            elif power.is_on:
                await life
                raise RuntimeError("the trader ended by itself")
        except PerpscoutError as fault:
            if process.has_begun:
                raise
            _log.warning("not started: %s", fault)
        finally:
            power.cut()
            await _end({each for each in asyncio.all_tasks() - others if each.get_name() != OUTSIDE})


async def _end(tasks: set[asyncio.Task[None]]) -> None:
    """Cancel in the order of creation, so that every run ends alike, and wait until all are gone."""
    for task in sorted(tasks, key=_created):
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _created(task: asyncio.Task[None]) -> tuple[int, str]:
    digits = "".join(each for each in task.get_name() if each.isdigit())
    return int(digits or 0), task.get_name()
