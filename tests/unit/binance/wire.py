"""A transport that answers from a script, for the adapter's REST side."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from multidict import CIMultiDict

from core.clock import Clock, ManualClock
from core.rng import seeded
from exchange.binance.addresses import BinanceAddresses, Credentials
from exchange.binance.futures import BinanceFutures
from exchange.binance.rest import BinanceRest
from exchange.binance.transport import HttpRequest, HttpResponse, Socket, SocketClosed
from exchange.binance.user_stream import UserStream
from exchange.limits.weight import WeightLimiter

ADDRESSES = BinanceAddresses(rest="http://exchange.test", ws="ws://exchange.test")
SECRET = "a-secret-nobody-may-see"
NOW_MS = 1_764_547_200_000


def reply(body: Any, *, status: int = 200, **headers: str) -> HttpResponse:
    """Make a reply; ``body`` is encoded unless it is bytes, ``_`` in header names stands for ``-``."""
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    named = CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()})
    return HttpResponse(status=status, headers=named, body=content)


def refusal(code: int, *, status: int = 400, message: str = "no", **headers: str) -> HttpResponse:
    return reply({"code": code, "msg": message}, status=status, **headers)


@dataclass
class ScriptedSocket:
    """Yields ``texts``, then breaks; with ``silent_after`` it goes quiet instead, until it is closed."""

    texts: list[str]
    silent_after: bool = False
    sent: list[str] = field(default_factory=list)
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self) -> str:
        if self.texts and not self.closed.is_set():
            return self.texts.pop(0)
        if self.silent_after:
            await self.closed.wait()
        raise SocketClosed("gone")

    async def send(self, text: str) -> None:
        self.sent.append(text)

    async def close(self) -> None:
        self.closed.set()


@dataclass
class ScriptedTransport:
    """Answers requests by ``answer``, ``latency`` seconds later; connections by the next of ``sockets``."""

    answer: Callable[[HttpRequest], HttpResponse]
    sockets: list[Socket | Exception] = field(default_factory=list)
    requests: list[HttpRequest] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    latency: float = 0.0
    clock: Clock | None = None

    async def send(self, request: HttpRequest) -> HttpResponse:
        self.requests.append(request)
        response = self.answer(request)
        if self.latency and self.clock is not None:
            await self.clock.sleep(self.latency)
        return response

    async def connect(self, url: str) -> Socket:
        self.urls.append(url)
        if not self.sockets:
            await asyncio.Event().wait()
        socket = self.sockets.pop(0)
        if isinstance(socket, Exception):
            raise socket
        return socket

    async def close(self) -> None: ...

    @property
    def asked(self) -> list[tuple[str, str]]:
        """Method and path of every request."""
        return [
            (each.method, each.url.removeprefix(ADDRESSES.rest).partition("?")[0]) for each in self.requests
        ]


def parameters(request: HttpRequest) -> dict[str, str]:
    """Read what a request says, wherever it says it."""
    return dict(parse_qsl(request.url.partition("?")[2] or request.body or ""))


@dataclass
class Wired:
    """The adapter on a scripted transport."""

    transport: ScriptedTransport
    clock: Clock
    limiter: WeightLimiter
    api: BinanceRest
    user_stream: UserStream
    exchange: BinanceFutures


def wired(
    answer: Callable[[HttpRequest], HttpResponse],
    *,
    sockets: list[Socket | Exception] | None = None,
    clock: Clock | None = None,
) -> Wired:
    clock, rng = clock or ManualClock(NOW_MS), seeded(1)
    transport = ScriptedTransport(answer, sockets or [], clock=clock)
    limiter = WeightLimiter(clock)
    api = BinanceRest(
        ADDRESSES,
        Credentials(api_key="key", api_secret=SECRET),
        transport=transport,
        limiter=limiter,
        clock=clock,
    )
    user_stream = UserStream(api, transport, ADDRESSES, clock=clock, rng=rng)
    exchange = BinanceFutures(api, user_stream, clock=clock, rng=rng)
    return Wired(transport, clock, limiter, api, user_stream, exchange)
