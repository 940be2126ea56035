"""How bytes reach the exchange: a port, so that storms can lose, delay and damage them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import aiohttp
from yarl import URL

from core.errors import ExchangeUnavailable

_HEARTBEAT = 20.0  # seconds between our pings: a peer that died without a word is noticed
_LAST_WORDS = 2.0  # seconds a closing peer gets to say goodbye


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """One signed question or order; whoever shows it shows no key and no signature."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: str | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResponse:
    """``headers`` look their names up in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class SocketClosed(Exception):
    """The other side went away, or the connection broke."""


class Socket(Protocol):
    """One WebSocket, already connected."""

    async def receive(self) -> str:
        """Wait for the next text; raises ``SocketClosed`` when there will be none."""
        ...

    async def send(self, text: str) -> None:
        """Send one text; raises ``SocketClosed`` when it can not."""
        ...

    async def close(self) -> None: ...


class Transport(Protocol):
    """Sends one request, opens one socket; both raise ``ExchangeUnavailable`` when nothing comes back."""

    async def send(self, request: HttpRequest) -> HttpResponse: ...

    async def connect(self, url: str) -> Socket: ...

    async def close(self) -> None: ...


class AiohttpTransport:
    """Real connections, kept alive. ``timeout`` in seconds spans one whole request.

    No redirect is followed: it would carry an order, with key and signature, to whatever host it names.
    """

    def __init__(self, *, timeout: float = 10.0, connections: int = 64) -> None:
        self._timeout = aiohttp.ClientTimeout(total=timeout, sock_connect=timeout, sock_read=timeout)
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None

    async def send(self, request: HttpRequest) -> HttpResponse:
        body = request.body.encode() if request.body else None
        try:
            async with self._opened().request(
                request.method, URL(request.url, encoded=True), data=body, headers=request.headers
            ) as reply:
                return HttpResponse(status=reply.status, headers=reply.headers, body=await reply.read())
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            raise ExchangeUnavailable(
                f"no answer to {request.method} {shown(request.url)}: {_told(fault)}"
            ) from None

    async def connect(self, url: str) -> Socket:
        try:
            socket = await self._opened().ws_connect(
                URL(url, encoded=True),
                max_msg_size=0,
                heartbeat=_HEARTBEAT,
                timeout=aiohttp.ClientWSTimeout(ws_close=_LAST_WORDS),
            )
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            raise ExchangeUnavailable(f"no socket at {shown(url)}: {_told(fault)}") from None
        return AiohttpSocket(socket)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=self._connections)
            self._session = aiohttp.ClientSession(
                connector=connector, timeout=self._timeout, trace_configs=[_redirects_refused()]
            )
        return self._session


class AiohttpSocket:
    """A WebSocket of aiohttp, pings answered."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def receive(self) -> str:
        message = await self._socket.receive()
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise SocketClosed(f"{message.type.name} {self._socket.close_code}")
        text: str = message.data
        return text

    async def send(self, text: str) -> None:
        try:
            await self._socket.send_str(text)
        except (aiohttp.ClientError, OSError) as fault:
            raise SocketClosed(repr(fault)) from fault

    async def close(self) -> None:
        await self._socket.close()


def _redirects_refused() -> aiohttp.TraceConfig:
    """aiohttp can be told to follow none for requests, but not for sockets; this is for both."""
    tracing = aiohttp.TraceConfig()
    tracing.on_request_redirect.append(_refuse_redirect)
    return tracing


async def _refuse_redirect(*_: object) -> None:
    raise aiohttp.ClientError("the answer leads to another address")


def _told(fault: Exception) -> str:
    """Say what went wrong, in words. aiohttp's own repeat the question, with keys and query."""
    match fault:
        case aiohttp.ClientResponseError():
            return f"HTTP {fault.status} {fault.message}"
        case aiohttp.InvalidURL():
            return "the address can not be read"
        case aiohttp.ClientConnectorDNSError():
            return "the name of the host is not known: see that the network is up"
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError():
            return "the encrypted connection was refused"
        case aiohttp.ServerDisconnectedError():
            return "the connection was closed"
        case TimeoutError():
            return "timed out"
        case aiohttp.ClientOSError() | OSError():
            return os.strerror(fault.errno).lower() if fault.errno else "the connection broke"
        case _:
            return str(fault) or type(fault).__name__


def shown(url: str) -> str:
    """Return what may be shown of an address: no query, for it holds signatures and listen keys."""
    return url.partition("?")[0]
