"""An event loop whose time jumps to the next timer: hours of waiting in milliseconds, the same every time."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
_ROUND = 1e-6  # seconds a round of the loop takes: time passes even for those who wait for "now"
_START_MS = 1_764_547_200_000  # 2025-12-01 00:00 UTC


class _JumpingSelector(selectors.SelectSelector):
    """Never waits: what would have been waited for is added to the loop's time."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("every task waits for another one: nothing will ever happen again")
        self.now += max(timeout, _ROUND)
        return super().select(0)


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """For code that waits on timers and tasks alone; with sockets it would spin."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now

    def block(self, seconds: float) -> None:
        """Let time pass in which nobody gets to run."""
        self._jumping.now += seconds


class VirtualClock:
    """The loop's time as ``core.clock.Clock``; market time runs ``speed`` times as fast."""

    def __init__(self, *, speed: float = 1.0, offset_ms: int = 0) -> None:
        self._speed = speed
        self._offset_ms = offset_ms

    def wire_ms(self) -> int:
        return _START_MS + int(self.monotonic() * 1000)

    def market_ms(self) -> int:
        return _START_MS + self._offset_ms + int(self.monotonic() * 1000 * self._speed)

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)  # noqa: TID251 - this is a clock


def run_virtually(story: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on a loop of its own with virtual time."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(story)
