"""Watches over a running program: is its loop free, do its duties go on, do memory and disk suffice."""

import logging
from typing import Protocol

from core.clock import Clock
from core.errors import RestartNeeded
from core.notices import Alert, Severity
from core.ports import Notifier
from services.heartbeats import Heartbeats

log = logging.getLogger(__name__)

LATE_SECONDS = 2.0
LATE_AGAIN_SECONDS = 60.0
LOOK_SECONDS = 30.0
DISK_FILLING = 0.85
DISK_EMPTIED = 0.83
MEMORY_SHORT = 0.75
"""The share of the allowed memory from which people are told that it grows."""


class Machine(Protocol):
    """What can be asked of the operating system; see ``data.machine``."""

    def memory_bytes(self) -> int | None: ...

    def disk_used(self) -> float: ...


class VitalSigns:
    """Tells people in time, and ends the run where only a fresh start helps.

    Ending is safe at any moment: stops rest at the exchange, and the journal holds the rest.
    """

    def __init__(self, machine: Machine, *, memory_limit: int, notifier: Notifier, clock: Clock) -> None:
        """``memory_limit`` in bytes. Silent ``duties`` end the run, silent ``companions`` are told."""
        self.duties, self.companions = Heartbeats(clock), Heartbeats(clock)
        self._machine = machine
        self._memory_limit = memory_limit
        self.notifier = notifier
        self._clock = clock
        self._silent: frozenset[str] = frozenset()
        self._quiet_until = 0.0
        self._memory_is_short = False
        self._disk_is_filling = False

    async def run(self) -> None:
        """Watch until cancelled. Raises ``RestartNeeded`` over a duty that hangs and over lack of memory."""
        look_at = 0.0
        while True:
            late = await self._doze(1.0)
            if late >= LATE_SECONDS:
                self._tell_late(late)
                continue  # nobody could go on: to be silent meant nothing
            self._listen()
            if self._clock.monotonic() >= look_at:
                look_at = self._clock.monotonic() + LOOK_SECONDS
                self._weigh()
                self._look_at_disk()

    async def _doze(self, seconds: float) -> float:
        """Wait, and return how much longer it took: for so long something kept the loop to itself."""
        due = self._clock.monotonic() + seconds
        await self._clock.sleep(seconds)
        return self._clock.monotonic() - due

    def _tell_late(self, late: float) -> None:
        log.warning("the loop was blocked for %.1f s", late)
        now = self._clock.monotonic()
        if now >= self._quiet_until:
            self._quiet_until = now + LATE_AGAIN_SECONDS
            self._say("loop_blocked", Severity.WARNING, f"{late:.1f} s")

    def _listen(self) -> None:
        if hanging := ", ".join(self.duties.silent()):
            self._end(f"{hanging} does not go on")
        silent = frozenset(self.companions.silent())
        if silent - self._silent:
            self._say("companion_silent", Severity.WARNING, ", ".join(sorted(silent - self._silent)))
        self._silent = silent

    def _weigh(self) -> None:
        size = self._machine.memory_bytes() or 0
        text = f"{size / 2**20:.0f} of {self._memory_limit / 2**20:.0f} MB"
        if size >= self._memory_limit:
            self._end(f"the memory is used up: {text}")
        is_short = size >= MEMORY_SHORT * self._memory_limit
        if is_short and not self._memory_is_short:
            self._say("memory_short", Severity.WARNING, text)
        self._memory_is_short = is_short

    def _look_at_disk(self) -> None:
        used = self._machine.disk_used()
        if used >= DISK_FILLING and not self._disk_is_filling:
            self._disk_is_filling = True
            self._say("disk_filling", Severity.WARNING, f"{used:.0%}")
        elif used < DISK_EMPTIED:
            self._disk_is_filling = False

    def _end(self, why: str) -> None:
        self._say("restart_needed", Severity.CRITICAL, why)
        raise RestartNeeded(f"Ended in order to be started again: {why}.")

    def _say(self, key: str, severity: Severity, text: str) -> None:
        self.notifier.notify(Alert(key=key, severity=severity, at=self._clock.market_ms(), text=text))
