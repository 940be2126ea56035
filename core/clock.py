"""Time, from one place: market time in milliseconds and our own deadlines in seconds.

Three times never mix (see *Laws* in ARCHITECTURE.md). *Wire* time signs requests and is always the
machine's. *Market* time is the exchange's and may run faster in the simulator. *Monotonic* time measures
our own deadlines.
"""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """What the rest of the program may know about time."""

    def wire_ms(self) -> int:
        """Return the machine's time, for timestamps of signed requests."""
        ...

    def market_ms(self) -> int:
        """Return the exchange's time as far as we know it."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back, for deadlines."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait in monotonic seconds."""
        ...


class SystemClock:
    """The machine's clock; market time is wire time."""

    def wire_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def market_ms(self) -> int:
        return self.wire_ms()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class ScaledClock(SystemClock):
    """Market time that runs ``speed`` times as fast as the machine's, set right by what the market says."""

    def __init__(self, *, speed: float, market_ms: int) -> None:
        self.speed = speed
        self.observe(market_ms)

    def set_speed(self, speed: float) -> None:
        """Go on from here at another speed."""
        self.observe(self.market_ms())
        self.speed = speed

    def observe(self, market_ms: int) -> None:
        """Anchor to a time the exchange just told us; the simulator may have slowed down meanwhile."""
        self._anchor_ms = market_ms
        self._anchored_at = self.monotonic()

    def market_ms(self) -> int:
        return self._anchor_ms + int((self.monotonic() - self._anchored_at) * 1000 * self.speed)


class ManualClock:
    """A clock that moves only when told: replay moves it to each event, tests to where they want it."""

    def __init__(self, now_ms: int = 0) -> None:
        self._now_ms = now_ms

    def wire_ms(self) -> int:
        return self._now_ms

    def market_ms(self) -> int:
        return self._now_ms

    def monotonic(self) -> float:
        return self._now_ms / 1000

    async def sleep(self, seconds: float) -> None:
        self._now_ms += int(seconds * 1000)
        await asyncio.sleep(0)

    def advance_to(self, now_ms: int) -> None:
        """Move forward; a time already past is ignored, because time does not run back."""
        self._now_ms = max(self._now_ms, now_ms)
