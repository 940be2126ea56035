"""Symbols that come and go while the market runs."""

import ccxt.async_support as ccxt
import pytest

from core.market import MINUTE_MS
from tests.contract.sim_clients import ccxt_client, pass_minutes, running

ETH, SOL = "ETH/USDT:USDT", "SOL/USDT:USDT"


async def test_a_listing_joins_with_its_first_minute() -> None:
    async with (
        running(listings=(("SOLUSDT", 3),)) as (simulator, announced),
        ccxt_client(announced) as client,
    ):
        assert SOL not in await client.load_markets()
        with pytest.raises(ccxt.BadSymbol):
            await client.fapiPublicGetKlines({"symbol": "SOLUSDT", "interval": "1m"})
        pass_minutes(simulator, 5)
        market = (await client.load_markets(True))[SOL]
        assert market["active"]
        assert int(market["info"]["onboardDate"]) == simulator.time.started_ms + 3 * MINUTE_MS
        candles = await client.fetch_ohlcv(SOL, "1m")
        assert candles[0][0] == simulator.time.started_ms + 3 * MINUTE_MS
        assert len(candles) == 3


async def test_a_delisting_is_announced_settled_and_then_gone() -> None:
    async with (
        running(delistings=(("SOLUSDT", 3),)) as (simulator, announced),
        ccxt_client(announced) as client,
    ):
        delivery = simulator.time.started_ms + 3 * MINUTE_MS
        market = (await client.load_markets())[SOL]
        assert int(market["info"]["deliveryDate"]) == delivery
        await client.create_order(SOL, "market", "buy", 1)
        pass_minutes(simulator, 5)
        assert await client.fetch_positions() == []
        assert not (await client.load_markets(True))[SOL]["active"]
        with pytest.raises(ccxt.ExchangeError):
            await client.create_order(SOL, "market", "buy", 1)
        candles = await client.fetch_ohlcv(SOL, "1m")
        assert candles[-1][0] == delivery - MINUTE_MS
        pass_minutes(simulator, 60)
        assert SOL not in await client.load_markets(True)
        assert ETH in client.markets
