"""Streams over sockets: as ccxt.pro and python-binance read them, and frame by frame."""

import asyncio
import gc
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import aiohttp
import msgspec
import pytest

from core.market import MINUTE_MS, QUARTER_MS
from exchange.sim.config import Announcement
from exchange.sim.process import Simulator
from exchange.sim.server.conversations import MESSAGES_A_SECOND
from tests.contract.sim_clients import PATIENCE, ccxt_client, pass_minutes, running

BTC = "BTC/USDT:USDT"


@asynccontextmanager
async def connected(announced: Announcement, path: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with aiohttp.ClientSession() as session, session.ws_connect(announced.ws + path) as socket:
        yield socket


async def ask(socket: aiohttp.ClientWebSocketResponse, method: str, *params: Any) -> Any:
    await socket.send_json({"method": method, "params": list(params), "id": 5})
    answer = await socket.receive_json(timeout=PATIENCE)
    assert answer["id"] == 5
    return answer


async def next_event(socket: aiohttp.ClientWebSocketResponse) -> Any:
    return await socket.receive_json(timeout=PATIENCE)


async def heard_nothing(socket: aiohttp.ClientWebSocketResponse) -> bool:
    """Ask for the subscriptions: the answer comes after whatever was sent before."""
    answer = await ask(socket, "LIST_SUBSCRIPTIONS")
    return "result" in answer


async def test_ccxt_watches_candles_form_and_close() -> None:
    async with (
        running(speed=240.0, minutes=None) as (_, announced),
        ccxt_client(announced, pro=True) as client,
    ):
        seen: dict[int, float] = {}
        while len(seen) < 4:
            for candle in await client.watch_ohlcv(BTC, "1m"):
                seen[candle[0]] = candle[4]
        times = sorted(seen)
        assert [later - earlier for earlier, later in pairwise(times)] == [MINUTE_MS] * 3


async def test_ccxt_watches_marks_books_and_tickers() -> None:
    async with (
        running(speed=60.0, minutes=None) as (_, announced),
        ccxt_client(announced, pro=True) as client,
    ):
        marks = await client.watch_mark_prices()
        assert marks["BTC/USDT:USDT"]["markPrice"] > 0
        best = await client.watch_bids_asks([BTC])
        assert best[BTC]["bid"] < best[BTC]["ask"]
        tickers = await client.watch_tickers()
        assert tickers[BTC]["last"] > 0


async def test_every_minute_closes_once_and_the_quarter_with_its_fifteenth() -> None:
    async with (
        running() as (simulator, announced),
        connected(announced, "/market/ws/btcusdt@kline_1m/btcusdt@kline_15m") as socket,
    ):
        await heard_nothing(socket)
        pass_minutes(simulator, 15)
        closes: list[tuple[str, int, int, int]] = []
        while len(closes) < 16:
            event = await next_event(socket)
            if event["k"]["x"]:
                closes.append((event["k"]["i"], event["k"]["t"], event["k"]["T"], event["E"]))
        start = simulator.time.started_ms
        minutes = [each for each in closes if each[0] == "1m"]
        assert [each[1] for each in minutes] == [start + number * MINUTE_MS for number in range(15)]
        assert all(at == close + 1 for _, _, close, at in closes)
        assert [each[1:3] for each in closes if each[0] == "15m"] == [(start, start + QUARTER_MS - 1)]


async def test_a_streamed_candle_equals_the_fetched_one() -> None:
    async with (
        running() as (simulator, announced),
        connected(announced, "/market/ws/ethusdt@kline_1m") as socket,
        ccxt_client(announced) as client,
    ):
        await heard_nothing(socket)
        pass_minutes(simulator, 1)
        streamed = (await next_event(socket))["k"]
        fetched = (await client.fapiPublicGetKlines({"symbol": "ETHUSDT", "interval": "1m", "limit": 2}))[0]
        assert streamed["x"] is True
        names = ("t", "o", "h", "l", "c", "v", "T", "q", "n", "V", "Q")
        assert [str(streamed[name]) for name in names] == [str(each) for each in fetched[:11]]


@pytest.mark.parametrize("path", ["/ws", "/public/ws", "/stream"])
async def test_candles_are_acknowledged_but_silent_on_the_wrong_address(path: str) -> None:
    async with running() as (simulator, announced), connected(announced, path) as socket:
        assert (await ask(socket, "SUBSCRIBE", "btcusdt@kline_1m"))["result"] is None
        pass_minutes(simulator, 2)
        assert (await ask(socket, "LIST_SUBSCRIPTIONS"))["result"] == ["btcusdt@kline_1m"]


async def test_the_unrouted_address_still_carries_the_book() -> None:
    async with running() as (simulator, announced), connected(announced, "/ws/btcusdt@bookTicker") as socket:
        await heard_nothing(socket)
        pass_minutes(simulator, 1)
        assert (await next_event(socket))["e"] == "bookTicker"


async def test_combined_streams_name_what_they_carry() -> None:
    path = "/market/stream?streams=btcusdt@kline_1m/btcusdt@markPrice"
    async with running() as (simulator, announced), connected(announced, path) as socket:
        await heard_nothing(socket)
        pass_minutes(simulator, 1)
        seen = {(await next_event(socket))["stream"] for _ in range(3)}
        assert seen == {"btcusdt@kline_1m", "btcusdt@markPrice"}


async def test_unsubscribing_ends_a_stream() -> None:
    async with running() as (simulator, announced), connected(announced, "/market/ws") as socket:
        await ask(socket, "SUBSCRIBE", "btcusdt@kline_1m", "ethusdt@kline_1m")
        await ask(socket, "UNSUBSCRIBE", "btcusdt@kline_1m")
        pass_minutes(simulator, 1)
        assert {(await next_event(socket))["s"] for _ in range(2)} == {"ETHUSDT"}


async def test_the_combined_property_can_be_read_and_set() -> None:
    async with running() as (simulator, announced), connected(announced, "/market/ws") as socket:
        assert (await ask(socket, "GET_PROPERTY", "combined"))["result"] is False
        await ask(socket, "SET_PROPERTY", "combined", True)
        await ask(socket, "SUBSCRIBE", "btcusdt@kline_1m")
        pass_minutes(simulator, 1)
        assert (await next_event(socket))["stream"] == "btcusdt@kline_1m"


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "{",
        "[]",
        '{"method":5}',
        '{"method":"DANCE","id":1}',
        '{"method":"SUBSCRIBE","params":[1]}',
        "\ud83d",
    ],
)
async def test_a_frame_that_makes_no_sense_is_answered_with_an_error(frame: str) -> None:
    async with running() as (_, announced), connected(announced, "/market/ws") as socket:
        await socket.send_bytes(frame.encode("utf-8", "surrogatepass"))
        assert "error" in await next_event(socket)
        assert (await ask(socket, "LIST_SUBSCRIPTIONS"))["result"] == []


