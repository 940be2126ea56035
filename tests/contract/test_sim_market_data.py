"""Public market data over sockets, as the real ccxt reads it."""

import aiohttp
import pytest

from core.market import MINUTE_MS, QUARTER_MS
from exchange.sim.process import Simulator
from tests.contract.sim_clients import ccxt_client, pass_minutes, running

BTC = "BTC/USDT:USDT"


async def get(rest: str, path: str) -> tuple[int, object, dict[str, str]]:
    async with aiohttp.ClientSession() as session, session.get(rest + path) as response:
        return response.status, await response.json(), dict(response.headers)


def index_of(simulator: Simulator, symbol: str) -> int:
    return simulator.market.index_of[symbol]


async def test_markets_load_with_their_filters() -> None:
    async with (
        running(symbols=650, history_bars=16) as (simulator, announced),
        ccxt_client(announced) as client,
    ):
        markets = await client.load_markets()
        assert len(markets) == 650
        for instrument in simulator.market.instruments[:50]:
            market = client.market(instrument.symbol)
            contract = instrument.contract
            assert all(market[each] for each in ("swap", "linear", "active"))
            assert market["precision"]["price"] == float(contract.tick_size)
            assert market["precision"]["amount"] == float(contract.step_size)
            assert market["limits"]["cost"]["min"] == float(contract.min_notional)
            assert market["limits"]["market"]["max"] == float(contract.max_market_quantity)


async def test_candles_page_without_a_gap_or_an_overlap() -> None:
    async with running(history_bars=1500) as (simulator, announced), ccxt_client(announced) as client:
        await client.load_markets()
        pages: list[list[float]] = []
        end = simulator.market.now_ms
        for _ in range(3):
            page = await client.fetch_ohlcv(BTC, "15m", limit=499, params={"endTime": end})
            pages = page + pages
            end = page[0][0] - 1
        times = [row[0] for row in pages]
        assert len(times) == 3 * 499
        assert times == list(range(int(times[0]), int(times[-1]) + 1, QUARTER_MS))
        again = await client.fetch_ohlcv(BTC, "15m", since=int(times[7]), limit=100)
        assert again == pages[7:107]


async def test_a_quarter_equals_its_minutes_over_the_wire() -> None:
    async with running() as (simulator, announced), ccxt_client(announced) as client:
        pass_minutes(simulator, 30)
        minutes = await client.fetch_ohlcv(BTC, "1m", limit=499)
        quarters = {row[0]: row for row in await client.fetch_ohlcv(BTC, "15m", limit=20)}
        start = next(each for each in minutes if each[0] in quarters)
        place = minutes.index(start)
        parts = minutes[place : place + 15]
        quarter = quarters[start[0]]
        assert quarter[1] == parts[0][1]
        assert quarter[2] == max(each[2] for each in parts)
        assert quarter[3] == min(each[3] for each in parts)
        assert quarter[4] == parts[-1][4]
        assert quarter[5] == pytest.approx(sum(each[5] for each in parts))


async def test_the_last_candle_is_the_one_that_forms() -> None:
    async with running() as (simulator, announced), ccxt_client(announced) as client:
        pass_minutes(simulator, 2)
        for _ in range(20):
            simulator.market.step()
        candles = await client.fetch_ohlcv(BTC, "1m", limit=3)
        assert candles[-1][0] == simulator.market.minute_ms
        last = simulator.market.last[index_of(simulator, "BTCUSDT")]
        assert candles[-1][4] * 100 == pytest.approx(last)


@pytest.mark.parametrize("kind", ["mark", "index", "premiumIndex"])
async def test_prices_that_are_not_traded_have_candles_too(kind: str) -> None:
    async with running() as (_, announced), ccxt_client(announced) as client:
        candles = await client.fetch_ohlcv(BTC, "1h", limit=10, params={"price": kind})
        assert len(candles) == 10
        assert all(row[3] <= row[1] <= row[2] and row[5] == 0 for row in candles)


