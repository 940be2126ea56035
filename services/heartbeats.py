"""Signs of life of a run's duties: one beats whenever it goes on, and one that is silent too long hangs."""

import types
from collections.abc import Callable, Coroutine, Generator, Sequence
from typing import Any, TypeVar

from core.clock import Clock

T = TypeVar("T")


class Heartbeats:
    """Knows when each duty last went on, in machine seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._longest: dict[str, float] = {}
        self._last: dict[str, float] = {}

    async def of(self, name: str, duty: Coroutine[Any, Any, T], *, within: float) -> T:
        """Run ``duty``; it counts as hanging when it has not gone on for ``within`` seconds."""
        self._longest[name] = within
        try:
            return await _beating(duty, lambda: self._beat(name))
        finally:
            del self._longest[name]

    def silent(self) -> Sequence[str]:
        """Return the duties that hang."""
        now = self._clock.monotonic()
        return [name for name, longest in self._longest.items() if now - self._last[name] > longest]

    def _beat(self, name: str) -> None:
        self._last[name] = self._clock.monotonic()


@types.coroutine
def _beating(duty: Coroutine[Any, Any, T], beat: Callable[[], None]) -> Generator[Any, None, T]:
    """Run ``duty`` as ``await`` would, with a beat ahead of each of its steps."""
    fault: BaseException | None = None
    while True:
        beat()
        try:
            awaited = duty.send(None) if fault is None else duty.throw(fault)
        except StopIteration as end:
            result: T = end.value
            return result
        fault = None
        try:
            yield awaited
        except BaseException as thrown:  # noqa: BLE001 - a cancellation, say: the duty's to answer
            fault = thrown