async def test_more_than_ten_messages_a_second_end_the_connection() -> None:
    async with running() as (_, announced), connected(announced, "/market/ws") as socket:
        for number in range(MESSAGES_A_SECOND + 1):
            await socket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": number})
        kinds = [(await socket.receive(timeout=PATIENCE)).type for _ in range(MESSAGES_A_SECOND + 1)]
        assert kinds[-1] is aiohttp.WSMsgType.CLOSE
        assert socket.close_code == aiohttp.WSCloseCode.POLICY_VIOLATION


async def test_no_connection_carries_more_than_1024_streams() -> None:
    async with running() as (_, announced), connected(announced, "/market/ws") as socket:
        names = [f"s{number}usdt@kline_1m" for number in range(1025)]
        assert "error" in await ask(socket, "SUBSCRIBE", *names)
        assert (await ask(socket, "SUBSCRIBE", *names[:1024]))["result"] is None
        assert "error" in await ask(socket, "SUBSCRIBE", names[1024])


async def test_an_address_that_is_none_is_not_found() -> None:
    async with running() as (_, announced):
        for path in ("/nowhere", "/market", "/market/nowhere", "/"):
            with pytest.raises(aiohttp.WSServerHandshakeError, match="404"):
                async with connected(announced, path):
                    pass


async def test_hundreds_of_connections_come_and_go() -> None:
    connector = aiohttp.TCPConnector(limit=0)
    async with running() as (simulator, announced), aiohttp.ClientSession(connector=connector) as session:
        sockets_open = await asyncio.gather(
            *(session.ws_connect(f"{announced.ws}/market/ws/btcusdt@kline_1m") for _ in range(200))
        )
        assert len(simulator.hub.connections) == 200
        pass_minutes(simulator, 1)
        events = await asyncio.gather(*(each.receive(timeout=PATIENCE) for each in sockets_open))
        assert len({each.data for each in events}) == 1
        assert msgspec.json.decode(events[0].data)["k"]["x"] is True
        await asyncio.gather(*(each.close() for each in sockets_open))
        while simulator.hub.connections:
            async with session.get(f"{announced.rest}/fapi/v1/ping") as answer:
                assert answer.status == 200


async def test_connections_that_come_and_go_leave_nothing_behind() -> None:
    """Two times sixty sockets and their orders for candles: the second sixty add no task and no memory."""
    async with running() as (simulator, announced):
        await come_and_go(simulator, announced)
        tasks = len(asyncio.all_tasks())
        tracemalloc.start()
        try:
            await come_and_go(simulator, announced)
            gc.collect()
            grown, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert len(asyncio.all_tasks()) == tasks
        assert grown < 200_000  # a socket that stays would keep some 20,000 bytes, sixty a million


async def come_and_go(simulator: Simulator, announced: Announcement) -> None:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        url = f"{announced.ws}/market/ws/btcusdt@kline_1m"
        sockets_open = await asyncio.gather(*(session.ws_connect(url) for _ in range(60)))
        pass_minutes(simulator, 1)
        await asyncio.gather(*(each.receive(timeout=PATIENCE) for each in sockets_open))
        for number, each in enumerate(sockets_open):
            if number % 2:
                await each.close()
    while simulator.hub.connections:
        async with aiohttp.request("GET", f"{announced.rest}/fapi/v1/ping"):
            pass
