"""One budget of request weight for the whole process, in the exchange's own fixed minutes."""

import asyncio
import heapq
from dataclasses import dataclass
from enum import IntEnum
from itertools import count

from aiolimiter import AsyncLimiter

from core.clock import Clock
from core.errors import RateLimited
from core.market import MINUTE_MS
from exchange.limits.ban import BanNote

TOO_MANY_REQUESTS = -1003


class Priority(IntEnum):
    """Who is served first when weight is short; only protective orders may use the reserve."""

    PROTECTIVE = 0
    ORDER = 1
    ACCOUNT = 2
    GAP = 3
    SCAN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Weight set aside for one request; a counter below ``floor`` in its reply is of a newer minute."""

    weight: int
    epoch: int
    floor: int
    probe: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """How much weight reads may spend in how many machine seconds."""

    weight: int
    seconds: float


class WeightLimiter:
    """Keeps every request inside ``limit`` a minute, whatever the phase of the exchange's minute.

    When a minute turns is learned from the exchange's own counter: a reply that counts less than an
    earlier one must have been counted in a newer minute. Our clock only tells when to look: with the
    budget spent, single requests out of the reserve (probes) find out whether the minute has turned.
    So neither a clock that is off nor a slowed simulator can make us spend a minute's budget twice.
    ``period`` is the length of the exchange's minute in machine seconds. A ban is kept on ``note``, so that
    it outlives the process.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        limit: int = 2400,
        period: float = 60.0,
        reserve: float = 0.05,
        note: BanNote | None = None,
    ) -> None:
        self._clock = clock
        self.period = period
        self._reserve = reserve
        self.limit = limit
        self.used = 0
        self._epoch = 0
        self._counted = 0
        self._in_flight = 0
        self._probing = False
        self._patience = period / 60
        self._look_at = clock.monotonic() + self._until_minute_turns()
        self._note = note
        self._closed_until = clock.monotonic() + note.left() if note else float("-inf")
        self._order = count()
        self._waiting: list[tuple[Priority, int, int, asyncio.Future[Lease]]] = []
        self._waker: asyncio.Task[None] | None = None
        self._smoother = self._new_smoother()

    def set_limit(self, limit: int) -> None:
        """Take the limit that the exchange itself announces."""
        if limit != self.limit:
            self.limit = limit
            self._smoother = self._new_smoother()

    def set_period(self, period: float) -> None:
        """Follow a simulated market whose speed was changed."""
        self.period = period
        self._patience = period / 60
        self._smoother = self._new_smoother()

    @property
    def allowance(self) -> Allowance:
        """What is left to reads beside the reserve of protective orders, for estimates of time."""
        return Allowance(weight=int(self.limit * (1 - self._reserve)), seconds=self.period)

    @property
    def closed_for(self) -> float:
        """Seconds until the exchange talks to us again after a ban, 0 when it does."""
        return max(0.0, self._closed_until - self._clock.monotonic())

    def close_for(self, seconds: float) -> None:
        """Send nothing for ``seconds``: the exchange said so."""
        self._closed_until = max(self._closed_until, self._clock.monotonic() + seconds)
        if self._note is not None:
            self._note.write(seconds)

    async def acquire(self, weight: int, priority: Priority) -> Lease:
        """Wait until ``weight`` may be spent.

        Inside a ban, orders and account reads raise ``RateLimited`` at once, because news that late is
        worth less than knowing; scans wait.
        """
        if self.closed_for and priority <= Priority.ACCOUNT:
            raise RateLimited(TOO_MANY_REQUESTS, "we are banned for now", retry_after=self.closed_for)
        lease = await self._queue(weight, priority)
        if weight and priority >= Priority.GAP:
            try:
                await self._smoother.acquire(min(weight, self._smoother.max_rate))
            except asyncio.CancelledError:
                self.settle(lease, None)
                raise
        return lease

    def settle(self, lease: Lease, used: int | None) -> None:
        """Take note of an answer; ``used`` is the exchange's counter, ``None`` when it did not say."""
        self._in_flight -= lease.weight
        if lease.epoch == self._epoch:
            self._learn(lease, used)
        if lease.probe:
            self._probing = False
        self._grant()

    async def _queue(self, weight: int, priority: Priority) -> Lease:
        future: asyncio.Future[Lease] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (priority, next(self._order), weight, future))
        self._grant()
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self.settle(future.result(), None)
            raise

    def _grant(self) -> None:
        while self._waiting:
            priority, _, weight, future = self._waiting[0]
            if not future.done():
                if not self._fits(weight, priority):
                    self._wake_later()
                    return
                future.set_result(self._take(weight, priority))
            heapq.heappop(self._waiting)

    def _fits(self, weight: int, priority: Priority) -> bool:
        if self.closed_for:
            return False
        if self._within(weight, priority):
            return True
        if self._clock.monotonic() < self._look_at or self._probing:
            return False
        return self.used + weight <= self.limit or self._given_up()

    def _within(self, weight: int, priority: Priority) -> bool:
        ceiling = self.limit if priority is Priority.PROTECTIVE else int(self.limit * (1 - self._reserve))
        return weight == 0 or self.used + weight <= ceiling

    def _given_up(self) -> bool:
        """Whether so long has passed that the minute must have turned, even without a probe to prove it."""
        if self._clock.monotonic() < self._look_at + self.period:
            return False
        self._turn(used=self._in_flight, remaining=self._until_minute_turns())
        return True

    def _take(self, weight: int, priority: Priority) -> Lease:
        probe = not self._within(weight, priority)
        self._probing = self._probing or probe
        self.used += weight
        self._in_flight += weight
        return Lease(weight=weight, epoch=self._epoch, floor=self._counted + weight, probe=probe)

    def _learn(self, lease: Lease, used: int | None) -> None:
        if used is not None and used >= lease.floor:
            self._counted = max(self._counted, used)
            self.used = max(self.used, used)
            if lease.probe:
                self._look_again_later()
        elif used is not None or lease.probe:
            # A counter that fell shows a new minute. Where no counter is sent, the clock's word must do.
            remaining = self.period - self._patience if lease.probe else self._until_minute_turns()
            self._turn(used=(used or lease.weight) + self._in_flight, remaining=remaining)

    def _turn(self, *, used: int, remaining: float) -> None:
        self._epoch += 1
        self.used = used
        self._counted = 0
        self._patience = self.period / 60
        if remaining < self.period / 20:
            remaining += self.period
        self._look_at = self._clock.monotonic() + remaining

    def _look_again_later(self) -> None:
        self._look_at = self._clock.monotonic() + self._patience
        self._patience = min(self._patience * 2, self.period / 4)

    def _until_minute_turns(self) -> float:
        return (MINUTE_MS - self._clock.market_ms() % MINUTE_MS) / MINUTE_MS * self.period

    def _new_smoother(self) -> AsyncLimiter:
        """Return a bucket that spreads the weight of scans over half the minute, so that it never binds."""
        return AsyncLimiter(self.limit / 4, self.period / 8)

    def _wake_later(self) -> None:
        if self._waker is None and not self._probing:
            self._waker = asyncio.get_running_loop().create_task(self._wake())

    async def _wake(self) -> None:
        due = max(self._look_at, self._closed_until)
        await self._clock.sleep(max(due - self._clock.monotonic(), self.period / 1000))
        self._waker = None
        self._grant()
