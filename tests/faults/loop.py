"""The storm's event loop: virtual time, a ready order drawn from the seed, threads that are none."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from core.rng import seeded
from tests.fakes.virtual_time import VirtualTimeLoop

T = TypeVar("T")


_MOST_ROUNDS_A_SECOND = 5_000


class Livelock(AssertionError):
    """Something runs in circles and never waits."""


class StormLoop(VirtualTimeLoop):
    """Runs what is ready in an order of the seed's choosing and calls ``after_round`` each time it is done.

    Code that is right only because tasks happen to run first come, first served, must not pass here.
    """

    _ready: deque[asyncio.Handle]  # asyncio's own queue of callbacks

    def __init__(self, *, order: int | None) -> None:
        """``order`` seeds the permutations; ``None`` keeps asyncio's order."""
        super().__init__()
        self._order = None if order is None else seeded(order)
        self.after_round: Callable[[], None] = lambda: None
        self.faults: list[dict[str, Any]] = []
        self._round = 0
        self._second = 0.0
        self.set_exception_handler(lambda _, context: self.faults.append(context))

    def _run_once(self) -> None:
        ready = self._ready
        if self._order is not None and len(ready) > 1:
            shuffled = [ready[index] for index in self._order.permutation(len(ready))]
            ready.clear()
            ready.extend(shuffled)
        super()._run_once()  # type: ignore[misc] # typeshed does not know the heart of the loop
        self._demand_progress()
        self.after_round()

    def _demand_progress(self) -> None:
        """Raise ``Livelock`` when the loop turns and turns while no time passes."""
        self._round += 1
        if self.time() - self._second >= 1.0:
            self._round, self._second = 0, self.time()
        if self._round > _MOST_ROUNDS_A_SECOND:
            self._round = 0
            raise Livelock(f"{_MOST_ROUNDS_A_SECOND} rounds within a second")

    def run_in_executor(  # type: ignore[override] # a future like any other, but already done
        self, _executor: Any, function: Callable[..., T], *arguments: Any
    ) -> asyncio.Future[T]:
        """Run it here and now: a thread would finish whenever the machine likes."""
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(function(*arguments))
        except Exception as fault:  # noqa: BLE001 - the caller's to see, as from a thread
            future.set_exception(fault)
        return future


def run_storm(story: Coroutine[Any, Any, T], *, order: int | None) -> T:
    """Run a coroutine on a storm loop of its own."""
    with asyncio.Runner(loop_factory=lambda: StormLoop(order=order)) as runner:
        return runner.run(story)
