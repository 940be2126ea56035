"""The machine the trader runs on: it may sleep, and somebody may set its clock."""

import asyncio

from core.clock import Clock


class Machine:
    """``core.clock.Clock`` of a trader; what sleeps notices nothing of it but that the wall clock has moved.

    Market time is the exchange's own: whoever trades has it set right by what the streams tell.
    """

    def __init__(self, time: Clock) -> None:
        self._time = time
        self._ahead_ms = 0
        self._missed = 0.0
        self._asleep_since: float | None = None
        self._awake = asyncio.Event()
        self._awake.set()

    def wire_ms(self) -> int:
        return self._time.wire_ms() + self._ahead_ms

    def market_ms(self) -> int:
        return self._time.market_ms()

    def monotonic(self) -> float:
        now = self._time.monotonic() if self._asleep_since is None else self._asleep_since
        return now - self._missed

    async def sleep(self, seconds: float) -> None:
        await self._time.sleep(seconds)
        await self._awake.wait()

    async def awake(self) -> None:
        """Wait until the machine is awake: what comes from outside reaches nobody before."""
        await self._awake.wait()

    async def suspend(self, seconds: float) -> None:
        """Sleep so long; one that sleeps already sleeps on."""
        if self._asleep_since is not None:
            return
        self._asleep_since = self._time.monotonic()
        self._awake.clear()
        await self._time.sleep(seconds)
        self._missed += self._time.monotonic() - self._asleep_since
        self._asleep_since = None
        self._awake.set()

    def set_clock(self, ahead_ms: int) -> None:
        """Let the wall clock be so far ahead of the true time from now on."""
        self._ahead_ms = ahead_ms
