"""The adapter's transport without sockets: straight into a simulator that shares our loop and its time."""

import asyncio

from multidict import CIMultiDict

from core.clock import Clock
from core.errors import ExchangeUnavailable
from exchange.binance import transport
from exchange.binance.transport import HttpRequest, HttpResponse, Socket, SocketClosed
from exchange.sim.in_process import ConnectionCut, InProcess, InProcessStream


class InProcessTransport:
    """``latency`` passes before and after each call, in seconds; after ``timeout`` there is no answer."""

    def __init__(
        self, door: InProcess, clock: Clock, *, latency: float = 0.005, timeout: float = 10.0
    ) -> None:
        self._door = door
        self._clock = clock
        self._latency = latency
        self._timeout = timeout

    async def send(self, request: HttpRequest) -> HttpResponse:
        try:
            async with asyncio.timeout(self._timeout):
                return await self._exchange(request)
        except (ConnectionCut, TimeoutError) as fault:
            where = transport.shown(request.url)
            raise ExchangeUnavailable(f"no answer to {request.method} {where}: {fault!r}") from fault

    async def connect(self, url: str) -> Socket:
        await self._clock.sleep(self._latency)
        return InProcessSocket(self._door.connect(url))

    async def close(self) -> None: ...

    async def _exchange(self, request: HttpRequest) -> HttpResponse:
        await self._clock.sleep(self._latency)
        reply = await self._door.request(
            request.method, request.url, headers=request.headers, body=request.body or ""
        )
        await self._clock.sleep(self._latency)
        return HttpResponse(status=reply.status, headers=CIMultiDict(reply.headers), body=reply.body)


class InProcessSocket:
    """One stream of the simulator as the adapter's socket."""

    def __init__(self, stream: InProcessStream) -> None:
        self._stream = stream

    async def receive(self) -> str:
        try:
            return await self._stream.receive()
        except ConnectionCut as cut:
            raise SocketClosed(str(cut)) from cut

    async def send(self, text: str) -> None:
        self._stream.send(text)

    async def close(self) -> None:
        self._stream.close()
