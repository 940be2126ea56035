"""The weight budget, against an exchange that counts fixed minutes of its own."""

import asyncio
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import RateLimited
from core.rng import Rng, seeded
from exchange.limits.weight import Priority, WeightLimiter
from tests.fakes.virtual_time import VirtualClock, run_virtually

LIMIT = 2400
REFERENCE = 130.0  # seconds that 650 symbols at a weight of 8 must take at 2,400 a minute


@dataclass
class CountingExchange:
    """Counts weight in minutes of ``minute`` seconds that began ``phase`` seconds ago."""

    clock: VirtualClock
    rng: Rng
    phase: float = 0.0
    minute: float = 60.0
    tells: bool = True
    latency: tuple[float, float] = (0.02, 0.2)
    counted: dict[int, int] = field(default_factory=dict)
    refused: int = 0

    async def ask(self, weight: int) -> int | None:
        """Take one request and answer with the header's number."""
        await self.clock.sleep(self.rng.uniform(*self.latency))
        number = int((self.clock.monotonic() + self.phase) // self.minute)
        self.counted[number] = self.counted.get(number, 0) + weight
        self.refused += self.counted[number] > LIMIT
        told = self.counted[number]
        await self.clock.sleep(self.rng.uniform(*self.latency))
        return told if self.tells else None


async def spend(limiter: WeightLimiter, exchange: CountingExchange, *, total: int) -> float:
    """Spend ``total`` weight in requests of 2, 24 at a time; returns the seconds it took."""
    left = [2] * (total // 2)
    started = exchange.clock.monotonic()

    async def work() -> None:
        while left:
            weight = left.pop()
            lease = await limiter.acquire(weight, Priority.SCAN)
            limiter.settle(lease, await exchange.ask(weight))

    await asyncio.gather(*(work() for _ in range(24)))
    return exchange.clock.monotonic() - started


@settings(max_examples=10)
@given(phase=st.floats(0, 60), skew_ms=st.integers(-3_000, 3_000), seed=st.integers(0, 2**32))
def test_a_cold_start_is_never_refused_and_takes_what_the_limit_allows(
    phase: float, skew_ms: int, seed: int
) -> None:
    async def story() -> tuple[float, int]:
        clock = VirtualClock(offset_ms=int(phase * 1000) + skew_ms)
        exchange = CountingExchange(clock, seeded(seed), phase=phase)
        seconds = await spend(WeightLimiter(clock, limit=LIMIT), exchange, total=5200)
        return seconds, exchange.refused

    seconds, refused = run_virtually(story())
    assert refused == 0
    assert seconds <= 1.1 * REFERENCE


@pytest.mark.fault(94)
@settings(max_examples=8)
@given(
    phase=st.floats(0, 60),
    slowness=st.floats(1.0, 4.0),
    speed=st.sampled_from([1.0, 60.0]),
    seed=st.integers(0, 2**32),
)
def test_a_clock_that_is_quite_wrong_costs_time_but_no_refusal(
    phase: float, slowness: float, speed: float, seed: int
) -> None:
    """A simulator that slows down stretches its minutes; ours go on at the old pace."""

    async def story() -> int:
        clock = VirtualClock(speed=speed)
        exchange = CountingExchange(
            clock, seeded(seed), phase=phase, minute=60 / speed * slowness, latency=(0.001, 0.01)
        )
        await spend(WeightLimiter(clock, limit=LIMIT, period=60 / speed), exchange, total=6000)
        return exchange.refused

    assert run_virtually(story()) == 0


def test_without_a_counter_in_the_replies_our_own_minutes_are_kept() -> None:
    async def story() -> tuple[float, int]:
        clock = VirtualClock()
        exchange = CountingExchange(clock, seeded(1), tells=False)
        seconds = await spend(WeightLimiter(clock, limit=LIMIT), exchange, total=5200)
        return seconds, exchange.refused

    seconds, refused = run_virtually(story())
    assert refused == 0
    assert seconds < 3 * 60


def test_what_others_on_our_address_used_is_left_to_them() -> None:
    async def story() -> int:
        clock = VirtualClock()
        exchange = CountingExchange(clock, seeded(1))
        exchange.counted[0] = 2000
        await spend(WeightLimiter(clock, limit=LIMIT), exchange, total=600)
        return exchange.refused

    assert run_virtually(story()) == 0


@pytest.mark.fault(8)
def test_scans_leave_a_reserve_that_protective_requests_may_use() -> None:
    async def story() -> tuple[float, float]:
        clock = VirtualClock()
        limiter = WeightLimiter(clock, limit=LIMIT)
        for _ in range(57):
            limiter.settle(await limiter.acquire(40, Priority.SCAN), limiter.used)
        before = clock.monotonic()
        await limiter.acquire(100, Priority.PROTECTIVE)
        protective = clock.monotonic() - before
        await limiter.acquire(40, Priority.SCAN)
        return protective, clock.monotonic() - before

    protective, scan = run_virtually(story())
    assert protective < 1
    assert scan > 20


def test_of_those_who_wait_orders_go_before_scans() -> None:
    async def story() -> list[Priority]:
        clock = VirtualClock()
        limiter = WeightLimiter(clock, limit=100)
        exchange = CountingExchange(clock, seeded(1))
        served: list[Priority] = []

        async def want(priority: Priority) -> None:
            lease = await limiter.acquire(20, priority)
            served.append(priority)
            limiter.settle(lease, await exchange.ask(20))

        filling = [asyncio.create_task(want(Priority.SCAN)) for _ in range(4)]
        await asyncio.gather(*filling)
        waiting = [Priority.SCAN, Priority.GAP, Priority.ORDER, Priority.ACCOUNT]
        await asyncio.gather(*(want(priority) for priority in waiting))
        return served[4:]

    assert run_virtually(story()) == [Priority.ORDER, Priority.ACCOUNT, Priority.GAP, Priority.SCAN]


@pytest.mark.fault(9)
def test_inside_a_ban_scans_wait_and_orders_are_told_for_how_long() -> None:
    async def story() -> tuple[float, float]:
        clock = VirtualClock()
        limiter = WeightLimiter(clock)
        limiter.close_for(120)
        with pytest.raises(RateLimited) as told:
            await limiter.acquire(1, Priority.ORDER)
        await limiter.acquire(2, Priority.SCAN)
        return told.value.retry_after, clock.monotonic()

    retry_after, waited = run_virtually(story())
    assert retry_after == pytest.approx(120)
    assert waited >= 120


def test_who_gives_up_waiting_leaves_nothing_behind() -> None:
    async def story() -> int:
        clock = VirtualClock()
        limiter = WeightLimiter(clock, limit=100)
        limiter.settle(await limiter.acquire(90, Priority.SCAN), 90)
        waiting = asyncio.create_task(limiter.acquire(50, Priority.SCAN))
        await clock.sleep(1)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await clock.sleep(61)
        limiter.settle(await limiter.acquire(2, Priority.SCAN), 2)
        return limiter.used

    assert run_virtually(story()) == 2
