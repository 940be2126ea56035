"""What is read often and changes slowly, kept for a while: asked for once, however many ask at once."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from cachetools import TLRUCache

from core.clock import Clock

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

TTL = 30.0
SIZE = 1024


def _soon(_key: object, _answer: object, now: float) -> float:
    return now + TTL


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Generic[K, V]):
    """What was answered to which question, and when that was asked: it is as old as the question."""

    key: K
    value: V
    at: float


class Cache(Generic[K, V]):
    """At most ``size`` answers, those least recently used dropped first; stale ones are never given.

    ``expires`` tells from key, answer and the time of the question when it ceases to be true, ``TTL`` later
    unless said otherwise. Times are on the scale of ``now``: monotonic seconds, or market milliseconds for
    what is true until a candle closes. A fault is the fault of all who wait for that answer, and is not kept.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        size: int = SIZE,
        expires: Callable[[K, V, float], float] = _soon,
        now: Callable[[], float] | None = None,
    ) -> None:
        self._now = now or clock.monotonic
        self._answers: TLRUCache[K, Answer[K, V]] = TLRUCache(
            size, ttu=lambda key, answer, _: expires(key, answer.value, answer.at), timer=self._now
        )
        self._asked: dict[K, asyncio.Task[Answer[K, V]]] = {}

    async def get(self, key: K, load: Callable[[], Awaitable[V]]) -> V:
        """Return the value of ``ask``, for those who do not look at its age."""
        return (await self.ask(key, load)).value

    async def ask(self, key: K, load: Callable[[], Awaitable[V]]) -> Answer[K, V]:
        """Return the answer at hand, or the one that ``load`` brings, whoever asked for it."""
        try:
            return self._answers[key]
        except KeyError:
            pass
        task = self._asked.get(key)
        if task is None:
            task = asyncio.ensure_future(self._load(key, load, at=self._now()))
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

    async def _load(self, key: K, load: Callable[[], Awaitable[V]], *, at: float) -> Answer[K, V]:
        answer = Answer(key=key, value=await load(), at=at)
        self._answers[key] = answer
        return answer