async def test_tickers_books_and_marks_agree_with_the_market() -> None:
    async with running() as (simulator, announced), ccxt_client(announced) as client:
        pass_minutes(simulator, 3)
        ticker = await client.fetch_ticker(BTC)
        quotes = simulator.venue.floor.quotes
        assert ticker["last"] == float(quotes.last("BTCUSDT"))
        assert ticker["low"] <= ticker["last"] <= ticker["high"]
        assert len(await client.fetch_tickers()) == 4
        bids_asks = (await client.fetch_bids_asks([BTC]))[BTC]
        book = await client.fetch_order_book(BTC, 20)
        assert bids_asks["bid"] == book["bids"][0][0] == float(quotes.best_bid("BTCUSDT"))
        assert bids_asks["ask"] == book["asks"][0][0] == float(quotes.best_ask("BTCUSDT"))
        mark = await client.fetch_mark_price(BTC)
        assert mark["markPrice"] == float(quotes.mark("BTCUSDT"))
        assert len(await client.fetch_last_prices()) == 4


async def test_funding_is_told_before_it_is_settled() -> None:
    async with running() as (simulator, announced), ccxt_client(announced) as client:
        funding = await client.fetch_funding_rate(BTC)
        assert funding["fundingRate"] == float(simulator.venue.floor.quotes.funding_rate("BTCUSDT"))
        assert funding["fundingTimestamp"] == simulator.venue.floor.quotes.next_funding_ms("BTCUSDT")
        history = await client.fetch_funding_rate_history(BTC, limit=3)
        assert len(history) == 3
        assert history[-1]["timestamp"] <= simulator.market.now_ms
        assert (await client.fetch_open_interest(BTC))["openInterestAmount"] > 0
        assert isinstance(await client.fetch_funding_intervals(), dict)


async def test_the_server_tells_machine_time_and_its_candles_market_time() -> None:
    async with running() as (simulator, announced), ccxt_client(announced) as client:
        before = client.milliseconds()
        assert before <= await client.fetch_time() <= client.milliseconds()
        candles = await client.fetch_ohlcv(BTC, "1m", limit=1)
        assert candles[0][0] == simulator.market.now_ms - simulator.market.now_ms % MINUTE_MS
        assert candles[0][0] < before


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/fapi/v1/klines?interval=1m", 400, -1102),
        ("/fapi/v1/klines?symbol=BTCUSDT", 400, -1102),
        ("/fapi/v1/klines?symbol=NOPEUSDT&interval=1m", 400, -1121),
        ("/fapi/v1/klines?symbol=BTCUSDT&interval=7m", 400, -1120),
        ("/fapi/v1/klines?symbol=BTCUSDT&interval=1m&limit=1501", 400, -1130),
        ("/fapi/v1/klines?symbol=BTCUSDT&interval=1m&limit=0", 400, -1130),
        ("/fapi/v1/klines?symbol=BTCUSDT&interval=1m&startTime=abc", 400, -1130),
        ("/fapi/v1/depth?symbol=BTCUSDT&limit=7", 400, -4021),
        ("/fapi/v1/nothing", 404, -5000),
        ("/fapi/v3/account", 401, -2014),
    ],
)
async def test_wrong_calls_get_binances_codes(path: str, status: int, code: int) -> None:
    async with running() as (_, announced):
        answered, body, _ = await get(announced.rest, path)
        assert isinstance(body, dict)
        assert (answered, body["code"]) == (status, code)


async def test_each_answer_tells_the_weight_used_and_too_much_is_429_then_418() -> None:
    async with running(weight_limit=50) as (_, announced):
        path = "/fapi/v1/klines?symbol=BTCUSDT&interval=1m&limit=499"
        seen = [await get(announced.rest, path) for _ in range(40)]
        assert [int(headers["X-MBX-USED-WEIGHT-1M"]) for _, _, headers in seen[:3]] == [2, 4, 6]
        statuses = [status for status, _, _ in seen]
        assert statuses[:25] == [200] * 25
        assert statuses[25:35] == [429] * 10
        assert statuses[35:] == [418] * 5
        assert int(seen[30][2]["Retry-After"]) <= 60
        assert int(seen[-1][2]["Retry-After"]) == 120
