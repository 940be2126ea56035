"""Candles over REST while streams stay silent: late and bounded, until the streams take over; none twice."""

import numpy as np
import pytest

from core.errors import ExchangeUnavailable
from core.market import MINUTE_MS
from exchange.limits.weight import Priority
from services.candle_pages import CHEAP_PAGE
from services.polling import MISSED
from tests.fakes.virtual_time import VirtualClock
from tests.unit.services.fake_market import AXIS, START, FakeMarket, Heard, played, warmed


def asked(market: FakeMarket, symbol: str, *, since: int = 0) -> int:
    return sum(name == symbol for name, *_ in market.pages[since:])


@pytest.mark.fault(21)
def test_a_market_whose_streams_are_all_silent_goes_on_by_rest_and_no_minute_is_lost() -> None:
    async def story(market: FakeMarket, heard: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        for index in range(3):
            market.sink.on_book(index, 99.0, 101.0)
        await market.passes(range(2))
        before = len(market.pages)
        await market.passes(range(2, 10), silent=True)
        await clock.sleep(10)
        assert market.service.polled == set(AXIS.names)
        assert heard.present()[-1] == (9, [True] * 3)
        assert {(limit <= CHEAP_PAGE, why) for _, _, limit, why in market.pages[before:]} == {
            (True, Priority.SCAN)
        }
        await market.passes(range(10, 13))
        await clock.sleep(2)
        assert market.service.polled == frozenset()

    heard = played(story, in_step=True)
    assert heard.present() == [(minute, [True] * 3) for minute in range(13)]
    may_enter = [bool(np.isfinite(minute.context.spread).all()) for minute in heard.minutes]
    assert may_enter == [True] * 2 + [False] * 9 + [True] * 2  # the first that streams come back with is late
    assert all(max(heard.candles_of(index)) == START + 12 * MINUTE_MS for index in range(3))


@pytest.mark.fault(21)
def test_one_silent_stream_is_late_and_known_while_nobody_waits_for_it() -> None:
    async def story(market: FakeMarket, heard: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        await market.passes(range(1))
        await market.passes(range(1, 8), 0, 2)
        await clock.sleep(0.01)
        assert heard.present()[-1] == (7, [True, False, True])  # at once, not after the deadline
        await clock.sleep(10)
        assert max(heard.candles_of(1)) == START + 7 * MINUTE_MS
        await market.passes(range(8, 11))

    heard = played(story, in_step=True)
    assert heard.present()[-2:] == [(9, [True] * 3), (10, [True] * 3)]
    assert max(heard.candles_of(1)) == START + 10 * MINUTE_MS


def test_a_stream_that_was_acknowledged_and_is_silent_is_found_within_three_candles() -> None:
    async def story(market: FakeMarket, _: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        await market.passes(range(1))
        before = len(market.pages)
        await market.passes(range(1, MISSED), 0, 2)
        await clock.sleep(30)
        assert asked(market, "BUSDT", since=before) == 0
        assert market.renewed == []
        await market.passes(range(MISSED, MISSED + 1), 0, 2)
        await clock.sleep(30)
        assert asked(market, "BUSDT", since=before) == 1
        assert market.renewed == ["BUSDT"]

    played(story, in_step=True)


def test_healthy_streams_cost_nothing() -> None:
    async def story(market: FakeMarket, _: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        before = len(market.pages)
        await market.passes(range(30))
        assert market.pages[before:] == []

    assert len(played(story, in_step=True).minutes) == 30


def test_the_symbols_known_least_of_are_asked_for_first_and_only_so_many_a_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.polling.MOST_A_MINUTE", 1)

    async def story(market: FakeMarket, _: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        await market.passes(range(1))
        before = len(market.pages)
        await market.passes(range(1, 10), silent=True)
        names = [name for name, *_ in market.pages[before:]]
        assert names[:6] == ["AUSDT", "BUSDT", "CUSDT"] * 2

    played(story, in_step=True)


def test_who_does_not_answer_is_asked_again_in_the_next_minute() -> None:
    async def story(market: FakeMarket, _: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        await market.passes(range(1))
        market.faults["BUSDT"] = [ExchangeUnavailable("silence")] * 3
        await market.passes(range(1, 9), silent=True)
        await clock.sleep(30)

    heard = played(story, in_step=True)
    assert heard.present()[-1] == (8, [True] * 3)
    assert all(max(heard.candles_of(index)) == START + 8 * MINUTE_MS for index in range(3))


def test_a_round_that_nobody_answers_is_one_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def story(market: FakeMarket, _: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        await market.passes(range(1))
        for symbol in AXIS.names:
            market.faults[symbol] = [ExchangeUnavailable("silence")]
        await market.passes(range(1, 9), silent=True)

    with caplog.at_level("INFO", logger="services.polling"):
        played(story, in_step=True)
    assert [each.message for each in caplog.records if each.name == "services.polling"] == [
        "no new candles of 3 of 3 symbols, such as AUSDT: silence"
    ]


def test_a_start_without_a_single_word_from_the_streams_goes_by_rest() -> None:
    async def story(market: FakeMarket, heard: Heard, clock: VirtualClock) -> None:
        await market.passes(range(6), silent=True)
        await clock.sleep(30)
        assert heard.present()[-1] == (5, [True] * 3)

    heard = played(story, in_step=True)
    assert all(max(heard.candles_of(index)) == START + 5 * MINUTE_MS for index in range(3))
