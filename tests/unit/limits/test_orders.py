"""The count of orders, against an exchange that counts in fixed windows of its own."""

import asyncio
from collections import Counter

import pytest

from core.errors import RateLimited
from exchange.limits.orders import OrderLimit, OrderLimiter
from exchange.limits.weight import Priority
from tests.fakes.virtual_time import VirtualClock, run_virtually


async def send(limiter: OrderLimiter, clock: VirtualClock, *, orders: int) -> list[float]:
    sent = []
    for _ in range(orders):
        await limiter.acquire(Priority.PROTECTIVE)
        sent.append(clock.monotonic())
    return sent


@pytest.mark.parametrize("speed", [1.0, 60.0])
@pytest.mark.parametrize("phase", [0.0, 3.7])
def test_a_storm_of_stops_stays_inside_every_window_of_the_exchange(speed: float, phase: float) -> None:
    async def story() -> list[float]:
        clock = VirtualClock(speed=speed)
        return await send(OrderLimiter(clock, period=60 / speed), clock, orders=4000)

    market = [at * speed + phase for at in run_virtually(story())]
    assert max(Counter(int(at // 10) for at in market).values()) <= 300
    assert max(Counter(int(at // 60) for at in market).values()) <= 1200
    assert market[-1] < 4000 / 1200 * 60 * 1.2  # and wastes little of them


def test_an_entry_beyond_its_share_is_refused_at_once_and_a_stop_still_leaves() -> None:
    async def story() -> float:
        clock = VirtualClock()
        limiter = OrderLimiter(clock, limits=[OrderLimit(orders=100, seconds=10)])
        for _ in range(45):
            await limiter.acquire(Priority.ORDER)
        with pytest.raises(RateLimited) as refused:
            await limiter.acquire(Priority.ORDER)
        assert 0 < refused.value.retry_after <= 10
        began = clock.monotonic()
        await limiter.acquire(Priority.PROTECTIVE)
        return clock.monotonic() - began

    assert run_virtually(story()) < 0.1


def test_stops_that_wait_leave_in_time_and_an_entry_beside_them_is_refused() -> None:
    async def story() -> list[float]:
        clock = VirtualClock()
        limiter = OrderLimiter(clock, limits=[OrderLimit(orders=20, seconds=10)])
        storm = [asyncio.create_task(send(limiter, clock, orders=1)) for _ in range(30)]
        await clock.sleep(1)
        with pytest.raises(RateLimited):
            await limiter.acquire(Priority.ORDER)
        return sorted(at for each in await asyncio.gather(*storm) for at in each)

    sent = run_virtually(story())
    assert sum(at < 1 for at in sent) == 19
    assert all(10 <= at < 11 for at in sent[19:])


def test_limits_that_the_exchange_announces_take_the_place_of_those_we_knew() -> None:
    async def story() -> float:
        clock = VirtualClock()
        limiter = OrderLimiter(clock)
        limiter.set_limits([OrderLimit(orders=10, seconds=10)])
        limiter.set_limits([])
        return (await send(limiter, clock, orders=10))[-1]

    assert run_virtually(story()) >= 10
