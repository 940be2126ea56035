"""The data service between a market that is slow, late or broken, and a trader that wants whole minutes."""

import numpy as np
import pytest

from core.errors import ExchangeRefused, ExchangeUnavailable
from core.market import MINUTE_MS, QUARTER_MS, Field
from exchange.limits.weight import Priority
from tests.fakes.virtual_time import VirtualClock
from tests.unit.services.fake_market import START, FakeMarket, Heard, candle, played, warmed


def test_histories_come_before_the_first_minute_and_join_it_without_a_gap() -> None:
    async def story(market: FakeMarket, _: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        market.closes(0)
        market.closes(1)

    heard = played(story)
    assert heard.present() == [(0, [True] * 3), (1, [True] * 3)]
    for index in range(3):
        known = heard.candles_of(index)
        assert len(known) == 499 + 2
        assert max(known) == START + MINUTE_MS
    quarters = [each for each in heard.histories if each.timeframe_ms == QUARTER_MS]
    assert [each.candles.shape for each in quarters] == [(5, 1497)] * 3
    assert all(each.open_times[-1] == START - QUARTER_MS for each in quarters)


def test_a_symbol_costs_three_pages_of_15m_and_one_of_1m() -> None:
    async def story(market: FakeMarket, _: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        of_a = [(timeframe, limit) for symbol, timeframe, limit, _ in market.pages if symbol == "AUSDT"]
        assert of_a == [(QUARTER_MS, 499)] * 3 + [(MINUTE_MS, 499)]

    heard = played(story)
    assert heard.progress[-1].done == heard.progress[-1].total == 3


def test_that_a_symbol_is_young_is_believed_when_there_is_no_older_page() -> None:
    async def story(market: FakeMarket, _: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        assert len([page for page in market.pages if page[0] == "AUSDT"]) == 3

    played(story, listed_since=START - 100 * QUARTER_MS)


def test_minutes_that_close_while_history_is_fetched_are_not_lost() -> None:
    async def story(market: FakeMarket, heard: Heard, clock: VirtualClock) -> None:
        market.breathes()
        await clock.sleep(0.1)
        market.closes(0)
        await clock.sleep(0.4)
        market.closes(1)
        await clock.sleep(10)
        assert heard.present() == [(1, [True, True, False])]
        market.closes(2)

    heard = played(story, delays={"CUSDT": 2.0})
    assert heard.present()[-1] == (2, [True, True, True])
    assert all(max(heard.candles_of(index)) == START + 2 * MINUTE_MS for index in range(3))


def test_a_minute_leaves_with_its_last_candle_and_not_before() -> None:
    async def story(market: FakeMarket, heard: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        market.closes(0, 0, 2)
        await clock.sleep(2.4)
        assert heard.minutes == []
        market.closes(0, 1)

    assert played(story).present() == [(0, [True] * 3)]


def test_nobody_waits_longer_than_the_deadline_and_the_absent_are_named() -> None:
    async def story(market: FakeMarket, heard: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        market.closes(0, 0, 2)
        await clock.sleep(2.6)
        assert heard.present() == [(0, [True, False, True])]
        market.closes(1, 0, 2)
        await clock.sleep(0)

    assert played(story).present()[-1] == (1, [True, False, True])


def test_a_late_candle_is_handed_out_before_its_symbol_returns() -> None:
    async def story(market: FakeMarket, _: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        market.closes(0, 0, 2)
        await clock.sleep(3)
        market.closes(0, 1)
        market.closes(1)

    heard = played(story)
    assert heard.present() == [(0, [True, False, True]), (1, [True] * 3)]
    assert max(heard.candles_of(1)) == START + MINUTE_MS


def test_a_candle_the_stream_skipped_is_fetched_by_a_small_page() -> None:
    async def story(market: FakeMarket, _: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        market.closes(0, 0, 2)
        await clock.sleep(3)
        market.closes(1)
        await clock.sleep(1)
        market.closes(2)
        assert market.pages[-1] == ("BUSDT", MINUTE_MS, 99, Priority.GAP)

    heard = played(story)
    assert heard.present()[-1] == (2, [True] * 3)
    assert max(heard.candles_of(1)) == START + 2 * MINUTE_MS


def test_a_minute_the_exchange_has_no_candle_of_is_one_where_price_stood_still() -> None:
    async def story(market: FakeMarket, _: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        market.closes(0, 0, 2)
        await clock.sleep(3)
        market.closes(1)
        await clock.sleep(1)
        market.closes(2)

    heard = played(story, holes={("BUSDT", START)})
    repair = heard.histories[-1]
    before = candle(1, START - MINUTE_MS)[Field.CLOSE]
    assert repair.symbol == "BUSDT"
    assert repair.candles[:, 0].tolist() == [before, before, before, before, 0.0]
    assert heard.present()[-1] == (2, [True] * 3)


def test_a_candle_the_exchange_does_not_show_yet_is_waited_for_and_not_invented() -> None:
    async def story(market: FakeMarket, heard: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        market.closes(0, 0, 2)
        await clock.sleep(3)
        market.forming = START - MINUTE_MS
        before = len(market.pages)
        market.sink.on_candles_resumed([1])
        await clock.sleep(1)
        assert len(market.pages) == before + 1
        market.closes(1)
        await clock.sleep(1)
        market.closes(2)

    heard = played(story)
    assert heard.present()[-1] == (2, [True] * 3)
    assert max(heard.candles_of(1)) == START + 2 * MINUTE_MS


def test_a_dead_symbol_delays_one_minute_and_no_other() -> None:
    async def story(market: FakeMarket, heard: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        market.closes(0, 0, 2)
        await clock.sleep(3)
        for minute in range(1, 5):
            market.closes(minute, 0, 2)
            await clock.sleep(0.01)
            assert len(heard.minutes) == minute + 1

    played(story)


def test_an_outage_of_everything_skips_no_minute_and_heals() -> None:
    async def story(market: FakeMarket, _: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        market.closes(0)
        await clock.sleep(1)
        market.closes(7)
        await clock.sleep(4)
        market.closes(8)
        await clock.sleep(1)
        market.closes(9)

    heard = played(story)
    assert [number for number, _ in heard.present()] == list(range(10))
    assert heard.present()[-1] == (9, [True] * 3)
    assert all(max(heard.candles_of(index)) == START + 9 * MINUTE_MS for index in range(3))


def test_a_symbol_without_history_is_left_out_with_the_reason_and_holds_up_nobody() -> None:
    async def story(market: FakeMarket, _: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        market.closes(0)
        assert market.service.excluded["BUSDT"].reason == "gone (code -1121)"

    heard = played(story, faults={"BUSDT": [ExchangeRefused(-1121, "gone")] * 3})
    assert heard.present() == [(0, [True, False, True])]
    assert (heard.progress[-1].done, heard.progress[-1].failed) == (2, 1)


def test_a_symbol_left_out_is_asked_for_again_when_its_time_is_over() -> None:
    async def story(market: FakeMarket, heard: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        market.closes(0)
        await clock.sleep((market.service.excluded["BUSDT"].until_ms - clock.market_ms()) / 1000 + 2)
        assert market.service.excluded == {}
        market.closes(1)

    heard = played(story, faults={"BUSDT": [ExchangeUnavailable("silence")] * 3})
    assert heard.present() == [(0, [True, False, True]), (1, [True] * 3)]
    assert max(heard.candles_of(1)) == START + MINUTE_MS


def test_a_symbol_that_can_not_be_fetched_anew_is_set_aside_too() -> None:
    async def story(market: FakeMarket, _: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        market.faults["BUSDT"] = [ExchangeRefused(-1121, "gone")] * 3
        market.service.distrust("BUSDT")
        await clock.sleep(1)
        assert market.service.excluded["BUSDT"].reason == "gone (code -1121)"
        market.closes(0)

    assert played(story).present() == [(0, [True, False, True])]


def test_a_symbol_that_fails_once_is_tried_again() -> None:
    async def story(market: FakeMarket, _: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        market.closes(0)

    heard = played(story, faults={"BUSDT": [ExchangeUnavailable("silence")]})
    assert heard.present() == [(0, [True] * 3)]


def test_a_forming_candle_and_one_from_the_future_decide_nothing() -> None:
    async def story(market: FakeMarket, heard: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        for index in range(3):
            market.sink.on_candle(index, START, candle(index, START), closed=False, at=START + 1)
        far = START + 10**6 * MINUTE_MS
        market.sink.on_candle(0, far, candle(0, far), closed=True, at=START + 1)
        await clock.sleep(10)
        assert heard.minutes == []

    played(story)


def test_the_context_of_a_minute_is_a_copy_of_that_moment() -> None:
    async def story(market: FakeMarket, _: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        market.sink.on_book(1, 99.0, 101.0)
        market.sink.on_volume(1, 7e6)
        market.closes(0)
        market.sink.on_book(1, 1.0, 2.0)

    (minute,) = played(story).minutes
    assert (minute.context.bid[1], minute.context.ask[1]) == (99.0, 101.0)
    assert minute.context.quote_volume_24h[1] == 7e6
    assert minute.context.mark[0] == 100.0
    assert np.isnan(minute.context.bid[0])


@pytest.mark.fault(90)
def test_a_mistake_inside_ends_the_minutes_loudly() -> None:
    async def story(market: FakeMarket, _: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        market.broken.set()
        await clock.sleep(0.1)

    (fault,) = played(story).faults
    assert "a mistake in the streams" in str(fault)


@pytest.mark.fault(53)
def test_a_gap_longer_than_memory_means_a_fresh_history() -> None:
    async def story(market: FakeMarket, _: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        market.closes(0, 0, 2)
        await clock.sleep(3)
        for minute in range(1, 700):
            market.closes(minute, 0, 2)
        market.closes(700)
        await clock.sleep(1)
        market.closes(701)

    heard = played(story)
    assert heard.present()[-1] == (701, [True] * 3)
    quarters, fresh = heard.histories[-2:]
    assert (quarters.symbol, quarters.starts_over) == ("BUSDT", True)  # no indicator is computed across it
    assert (fresh.symbol, fresh.timeframe_ms, len(fresh.open_times)) == ("BUSDT", MINUTE_MS, 499)


def test_after_a_reconnect_gaps_are_fetched_without_waiting_for_the_next_candle() -> None:
    async def story(market: FakeMarket, _: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        market.closes(0, 0, 2)
        await clock.sleep(3)
        market.sink.on_candles_resumed([1])
        await clock.sleep(1)
        market.closes(1)

    heard = played(story)
    assert heard.present() == [(0, [True, False, True]), (1, [True] * 3)]
    assert max(heard.candles_of(1)) == START + MINUTE_MS


def test_what_is_known_of_a_lost_stream_is_forgotten() -> None:
    async def story(market: FakeMarket, _: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        market.sink.on_book(0, 99.0, 101.0)
        market.sink.on_books_lost()
        market.sink.on_marks_lost()
        market.closes(0)

    context = played(story).minutes[0].context
    assert np.isnan([context.bid[0], context.ask[0], context.mark[0], context.funding_rate[0]]).all()


def test_a_candle_that_can_not_be_true_is_fetched_instead() -> None:
    async def story(market: FakeMarket, _: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        market.closes(0, 0, 2)
        crossed = (100.0, 90.0, 95.0, 99.0, 1.0)
        market.sink.on_candle(1, START, crossed, closed=True, at=START + MINUTE_MS)
        await clock.sleep(3)
        market.closes(1)
        await clock.sleep(1)
        market.closes(2)

    heard = played(story)
    assert heard.present()[0] == (0, [True, False, True])
    assert heard.present()[-1] == (2, [True] * 3)
    assert max(heard.candles_of(1)) == START + 2 * MINUTE_MS


def test_a_candle_told_twice_or_revised_later_changes_nothing_that_is_known() -> None:
    async def story(market: FakeMarket, _: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        market.closes(0)
        market.closes(0)
        market.sink.on_candle(1, START, (1.0, 2.0, 1.0, 2.0, 1.0), closed=True, at=START + MINUTE_MS)
        market.closes(1)

    heard = played(story)
    assert heard.present() == [(0, [True] * 3), (1, [True] * 3)]
    assert max(heard.candles_of(1)) == START + MINUTE_MS


@pytest.mark.fault(55)
def test_a_closed_candle_that_the_exchange_has_changed_means_that_the_symbol_starts_over() -> None:
    async def story(market: FakeMarket, _: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        wrong = (100.0, 103.0, 99.0, 101.0, 1.0)
        market.sink.on_candle(1, START, wrong, closed=True, at=START + MINUTE_MS)
        market.closes(0, 0, 2)
        market.closes(0, 1)  # closed once more, and this time as it is in the exchange's own history
        await clock.sleep(1)
        market.closes(1)

    heard = played(story)
    again = [history for history in heard.histories if history.starts_over]
    assert [each.symbol for each in again] == ["BUSDT"]
    anew = heard.histories[-1]
    assert (anew.symbol, anew.timeframe_ms, anew.open_times[-1]) == ("BUSDT", MINUTE_MS, START)
    assert anew.candles[:, -1].tolist() == list(candle(1, START))
    assert heard.present()[-1] == (1, [True] * 3)


@pytest.mark.fault(55)
def test_of_two_closings_before_the_decision_the_last_counts() -> None:
    async def story(market: FakeMarket, _: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        market.sink.on_candle(1, START, (100.0, 103.0, 99.0, 101.0, 1.0), closed=True, at=START + MINUTE_MS)
        market.closes(0, 1)
        market.closes(0, 0, 2)
        await clock.sleep(1)

    heard = played(story)
    assert heard.present() == [(0, [True] * 3)]
    assert not any(history.starts_over for history in heard.histories)
    assert max(heard.candles_of(1)) == START


@pytest.mark.fault(54)
def test_a_candle_called_closed_before_its_minute_is_over_decides_nothing() -> None:
    async def story(market: FakeMarket, heard: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        for index in range(3):
            early = START + MINUTE_MS - 5_000
            market.sink.on_candle(index, START, candle(index, START), closed=True, at=early)
        await clock.sleep(10)
        assert heard.minutes == []

    played(story)


def test_a_symbol_whose_candles_proved_wrong_is_fetched_anew_and_absent_until_then() -> None:
    async def story(market: FakeMarket, heard: Heard, clock: VirtualClock) -> None:
        await warmed(market, clock)
        market.closes(0)
        await clock.sleep(0.01)
        market.delays["BUSDT"] = 1.0
        market.service.distrust("BUSDT")
        market.service.distrust("BUSDT")
        market.closes(1)
        await clock.sleep(5)
        market.closes(2)

    heard = played(story)
    assert heard.present()[-2:] == [(1, [True, False, True]), (2, [True, True, True])]
    again = [history for history in heard.histories if history.starts_over]
    assert [(each.symbol, each.timeframe_ms) for each in again] == [("BUSDT", QUARTER_MS)]
    anew = heard.histories[-1]
    assert (anew.symbol, anew.timeframe_ms) == ("BUSDT", MINUTE_MS)
    assert anew.open_times[-1] == START + MINUTE_MS
