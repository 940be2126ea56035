"""Real clients pointed at a simulator of our own: only their addresses are changed."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from exchange.sim.config import Announcement, SimConfig
from exchange.sim.process import Simulator

PATIENCE = 60.0
"""Seconds after which something that must come at once will never come, on however busy a machine."""


@asynccontextmanager
async def running(**chosen: Any) -> AsyncIterator[tuple[Simulator, Announcement]]:
    """Run a small simulator in this event loop; its market holds still unless ``minutes`` says otherwise."""
    simulator = Simulator(SimConfig(**{"symbols": 4, "seed": 7, "minutes": 0, "history_bars": 120} | chosen))
    try:
        yield simulator, await simulator.start()
    finally:
        await simulator.close()


def pass_minutes(simulator: Simulator, count: int) -> None:
    """Let so many market minutes pass at once."""
    simulator.time.run_for(count)
    simulator.stepper.advance(lambda: False)


@asynccontextmanager
async def ccxt_client(
    announced: Announcement, *, pro: bool = False, keys: dict[str, str] | None = None
) -> AsyncIterator[Any]:
    """A binanceusdm of ccxt, with the addresses of binance.md §1.4 and fetchCurrencies off."""
    import ccxt.async_support
    import ccxt.pro

    options = {"fetchCurrencies": False, "fetchMargins": False}
    chosen = {"apiKey": announced.api_key, "secret": announced.api_secret} | (keys or {})
    source = ccxt.pro if pro else ccxt.async_support
    client = source.binanceusdm(chosen | {"enableRateLimit": False, "options": options})
    client.timeout_on_exit = 0
    client.timeout = PATIENCE * 1000
    addresses = client.urls["api"]
    for name, address in addresses.items():
        if isinstance(address, str):
            addresses[name] = re.sub(r"^https?://[^/]+", announced.rest, address)
    if pro:
        addresses["ws"]["linear"] = f"{announced.ws}/ws"
        addresses["ws"]["ws-api"]["linear"] = f"{announced.ws}/ws-fapi/v1"
    try:
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def binance_client(announced: Announcement) -> AsyncIterator[Any]:
    """An AsyncClient of python-binance; its .create() would ping api.binance.com."""
    from binance import AsyncClient

    client = AsyncClient(announced.api_key, announced.api_secret)
    client.FUTURES_URL = f"{announced.rest}/fapi"
    client.FUTURES_DATA_URL = f"{announced.rest}/futures/data"
    client.MARGIN_API_URL = f"{announced.rest}/sapi"
    try:
        yield client
    finally:
        await client.close_connection()
