"""Repeated reads: exponential back-off with jitter. Orders must never come here."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from core.clock import Clock
from core.errors import ExchangeUnavailable, RateLimited
from core.rng import Rng

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Delays in seconds: attempt n, from 0, waits half to all of first × 2ⁿ, at most ``cap``."""

    first: float = 0.2
    cap: float = 10.0

    def delay(self, attempt: int, rng: Rng) -> float:
        whole = min(self.cap, self.first * 2.0 ** min(attempt, 20))
        return rng.uniform(whole / 2, whole)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRetries:
    """Repeats what only reads (or can be done twice without harm) when the exchange stays silent.

    A rate limit is waited out when it asks for at most ``patience`` seconds, else it is the caller's.
    """

    clock: Clock
    rng: Rng
    attempts: int = 4
    patience: float = 5.0
    backoff: Backoff = Backoff()

    async def run(self, read: Callable[[], Awaitable[T]]) -> T:
        """Return the first answer; raise the last fault when all attempts failed."""
        for attempt in range(self.attempts - 1):
            try:
                return await read()
            except ExchangeUnavailable:
                await self.clock.sleep(self.backoff.delay(attempt, self.rng))
            except RateLimited as refusal:
                if refusal.retry_after > self.patience:
                    raise
                await self.clock.sleep(refusal.retry_after)
        return await read()
