"""Repeated reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import ManualClock
from core.errors import ExchangeRefused, ExchangeUnavailable, RateLimited
from core.rng import seeded
from exchange.limits.retries import Backoff, ReadRetries


class Moody:
    """Fails with each of ``faults`` in turn, then answers."""

    def __init__(self, *faults: Exception) -> None:
        self._faults = list(faults)
        self.asked = 0

    async def read(self) -> str:
        self.asked += 1
        if self._faults:
            raise self._faults.pop(0)
        return "answer"


def retries(clock: ManualClock, *, patience: float = 5.0) -> ReadRetries:
    return ReadRetries(clock=clock, rng=seeded(1), attempts=3, patience=patience)


async def test_silence_is_asked_again_later() -> None:
    clock, moody = ManualClock(), Moody(ExchangeUnavailable("?"), ExchangeUnavailable("?"))
    assert await retries(clock).run(moody.read) == "answer"
    assert moody.asked == 3
    assert clock.monotonic() > 0


async def test_silence_that_lasts_is_the_callers() -> None:
    moody = Moody(*[ExchangeUnavailable("?")] * 9)
    with pytest.raises(ExchangeUnavailable):
        await retries(ManualClock()).run(moody.read)
    assert moody.asked == 3


async def test_a_no_is_not_asked_twice() -> None:
    moody = Moody(ExchangeRefused(-1121, "no such symbol"))
    with pytest.raises(ExchangeRefused):
        await retries(ManualClock()).run(moody.read)
    assert moody.asked == 1


async def test_a_short_limit_is_waited_out_and_a_long_one_is_not() -> None:
    clock = ManualClock()
    assert await retries(clock).run(Moody(RateLimited(-1003, "!", retry_after=3)).read) == "answer"
    assert clock.monotonic() >= 3
    with pytest.raises(RateLimited):
        await retries(clock).run(Moody(RateLimited(-1003, "!", retry_after=60)).read)


@given(attempt=st.integers(0, 1000), seed=st.integers(0, 100))
def test_waits_grow_but_never_beyond_the_cap(attempt: int, seed: int) -> None:
    delay = Backoff(first=0.2, cap=10).delay(attempt, seeded(seed))
    assert 0.1 * min(2**attempt, 50) <= delay <= min(0.2 * 2**attempt, 10)
