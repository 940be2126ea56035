"""The market between two minutes: what forms, what closes, what the mark does."""

from decimal import Decimal

import numpy as np
import pytest

from core.market import DAY_MS, MINUTE_MS, QUARTER_MS
from exchange.sim.market.book import Book
from exchange.sim.market.candles import Row, merge
from exchange.sim.market.funding import HOUR_MS, FundingSchedule
from exchange.sim.market.quotes import MarketQuotes
from exchange.sim.venue.terms import Side
from tests.unit.sim_market.markets import pass_minutes, seeded_market


def test_a_minute_closes_every_sixty_steps() -> None:
    market = seeded_market()
    closed = [market.step() for _ in range(180)]
    assert [number for number, each in enumerate(closed) if each] == [59, 119, 179]


def test_the_forming_candle_becomes_the_closed_one() -> None:
    market = seeded_market()
    for _ in range(59):
        market.step()
    _, forming = market.forming(MINUTE_MS)
    market.step()
    assert np.array_equal(forming, market.closed(MINUTE_MS))


@pytest.mark.parametrize("interval_ms", [3 * MINUTE_MS, QUARTER_MS, HOUR_MS, DAY_MS])
def test_the_last_bar_of_any_interval_forms_with_the_last_price(interval_ms: int) -> None:
    market = seeded_market()
    pass_minutes(market, 7)
    open_ms, forming = market.forming(interval_ms)
    bars = market.bars(2, interval_ms)
    assert bars.open_times[-1] == open_ms == market.now_ms - market.now_ms % interval_ms
    assert bars.rows[:, -1].tolist() == forming[:, 2].tolist()
    assert forming[Row.CLOSE].tolist() == market.last.tolist()


def test_a_five_minute_bar_holds_its_five_minutes() -> None:
    market = seeded_market()
    pass_minutes(market, 10)
    bars = market.bars(1, 5 * MINUTE_MS)
    minutes = market.minutes.of(1)
    place = np.flatnonzero(minutes.open_times == bars.open_times[-2])[0]
    assert bars.rows[:, -2].tolist() == merge(minutes.rows[:, place : place + 5]).tolist()


def test_the_mark_follows_the_last_price_without_its_haste() -> None:
    market = seeded_market()
    gaps = []
    for _ in range(600):
        before = market.mark.copy()
        market.step()
        gaps.append(np.abs(market.mark - before) <= np.abs(market.last - before) + 1e-9)
    assert np.all(gaps)
    assert np.allclose(market.mark, market.last, rtol=0.02)


def test_the_last_trade_stands_on_one_side_of_the_book() -> None:
    market = seeded_market(symbols=50)
    book = Book(market)
    pass_minutes(market, 1)
    bids, asks = book.best()
    assert (bids < asks).all()
    assert ((bids == market.last) | (asks == market.last)).all()
    assert not (bids % market.scales.tick).any()


def test_levels_step_away_from_the_best_price_in_whole_steps() -> None:
    market = seeded_market(symbols=50)
    book = Book(market)
    for index, instrument in enumerate(market.instruments):
        prices, quantities = book.levels(index, asks=True)
        assert prices[0] == book.best()[1][index]
        assert (np.diff(prices) > 0).all()
        step = int(instrument.contract.step_size.scaleb(int(market.scales.volume_decimals[index])))
        assert (quantities > 0).all()
        assert not (quantities % step).any()


def test_liquid_symbols_have_the_tighter_book() -> None:
    market = seeded_market(symbols=400)
    spreads = Book(market).spreads() / market.last
    assert np.median(spreads[:50]) < np.median(spreads[-50:])


def test_quotes_speak_decimals_on_the_tick() -> None:
    market = seeded_market()
    schedule = FundingSchedule(np.array([each.daily_quote_volume for each in market.instruments]), seed=1)
    quotes = MarketQuotes(market, Book(market), schedule)
    tick = market.instruments[0].contract.tick_size
    symbol = market.instruments[0].symbol
    assert quotes.last(symbol) % tick == 0
    assert quotes.best_bid(symbol) < quotes.best_ask(symbol)
    assert quotes.book(symbol, Side.BUY)[0][0] == quotes.best_ask(symbol)
    assert quotes.book(symbol, Side.SELL)[0][0] == quotes.best_bid(symbol)
    assert abs(quotes.mark(symbol) / quotes.last(symbol) - 1) < Decimal("0.01")
    assert quotes.next_funding_ms(symbol) % (4 * HOUR_MS) == 0
    assert abs(quotes.funding_rate(symbol)) < Decimal("0.01")


def test_a_settled_rate_is_the_one_that_was_announced() -> None:
    schedule = FundingSchedule(np.array([1e9, 1e6]), seed=4)
    now = 5 * HOUR_MS
    announced, times = schedule.next_rates(now), schedule.next_times(now)
    assert [schedule.rates_at(int(at))[number] for number, at in enumerate(times)] == announced.tolist()
