"""What leaves the machine goes where it was addressed, and no fault that is told shows a secret."""

import traceback
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from core.errors import ExchangeUnavailable
from exchange.binance.transport import AiohttpTransport, HttpRequest

SECRETS = ("k3y", "s1gnature", "l1sten")


class Hosts:
    """A server that sends everybody to another one, and what arrived there."""

    def __init__(self) -> None:
        self.arrived: list[str] = []
        self.first = self.second = ""

    async def elsewhere(self, request: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect(f"{self.second}{request.path_qs}")

    async def end(self, request: web.Request) -> web.Response:
        self.arrived.append(request.method)
        return web.json_response({"orderId": 1})


@asynccontextmanager
async def served(handler: object) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", handler)  # type: ignore[arg-type]
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def two_hosts() -> AsyncIterator[Hosts]:
    hosts = Hosts()
    async with served(hosts.end) as hosts.second, served(hosts.elsewhere) as hosts.first:
        yield hosts


@asynccontextmanager
async def transport() -> AsyncIterator[AiohttpTransport]:
    made = AiohttpTransport()
    try:
        yield made
    finally:
        await made.close()


def order(base: str) -> HttpRequest:
    url = f"{base}/fapi/v1/order?signature=s1gnature"
    return HttpRequest(method="POST", url=url, headers={"X-MBX-APIKEY": "k3y"}, body="side=BUY")


async def fault_of(sent: Awaitable[object]) -> str:
    with pytest.raises(ExchangeUnavailable) as caught:
        await sent
    return "".join(traceback.format_exception(caught.value))


@pytest.mark.fault(64)
async def test_an_order_is_never_led_to_another_host() -> None:
    async with two_hosts() as hosts, transport() as wire:
        told = await fault_of(wire.send(order(hosts.first)))
        assert "leads to another address" in told
        assert hosts.arrived == []


async def test_a_socket_is_never_led_to_another_host() -> None:
    async with two_hosts() as hosts, transport() as wire:
        assert "leads to another address" in await fault_of(wire.connect(f"{hosts.first}/private/ws"))
        assert hosts.arrived == []


async def test_no_fault_shows_a_key_a_signature_or_a_listen_key() -> None:
    async def forbid(request: web.Request) -> web.Response:
        raise web.HTTPForbidden

    async with served(forbid) as base, two_hosts() as hosts, transport() as wire:
        faults = [
            await fault_of(wire.connect(f"{base}/private/ws?listenKey=l1sten")),
            await fault_of(wire.connect("http:///private/ws?listenKey=l1sten")),
            await fault_of(wire.send(order(hosts.first))),
            await fault_of(wire.send(order("http://127.0.0.1:1"))),
        ]
    assert "403" in faults[0]
    faults.append(repr(order("https://fapi.binance.com")))
    assert not [secret for secret in SECRETS if secret in "".join(faults)]
