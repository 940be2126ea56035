"""Answers are given while they are true, asked for once, and never kept when they are faults."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import ManualClock
from data.cache import Cache


class Source:
    """Counts how often it was asked, and answers with the count once it may."""

    def __init__(self) -> None:
        self.asked = 0
        self.fault: Exception | None = None
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def load(self) -> int:
        self.asked += 1
        await self.may_answer.wait()
        if self.fault:
            raise self.fault
        return self.asked


async def test_an_answer_is_kept_for_half_a_minute_and_not_longer() -> None:
    clock, source = ManualClock(), Source()
    cache: Cache[str, int] = Cache(clock)
    assert await cache.get("tickers", source.load) == 1
    clock.advance_to(29_999)
    assert await cache.get("tickers", source.load) == 1
    clock.advance_to(30_000)
    assert await cache.get("tickers", source.load) == 2


@pytest.mark.fault(58)
async def test_an_answer_carries_its_question_and_is_as_old_as_that() -> None:
    clock, source = ManualClock(5_000), Source()
    source.may_answer.clear()
    cache: Cache[str, int] = Cache(clock)
    waiting = asyncio.ensure_future(cache.ask("tickers", source.load))
    await asyncio.sleep(0)  # noqa: TID251 - lets it ask
    clock.advance_to(25_000)
    source.may_answer.set()
    answer = await waiting
    assert (answer.key, answer.value, answer.at) == ("tickers", 1, 5.0)
    clock.advance_to(34_999)
    assert await cache.get("tickers", source.load) == 1
    clock.advance_to(35_000)
    assert await cache.get("tickers", source.load) == 2


@pytest.mark.fault(58)
async def test_symbols_and_accounts_never_get_each_others_answers() -> None:
    cache: Cache[tuple[str, str], str] = Cache(ManualClock())

    async def balance(account: str, asset: str) -> str:
        return f"{asset} of {account}"

    for account in ("one", "two"):
        for asset in ("USDT", "BNB"):
            answer = await cache.ask((account, asset), lambda a=account, b=asset: balance(a, b))  # type: ignore[misc]
            assert (answer.key, answer.value) == ((account, asset), f"{asset} of {account}")
    assert len(cache) == 4


async def test_what_is_true_until_a_candle_closes_expires_with_it_to_the_millisecond() -> None:
    clock, source = ManualClock(61_500), Source()
    cache: Cache[str, int] = Cache(
        clock, expires=lambda _key, _value, now: (now // 60_000 + 1) * 60_000, now=clock.market_ms
    )
    assert await cache.get("BTCUSDT", source.load) == 1
    clock.advance_to(119_999)
    assert await cache.get("BTCUSDT", source.load) == 1
    clock.advance_to(120_000)
    assert await cache.get("BTCUSDT", source.load) == 2


async def test_many_who_ask_at_once_ask_once() -> None:
    source = Source()
    source.may_answer.clear()
    cache: Cache[str, int] = Cache(ManualClock())
    waiting = [asyncio.ensure_future(cache.get("brackets", source.load)) for _ in range(50)]
    await asyncio.sleep(0)  # noqa: TID251 - lets them ask
    source.may_answer.set()
    assert set(await asyncio.gather(*waiting)) == {1}
    assert source.asked == 1


async def test_one_who_gives_up_does_not_take_the_answer_from_the_others() -> None:
    source = Source()
    source.may_answer.clear()
    cache: Cache[str, int] = Cache(ManualClock())
    first, second = (asyncio.ensure_future(cache.get("brackets", source.load)) for _ in range(2))
    await asyncio.sleep(0)  # noqa: TID251 - lets them ask
    first.cancel()
    source.may_answer.set()
    assert await second == 1


async def test_a_fault_reaches_everybody_and_is_not_kept() -> None:
    source = Source()
    source.fault = ConnectionError("silence")
    cache: Cache[str, int] = Cache(ManualClock())
    answers = await asyncio.gather(*(cache.get("x", source.load) for _ in range(3)), return_exceptions=True)
    assert [type(each) for each in answers] == [ConnectionError] * 3
    source.fault = None
    assert await cache.get("x", source.load) == 2


async def test_keys_are_told_apart_and_the_least_used_is_dropped_first() -> None:
    cache: Cache[tuple[str, str], str] = Cache(ManualClock(), size=2)

    def named(text: str) -> Callable[[], Awaitable[str]]:
        async def load() -> str:
            return text

        return load

    await cache.get(("main", "BTC"), named("a"))
    await cache.get(("other", "BTC"), named("b"))
    assert await cache.get(("main", "BTC"), named("new")) == "a"
    await cache.get(("main", "ETH"), named("c"))
    assert len(cache) == 2
    assert await cache.get(("other", "BTC"), named("asked again")) == "asked again"


async def test_a_wrong_answer_can_be_forgotten() -> None:
    source = Source()
    cache: Cache[str, int] = Cache(ManualClock())
    await cache.get("x", source.load)
    cache.forget("x")
    cache.forget("never known")
    assert await cache.get("x", source.load) == 2


@given(moments=st.lists(st.integers(min_value=0, max_value=200_000), max_size=30))
def test_no_answer_is_ever_older_than_its_time(moments: list[int]) -> None:
    clock = ManualClock()
    cache: Cache[str, float] = Cache(clock)

    async def load() -> float:
        return clock.monotonic()

    async def ask() -> None:
        for moment in sorted(moments):
            clock.advance_to(moment)
            assert clock.monotonic() - await cache.get("x", load) < 30.0

    asyncio.run(ask())


@pytest.mark.parametrize("size", [1, 3])
async def test_never_more_is_kept_than_allowed(size: int) -> None:
    cache: Cache[int, int] = Cache(ManualClock(), size=size)
    source = Source()
    for key in range(10):
        await cache.get(key, source.load)
        assert len(cache) <= size
