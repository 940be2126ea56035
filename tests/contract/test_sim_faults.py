"""Every fault that can be switched on happens, as often as asked, where asked, and not otherwise."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import ccxt.async_support as ccxt
import pytest

from core.market import MINUTE_MS
from exchange.sim.config import Announcement
from exchange.sim.process import Simulator
from exchange.sim.server.faults.catalogue import MarketFault, MinuteFault, RestFault, StreamFault
from exchange.sim.server.faults.plan import FaultPlan, Rule
from tests.contract.sim_clients import PATIENCE, ccxt_client, pass_minutes, running

BTC = "BTC/USDT:USDT"
ORDER = "POST /fapi/v1/order"


@asynccontextmanager
async def struck_by(*rules: Rule) -> AsyncIterator[tuple[Simulator, Announcement, Any]]:
    async with running() as (simulator, announced), ccxt_client(announced) as client:
        await client.load_markets()
        simulator.faults.add(rules)
        yield simulator, announced, client


async def buy(client: Any) -> Any:
    return await client.create_order(BTC, "market", "buy", 0.01)


async def held(client: Any) -> float:
    return sum(each["contracts"] for each in await client.fetch_positions())


@pytest.mark.parametrize(
    ("fault", "code", "has_effect"),
    [
        (RestFault.UNKNOWN_503, -1000, True),
        (RestFault.ERROR_1000, -1000, True),
        (RestFault.ERROR_1001, -1001, True),
        (RestFault.ERROR_1006, -1006, True),
        (RestFault.ERROR_1007, -1007, True),
        (RestFault.UNAVAILABLE_503, -1000, False),
        (RestFault.OVERLOADED_1008, -1008, False),
        (RestFault.CLOCK_SKEW, -1021, False),
        (RestFault.KEY_REVOKED, -2015, False),
        (RestFault.NOT_FOUND_YET, -2013, False),
        (RestFault.REFUSED, -4045, False),
    ],
)
async def test_an_order_meets_an_error(fault: RestFault, code: int, has_effect: bool) -> None:
    async with struck_by(Rule(fault=fault, at=frozenset({1}), match=ORDER, code=-4045)) as (_, _, client):
        with pytest.raises(ccxt.BaseError, match=str(code)):
            await buy(client)
        assert await held(client) == (0.01 if has_effect else 0)
        await buy(client)


@pytest.mark.parametrize("fault", [RestFault.UNKNOWN_503, RestFault.GATEWAY_HTML, RestFault.ERROR_1007])
async def test_an_unknown_outcome_may_also_have_had_no_effect(fault: RestFault) -> None:
    rule = Rule(fault=fault, at=frozenset({1}), match=ORDER, executed=False)
    async with struck_by(rule) as (_, _, client):
        with pytest.raises(ccxt.BaseError):
            await buy(client)
        assert await held(client) == 0


@pytest.mark.parametrize(("fault", "size"), [(RestFault.LOSE_REQUEST, 0), (RestFault.LOSE_REPLY, 0.01)])
async def test_a_connection_is_cut_before_or_after_the_order_counts(fault: RestFault, size: float) -> None:
    rule = Rule(fault=fault, at=frozenset({1}), match=ORDER, seconds=0.01)
    async with struck_by(rule) as (_, _, client):
        with pytest.raises(ccxt.NetworkError):
            await buy(client)
        assert await held(client) == size


@pytest.mark.parametrize(("fault", "status"), [(RestFault.GATEWAY_HTML, 502), (RestFault.FIREWALL_403, 403)])
async def test_a_page_comes_instead_of_json(fault: RestFault, status: int) -> None:
    async with struck_by(Rule(fault=fault, rate=1.0, match="/time")) as (_, announced, _):
        url = f"{announced.rest}/fapi/v1/time"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            assert (answer.status, answer.content_type) == (status, "text/html")
            assert (await answer.text()).startswith("<html>")


async def test_a_ban_lasts_beyond_the_call_it_began_with() -> None:
    async with struck_by(Rule(fault=RestFault.BAN, at=frozenset({1}))) as (_, _, client):
        for _ in range(2):
            with pytest.raises(ccxt.DDoSProtection, match="banned until"):
                await client.fetch_time()
        assert int(client.last_response_headers["Retry-After"]) == 120


async def test_a_429_says_how_long_to_wait() -> None:
    rule = Rule(fault=RestFault.TOO_MANY_REQUESTS, at=frozenset({1}), seconds=7)
    async with struck_by(rule) as (_, _, client):
        with pytest.raises(ccxt.DDoSProtection):
            await client.fetch_time()
        assert client.last_response_headers["Retry-After"] == "7"
        assert await client.fetch_time()


async def test_a_reply_comes_late() -> None:
    async with struck_by(Rule(fault=RestFault.LATE_REPLY, rate=1.0, seconds=5, times=1)) as (_, _, client):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.fetch_time(), 0.05)


async def test_leverage_is_said_to_be_set_and_is_not() -> None:
    async with struck_by(Rule(fault=RestFault.SETTING_IGNORED, rate=1.0, match="leverage")) as (_, _, client):
        assert (await client.set_leverage(7, BTC))["leverage"] == 7
        assert (await client.fetch_leverage(BTC))["longLeverage"] != 7


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (RestFault.PARTIAL_PAGE, [0, 1]),
        (RestFault.ROW_MISSING, [0, 1, 3]),
        (RestFault.ROW_TWICE, [0, 1, 2, 2, 3]),
        (RestFault.ROWS_UNSORTED, [3, 2, 1, 0]),
    ],
)
async def test_a_page_of_candles_is_spoilt(fault: RestFault, expected: list[int]) -> None:
    async with struck_by(Rule(fault=fault, at=frozenset({2}), match="klines")) as (_, _, client):
        query = {"symbol": "BTCUSDT", "interval": "1m", "limit": 4}
        whole, spoilt = [await client.fapiPublicGetKlines(query) for _ in range(2)]
        assert spoilt == [whole[number] for number in expected]


@pytest.mark.parametrize(
    "fault", [RestFault.FIELD_MISSING, RestFault.FIELD_NULL, RestFault.FIELD_RENAMED, RestFault.PARTIAL_PAGE]
)
async def test_an_answer_is_not_what_it_should_be(fault: RestFault) -> None:
    async with struck_by(Rule(fault=fault, at=frozenset({2}), match="positionRisk")) as (_, _, client):
        await buy(client)
        await client.create_order("ETH/USDT:USDT", "market", "buy", 0.1)
        whole, spoilt = [await client.fapiPrivateV3GetPositionRisk() for _ in range(2)]
        assert whole != spoilt
        assert len(whole) == 2


async def heard(simulator: Simulator, announced: Announcement, client: Any, orders: int = 1) -> list[Any]:
    """Return the user-data events of some orders, up to a mark sent by hand after them."""
    key = (await client.fapiPrivatePostListenKey())["listenKey"]
    events: list[str] = []
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{announced.ws}/private/ws?listenKey={key}") as stream,
    ):
        await stream.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 1})
        await stream.receive()
        for _ in range(orders):
            await buy(client)
        await stream.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 2})
        while True:
            data = (await stream.receive(timeout=PATIENCE)).data
            if data is None or '"id":2' in data:
                return events
            events.append(data)


NORMAL = ["ORDER_TRADE_UPDATE", "TRADE_LITE", "ACCOUNT_UPDATE", "ORDER_TRADE_UPDATE"]


def kinds(events: list[str]) -> list[str]:
    return [event.split('"')[3] for event in events]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (StreamFault.EVENT_MISSING, [NORMAL[0], NORMAL[1], NORMAL[3]]),
        (StreamFault.EVENT_TWICE, [*NORMAL[:3], *NORMAL[2:]]),
        (StreamFault.EVENTS_SWAPPED, [*NORMAL[:2], NORMAL[3], NORMAL[2]]),
        (StreamFault.EVENT_AGAIN, [*NORMAL[:3], NORMAL[1], NORMAL[3]]),
        (StreamFault.EVENT_LATE, [NORMAL[0], NORMAL[1], NORMAL[3]]),
    ],
)
async def test_events_are_lost_repeated_or_out_of_order(fault: StreamFault, expected: list[str]) -> None:
    rule = Rule(fault=fault, at=frozenset({1}), match="ACCOUNT_UPDATE", seconds=30)
    async with struck_by(rule) as (simulator, announced, client):
        assert kinds(await heard(simulator, announced, client)) == expected


async def test_a_late_event_comes_at_last() -> None:
    rule = Rule(fault=StreamFault.EVENT_LATE, at=frozenset({1}), match="ACCOUNT_UPDATE", seconds=0.0)
    async with struck_by(rule) as (simulator, announced, client):
        key = (await client.fapiPrivatePostListenKey())["listenKey"]
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{announced.ws}/private/ws?listenKey={key}") as stream,
        ):
            await buy(client)
            simulator.broadcast.housekeep()  # or the market's own, should it have come before
            events = [await stream.receive_str(timeout=PATIENCE) for _ in NORMAL]
        assert kinds(events) == [NORMAL[0], NORMAL[1], NORMAL[3], NORMAL[2]]


async def test_an_event_is_malformed_or_about_a_symbol_nobody_knows() -> None:
    rules = (
        Rule(fault=StreamFault.EVENT_MALFORMED, at=frozenset({1}), match="TRADE_LITE"),
        Rule(fault=StreamFault.EVENT_FOREIGN, at=frozenset({1}), match="ORDER_TRADE_UPDATE"),
    )
    async with struck_by(*rules) as (simulator, announced, client):
        events = await heard(simulator, announced, client)
        assert "NEVERLISTEDUSDT" in events[0]
        assert events[1].count("{") != events[1].count("}")


@pytest.mark.parametrize("fault", [StreamFault.EVENT_NOT_TEXT, StreamFault.EVENT_HUGE])
async def test_a_frame_is_no_text_or_too_much_of_it(fault: StreamFault) -> None:
    async with struck_by(Rule(fault=fault, at=frozenset({1}), match="TRADE_LITE")) as (_, announced, client):
        key = (await client.fapiPrivatePostListenKey())["listenKey"]
        url = f"{announced.ws}/private/ws?listenKey={key}&events=TRADE_LITE"
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as stream:
            await buy(client)
            message = await stream.receive(timeout=PATIENCE)
            if fault is StreamFault.EVENT_HUGE:
                assert len(message.data) > 1_000_000
                return
            assert message.type is aiohttp.WSMsgType.ERROR  # a correct reader hangs up: RFC 6455 §8.1


async def test_a_held_symbol_is_delisted_at_short_notice() -> None:
    async with struck_by(Rule(fault=MinuteFault.DELISTED, at=frozenset({1}))) as (simulator, _, client):
        await buy(client)
        pass_minutes(simulator, 1)
        delivery = int((await client.load_markets(True))[BTC]["info"]["deliveryDate"])
        assert delivery == simulator.market.now_ms + 10 * MINUTE_MS
        pass_minutes(simulator, 11)
        assert await held(client) == 0
        assert (await client.fetch_ohlcv(BTC, "1m"))[-1][0] == delivery - MINUTE_MS


async def test_a_listen_key_expires_and_its_listener_is_told() -> None:
    rule = Rule(fault=StreamFault.LISTEN_KEY_EXPIRED, at=frozenset({1}), match="TRADE_LITE")
    async with struck_by(rule) as (simulator, announced, client):
        key = (await client.fapiPrivatePostListenKey())["listenKey"]
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{announced.ws}/private/ws?listenKey={key}") as stream,
        ):
            await buy(client)
            for _ in NORMAL:
                await stream.receive(timeout=PATIENCE)
            simulator.broadcast.housekeep()
            assert (await stream.receive_json(timeout=PATIENCE))["e"] == "listenKeyExpired"
        assert (await client.fapiPrivatePostListenKey())["listenKey"] != key


async def closes(announced: Announcement, simulator: Simulator, minutes: int) -> list[dict[str, Any]]:
    """Return what the stream of one symbol says its closed candles were."""
    url = f"{announced.ws}/market/ws/btcusdt@kline_1m"
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as stream:
        await stream.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 1})
        await stream.receive()
        pass_minutes(simulator, minutes)
        found: list[dict[str, Any]] = []
        await stream.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 2})
        while True:
            text = await stream.receive_str(timeout=PATIENCE)
            if not text.endswith("}"):
                continue
            event = json.loads(text)
            if event.get("id") == 2:
                return found
            if event["k"]["x"]:
                found.append(event["k"])


@pytest.mark.parametrize(
    ("fault", "count", "second"),
    [
        (MarketFault.CANDLE_MISSING, 2, lambda candle: True),
        (MarketFault.CANDLE_TWICE, 4, lambda candle: True),
        (MarketFault.CANDLE_REVISED, 4, lambda candle: True),
        (MarketFault.CANDLE_LATE, 2, lambda candle: True),
        (MarketFault.SYMBOL_SILENT, 1, lambda candle: True),
        (MarketFault.CANDLE_MALFORMED, 2, lambda candle: True),
        (MarketFault.CANDLE_ZERO, 3, lambda candle: candle["c"] == "0"),
        (MarketFault.CANDLE_NAN, 3, lambda candle: candle["o"] == "NaN"),
        (MarketFault.CANDLE_NEGATIVE, 3, lambda candle: float(candle["l"]) < 0),
        (MarketFault.CANDLE_CROSSED, 3, lambda candle: float(candle["h"]) < float(candle["l"])),
    ],
)
async def test_a_candle_closes_in_a_way_it_should_not(fault: MarketFault, count: int, second: Any) -> None:
    rule = Rule(fault=fault, at=frozenset({2}), match="BTCUSDT", seconds=30)
    async with struck_by(rule) as (simulator, announced, _):
        found = await closes(announced, simulator, 3)
        assert len(found) == count
        assert second(found[-1] if count < 3 else found[1])
        if fault is MarketFault.CANDLE_REVISED:
            assert found[1]["t"] == found[2]["t"]
            assert found[1]["c"] != found[2]["c"]


async def test_a_price_spikes_for_a_second() -> None:
    rule = Rule(fault=MinuteFault.PRICE_SPIKE, rate=1.0)
    async with struck_by(rule) as (simulator, _, _):
        pass_minutes(simulator, 40)
        candles = simulator.market.minutes.since(simulator.time.started_ms).astype(float)
        spans = (candles[1] - candles[2]) / candles[3]
        assert (spans.max(axis=1) > 0.08).all()
        assert (simulator.market.mark / simulator.market.last).std() < 0.02


@pytest.mark.parametrize(
    "fault", [MinuteFault.PRICE_SPIKE, MinuteFault.FILTERS_CHANGED, MinuteFault.DELISTED]
)
async def test_a_market_without_a_symbol_that_trades_survives_its_faults(fault: MinuteFault) -> None:
    gone = tuple((symbol, 1) for symbol in ("BTCUSDT", "ETHUSDT"))
    async with running(symbols=2, delistings=gone) as (simulator, announced):
        simulator.faults.add([Rule(fault=fault, rate=1.0)])
        pass_minutes(simulator, 65)
        async with aiohttp.request("GET", f"{announced.rest}/fapi/v1/exchangeInfo") as answer:
            assert (await answer.json())["symbols"] == []


async def test_filters_change_while_a_client_trusts_the_old_ones() -> None:
    rule = Rule(fault=MinuteFault.FILTERS_CHANGED, rate=1.0)
    async with struck_by(rule) as (simulator, _, client):
        before = client.markets[BTC]["precision"]["amount"]
        pass_minutes(simulator, 30)
        assert (await client.load_markets(True))[BTC]["precision"]["amount"] > before
        with pytest.raises(ccxt.ExchangeError):
            await client.fapiPrivatePostOrder(
                {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": f"{before:.3f}"}
            )


async def test_humans_and_the_exchange_meddle_with_the_account() -> None:
    async with struck_by() as (simulator, _, client):
        await buy(client)
        simulator.faults.add([Rule(fault=MinuteFault.MANUAL_TRADE, at=frozenset({1}))])
        pass_minutes(simulator, 1)
        assert await held(client) == 0.005
        simulator.faults.add([Rule(fault=MinuteFault.DELEVERAGED, at=frozenset({1}))])
        pass_minutes(simulator, 1)
        assert await held(client) == 0.003
        await client.create_order(
            BTC, "STOP_MARKET", "sell", None, None, {"stopPrice": 1000.0, "closePosition": True}
        )
        simulator.faults.add([Rule(fault=MinuteFault.CONDITIONAL_CANCELLED, at=frozenset({1}))])
        pass_minutes(simulator, 1)
        assert await client.fetch_open_orders(BTC, params={"trigger": True}) == []
        await client.create_order(BTC, "market", "sell", 0.003)
        simulator.faults.add([Rule(fault=MinuteFault.HEDGE_SWITCHED, at=frozenset({1}))])
        pass_minutes(simulator, 1)
        assert (await client.fetch_position_mode())["hedged"] is True
        simulator.faults.add([Rule(fault=MinuteFault.MULTI_ASSETS_SWITCHED, at=frozenset({1}))])
        pass_minutes(simulator, 1)
        assert (await client.fapiPrivateGetMultiAssetsMargin())["multiAssetsMargin"] is True


async def test_triggers_stick_for_a_while() -> None:
    async with struck_by(Rule(fault=MinuteFault.TRIGGERS_STUCK, at=frozenset({1}), seconds=0.0)) as (
        simulator, _, _,
    ):  # fmt: skip
        pass_minutes(simulator, 1)
        assert simulator.venue.floor.triggers_stuck
        simulator.broadcast.housekeep()
        assert not simulator.venue.floor.triggers_stuck


@pytest.mark.parametrize("fault", [MinuteFault.STREAMS_CUT, MinuteFault.STREAMS_SILENT])
async def test_sockets_are_cut_or_fall_silent(fault: MinuteFault) -> None:
    async with struck_by(Rule(fault=fault, at=frozenset({1}))) as (simulator, announced, _):
        url = f"{announced.ws}/market/ws/btcusdt@kline_1m"
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as stream:
            await stream.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 1})
            await stream.receive()
            pass_minutes(simulator, 2)
            if fault is MinuteFault.STREAMS_CUT:
                assert (await stream.receive(timeout=PATIENCE)).type is not aiohttp.WSMsgType.TEXT
                return
            await stream.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 2})
            assert "result" in await stream.receive_json(timeout=PATIENCE)


async def test_faults_are_switched_on_and_off_over_the_wire() -> None:
    async with running() as (_, announced), aiohttp.ClientSession() as session:
        url, time = f"{announced.rest}/sim/v1/faults", f"{announced.rest}/fapi/v1/time"
        wish = {"fault": "refused", "at": "1,3", "match": "/time", "code": "-1234"}
        async with session.post(url, data=wish) as answer:
            assert answer.status == 200
        statuses = []
        for _ in range(4):
            async with session.get(time) as answer:
                statuses.append(answer.status)
        assert statuses == [400, 200, 400, 200]
        async with session.get(url) as answer:
            told = await answer.json()
        assert told["rules"] == [{"fault": "refused", "match": "/time", "seen": 4, "struck": 2}]
        assert told["strikes"] == [["refused", "GET /fapi/v1/time", 1], ["refused", "GET /fapi/v1/time", 3]]
        async with session.delete(url) as answer:
            assert (await answer.json())["rules"] == []


@pytest.mark.parametrize(
    "wish", [{}, {"fault": "x"}, {"fault": "ban", "rate": "2"}, {"fault": "ban", "at": "a"}, {"typo": "1"}]
)
async def test_a_rule_that_makes_no_sense_is_refused(wish: dict[str, str]) -> None:
    async with (
        running() as (_, announced),
        aiohttp.ClientSession() as session,
        session.post(f"{announced.rest}/sim/v1/faults", data=wish) as answer,
    ):
        assert (answer.status, (await answer.json())["code"]) == (400, -1130)


@pytest.mark.parametrize(("typed", "hint"), [("unknown503", "'unknown_503'"), ("", "docs/simulator.md")])
async def test_a_fault_that_is_misspelt_is_told_what_was_meant(typed: str, hint: str) -> None:
    async with (
        running() as (_, announced),
        aiohttp.request("POST", f"{announced.rest}/sim/v1/faults", data={"fault": typed}) as answer,
    ):
        assert hint in (await answer.json())["msg"]


def test_the_same_seed_strikes_the_same_calls() -> None:
    def struck(seed: int) -> list[bool]:
        plan = FaultPlan(seed)
        plan.add([Rule(fault=RestFault.LOSE_REPLY, rate=0.3)])
        return [plan.strike(RestFault, "GET /x") is not None for _ in range(50)]

    assert struck(1) == struck(1)
    assert struck(1) != struck(2)


async def test_the_usual_mix_lets_a_patient_client_through() -> None:
    async with running(fault_seed=3) as (_, announced), ccxt_client(announced) as client:
        client.timeout = 1500
        answered = 0
        for _ in range(60):
            try:
                await client.fetch_time()
            except ccxt.BaseError:
                continue
            answered += 1
        assert 40 < answered <= 60
