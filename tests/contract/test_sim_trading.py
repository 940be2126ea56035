"""Signed calls and the user's stream over sockets, as the real ccxt makes and reads them."""

import asyncio
from typing import Any

import aiohttp
import ccxt.async_support as ccxt
import pytest

from tests.contract.sim_clients import PATIENCE, ccxt_client, pass_minutes, running

BTC = "BTC/USDT:USDT"


async def test_an_account_opens_with_its_deposit() -> None:
    async with running() as (_, announced), ccxt_client(announced) as client:
        balance = await client.fetch_balance()
        assert balance["USDT"]["total"] == balance["USDT"]["free"] == 10_000


async def test_a_position_is_opened_protected_and_closed() -> None:
    async with running() as (simulator, announced), ccxt_client(announced) as client:
        await client.load_markets()
        await client.set_margin_mode("isolated", BTC)
        assert (await client.set_leverage(5, BTC))["leverage"] == 5
        await client.create_order(BTC, "market", "buy", 0.01)
        position = (await client.fetch_positions())[0]
        assert (position["contracts"], position["side"]) == (0.01, "long")
        price = position["entryPrice"]
        for kind, trigger in (("STOP_MARKET", 0.9 * price), ("TAKE_PROFIT_MARKET", 1.1 * price)):
            await client.create_order(
                BTC,
                kind,
                "sell",
                None,
                None,
                {"stopPrice": client.price_to_precision(BTC, trigger), "closePosition": True,
                 "workingType": "MARK_PRICE", "priceProtect": True},
            )  # fmt: skip
        assert len(await client.fetch_open_orders(BTC, params={"trigger": True})) == 2
        await client.create_order(BTC, "market", "sell", 0.01, params={"reduceOnly": True})
        assert await client.fetch_positions() == []
        await client.cancel_all_orders(BTC, params={"trigger": True})
        assert await client.fetch_open_orders(BTC, params={"trigger": True}) == []
        assert len(await client.fetch_my_trades(BTC)) == 2
        pass_minutes(simulator, 1)
        assert (await client.fetch_balance())["USDT"]["total"] < 10_000


async def test_a_stop_fires_when_the_mark_gets_there() -> None:
    async with running(speed=0.0) as (simulator, announced), ccxt_client(announced) as client:
        await client.load_markets()
        await client.create_order(BTC, "market", "buy", 0.01)
        entry = (await client.fetch_positions())[0]["entryPrice"]
        for kind, factor in (("STOP_MARKET", 0.9995), ("TAKE_PROFIT_MARKET", 1.0005)):
            trigger = client.price_to_precision(BTC, entry * factor)
            await client.create_order(BTC, kind, "sell", None, None,
                {"stopPrice": trigger, "closePosition": True, "workingType": "MARK_PRICE"})  # fmt: skip
        pass_minutes(simulator, 120)
        assert await client.fetch_positions() == []


async def test_the_user_stream_tells_orders_fills_and_balances() -> None:
    async with running() as (_, announced), ccxt_client(announced, pro=True) as client:
        await client.load_markets()
        watching = asyncio.create_task(client.watch_orders())
        while not client.clients or not any("private" in url for url in client.clients):
            await client.fetch_time()
        await client.fetch_time()
        await client.create_order(BTC, "market", "buy", 0.01)
        orders = await asyncio.wait_for(watching, 5)
        assert {order["symbol"] for order in orders} == {BTC}
        assert orders[-1]["filled"] == 0.01 or (await client.watch_orders())[-1]["filled"] == 0.01


async def test_wrong_keys_and_signatures_are_refused() -> None:
    async with running() as (_, announced):
        for keys, expected in (
            ({"apiKey": "f" * 64}, ccxt.AuthenticationError),
            ({"secret": "wrong"}, ccxt.AuthenticationError),
        ):
            async with ccxt_client(announced, keys=keys) as client:
                with pytest.raises(expected):
                    await client.fetch_balance()


async def test_a_clock_that_is_off_is_refused() -> None:
    async with running() as (_, announced), ccxt_client(announced) as client:
        client.options["timeDifference"] = 60_000
        with pytest.raises(ccxt.InvalidNonce):
            await client.fetch_balance()
        await client.load_time_difference()
        await client.fetch_balance()


async def test_orders_are_counted_in_the_headers() -> None:
    async with running() as (_, announced), ccxt_client(announced) as client:
        await client.load_markets()
        for expected in ("1", "2"):
            await client.create_order(BTC, "market", "buy", 0.01)
            headers: dict[str, Any] = client.last_response_headers
            assert headers["X-MBX-ORDER-COUNT-10S"] == headers["X-MBX-ORDER-COUNT-1M"] == expected


async def test_a_private_stream_carries_only_the_events_asked_for() -> None:
    async with (
        running() as (_, announced),
        ccxt_client(announced) as client,
        aiohttp.ClientSession() as session,
    ):
        key = (await client.fapiPrivatePostListenKey())["listenKey"]
        url = f"{announced.ws}/private/stream?listenKey={key}&events=ACCOUNT_UPDATE"
        async with session.ws_connect(url) as stream:
            await client.load_markets()
            await client.create_order(BTC, "market", "buy", 0.01)
            await stream.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 1})
            message = await stream.receive_json(timeout=PATIENCE)
            assert (message["stream"], message["data"]["e"]) == (key, "ACCOUNT_UPDATE")
            assert (await stream.receive_json(timeout=PATIENCE))["id"] == 1
