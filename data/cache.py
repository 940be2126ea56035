"""What is read often and changes slowly, kept for a while: asked for once, however many ask at once."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from cachetools import TLRUCache

from core.clock import Clock

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

TTL = 30.0
SIZE = 1024


def _soon(_key: object, _answer: object, now: float) -> float:
    return now + TTL


class Cache(Generic[K, V]):
    """At most ``size`` answers, those least recently used dropped first; stale ones are never given.

    ``expires`` tells from key, answer and the time it came when it ceases to be true, ``TTL`` later unless
    said otherwise. Times are on the scale of ``now``: monotonic seconds, or market milliseconds for what is
    true until a candle closes. A fault is the fault of all who wait for that answer, and is not kept.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        size: int = SIZE,
        expires: Callable[[K, V, float], float] = _soon,
        now: Callable[[], float] | None = None,
    ) -> None:
        self._answers: TLRUCache[K, V] = TLRUCache(size, ttu=expires, timer=now or clock.monotonic)
        self._asked: dict[K, asyncio.Task[V]] = {}

    async def get(self, key: K, load: Callable[[], Awaitable[V]]) -> V:
        """Return the answer at hand, or the one that ``load`` brings, whoever asked for it."""
        try:
            return self._answers[key]
        except KeyError:
            pass
        task = self._asked.get(key)
        if task is None:
            task = asyncio.ensure_future(self._load(key, load))
            self._asked[key] = task
            task.add_done_callback(lambda _: self._asked.pop(key, None))
        # One who stops waiting must not take the answer from the others.
        return await asyncio.shield(task)

    def forget(self, key: K) -> None:
        """Drop an answer that is known to be wrong."""
        self._answers.pop(key, None)

    def __len__(self) -> int:
        self._answers.expire()
        return len(self._answers)

    async def _load(self, key: K, load: Callable[[], Awaitable[V]]) -> V:
        answer = await load()
        self._answers[key] = answer
        return answer
