"""Streams of what happens to the market: books between snapshots, liquidations, listings.

Sources: binance.md §1.1 and §2.3; ccxt's own check of ``U``, ``u`` and ``pu`` when it applies book updates.
"""

import asyncio
from typing import Any

import aiohttp
import pytest

from core.market import MINUTE_MS
from exchange.sim.config import Announcement
from exchange.sim.process import Simulator
from exchange.sim.server.exchange_info import PERPETUAL_DELIVERY_MS
from tests.contract.sim_clients import PATIENCE, ccxt_client, pass_minutes, running

BTC = "BTC/USDT:USDT"


async def heard(
    simulator: Simulator, announced: Announcement, address: str, *, minutes: int = 1, times: int = 1
) -> list[dict[str, Any]]:
    """Return what one stream said while so many minutes passed so many times."""
    events: list[dict[str, Any]] = []
    async with aiohttp.ClientSession() as session, session.ws_connect(announced.ws + address) as stream:
        await stream.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 1})
        await stream.receive()
        for _ in range(times):
            pass_minutes(simulator, minutes)
        await stream.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 2})
        while "id" not in (event := await stream.receive_json(timeout=PATIENCE)):
            events.append(event)
    return events


async def hold_a_doomed_long(simulator: Simulator, client: Any) -> None:
    """Buy with a margin of under one percent, and let the next minute fall by thirty."""
    await client.load_markets()
    await client.set_margin_mode("isolated", BTC)
    await client.set_leverage(125, BTC)
    await client.create_order(BTC, "market", "buy", 0.01)
    simulator.market.spike(simulator.market.index_of["BTCUSDT"], 0.7)


async def test_ccxt_keeps_the_whole_book_by_updates() -> None:
    async with running() as (simulator, announced), ccxt_client(announced, pro=True) as client:
        await client.watch_order_book(BTC)
        for _ in range(3):
            news = asyncio.ensure_future(client.watch_order_book(BTC))
            await client.fetch_time()
            pass_minutes(simulator, 1)
            kept, fetched = await news, await client.fetch_order_book(BTC, 50)
            assert kept["nonce"] == fetched["nonce"]
            assert [[*level] for level in kept["bids"]] == fetched["bids"]
            assert [[*level] for level in kept["asks"]] == fetched["asks"]
            simulator.broadcast.push()  # one with nothing new in it forgets nothing


async def test_each_update_of_a_book_follows_the_one_before() -> None:
    async with running() as (simulator, announced):
        events = await heard(simulator, announced, "/public/ws/btcusdt@depth@100ms", times=3)
        assert [event["pu"] for event in events[1:]] == [event["u"] for event in events[:-1]]
        assert all(event["U"] == event["pu"] + 1 for event in events)
        assert len(events) == 3


async def test_a_price_that_was_shown_between_two_updates_and_is_gone_is_taken_back() -> None:
    async with running() as (simulator, announced), ccxt_client(announced) as client:
        await client.load_markets()
        simulator.market.step()
        shown = await client.fetch_order_book(BTC, 50)
        (event,) = await heard(simulator, announced, "/public/ws/btcusdt@depth")
        told = {float(price) for price, _ in event["b"]}
        assert {price for price, _ in shown["bids"]} <= told


@pytest.mark.parametrize("address", ["/market/ws/btcusdt@forceOrder", "/market/ws/!forceOrder@arr"])
async def test_everybody_hears_of_a_liquidation(address: str) -> None:
    async with running() as (simulator, announced), ccxt_client(announced) as client:
        await hold_a_doomed_long(simulator, client)
        events = await heard(simulator, announced, address, minutes=2)
        told = [event["o"] for event in events if event["e"] == "forceOrder"]
        mine = await client.fetch_my_liquidations(BTC)
        assert [order["p"] for order in told] == [order["info"]["price"] for order in mine] != []
        assert {(order["s"], order["o"], order["f"], order["X"]) for order in told} == {
            ("BTCUSDT", "LIMIT", "IOC", "FILLED")
        }


async def test_ccxt_watches_liquidations() -> None:
    async with running() as (simulator, announced), ccxt_client(announced, pro=True) as client:
        await hold_a_doomed_long(simulator, client)
        news = asyncio.ensure_future(client.watch_liquidations(BTC))
        while "forceOrder" not in simulator.hub.channels():
            await client.fetch_time()
        pass_minutes(simulator, 2)
        (first, *_) = await news
        assert (first["symbol"], first["contracts"]) == (BTC, 0.01)


async def test_a_listing_and_a_delisting_are_told_as_they_happen() -> None:
    async with running(listings=(("SOLUSDT", 2),), delistings=(("ETHUSDT", 4),)) as (simulator, announced):
        events = await heard(simulator, announced, "/market/ws/!contractInfo", minutes=70)
        started = simulator.time.started_ms
        assert [(event["s"], event["cs"], event["E"]) for event in events] == [
            ("SOLUSDT", "TRADING", started + 2 * MINUTE_MS),
            ("ETHUSDT", "SETTLING", started + 4 * MINUTE_MS),
            ("ETHUSDT", "CLOSE", started + 64 * MINUTE_MS),
        ]
        assert [event["dt"] for event in events[:2]] == [PERPETUAL_DELIVERY_MS, started + 4 * MINUTE_MS]
