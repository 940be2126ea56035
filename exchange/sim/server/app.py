"""The HTTP server: REST, streams and control behind one port."""

import errno
from collections.abc import Awaitable, Callable, Mapping
from socket import gaierror

import msgspec
from aiohttp import web

from core.errors import PerpscoutError
from exchange.sim.server.control import Control
from exchange.sim.server.faults.rest import FaultyRest
from exchange.sim.server.refusals import Refusal
from exchange.sim.server.rest import Call, Reply
from exchange.sim.server.sockets import Sockets

_GOODBYE_SECONDS = 0.2

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class App:
    """Routes requests: upgrades to streams, /sim to the control, everything else to REST."""

    def __init__(self, rest: FaultyRest, sockets: Sockets, control: Control) -> None:
        self._rest = rest
        self._sockets = sockets
        self._control = control

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._sockets.serve(request)
        call = await _read(request)
        if call.path.startswith("/sim/"):
            return self._controlled(call)
        reply = await self._rest.answer(call)
        if reply is None and request.transport is not None:
            request.transport.abort()
        return _response(reply or Reply(500, b"", {}))

    def _controlled(self, call: Call) -> web.Response:
        try:
            answer = self._control.answer(call.method, call.path, call.params)
        except Refusal as refused:
            error = msgspec.json.encode({"code": refused.code, "msg": refused.message})
            return _response(Reply(refused.http_status, error, {}))
        return _response(Reply(200, msgspec.json.encode(answer), {}))


class Listening:
    """A server on a port; ``start`` says where, ``close`` says goodbye to every stream."""

    def __init__(self, handler: Handler, *, host: str, port: int) -> None:
        server = web.Server(handler, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=_GOODBYE_SECONDS)
        self._host = host
        self._port = port

    async def start(self) -> int:
        """Listen and return the port. Raises ``PerpscoutError`` when the address can not be had."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except (OSError, OverflowError) as error:
            await self._runner.cleanup()
            raise PerpscoutError(f"can not listen on {self._host}:{self._port}: {_cause(error)}") from error
        port: int = self._runner.addresses[0][1]
        return port

    async def close(self) -> None:
        await self._runner.cleanup()


def _cause(error: Exception) -> str:
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.EADDRINUSE:
        return "the port is occupied; choose another --port"
    if number == errno.EACCES:
        return "the port is reserved; choose another --port"
    if number == errno.EADDRNOTAVAIL or isinstance(error, gaierror):
        return "this machine has no such address; choose another --host"
    return str(error)


async def _read(request: web.BaseRequest) -> Call:
    body = await request.read()
    return Call(
        method=request.method,
        path=request.path,
        query=request.rel_url.raw_query_string,
        body=body.decode("utf-8", "replace"),
        api_key=request.headers.get("X-MBX-APIKEY"),
        address=request.remote or "",
    )


def _response(reply: Reply) -> web.Response:
    headers: Mapping[str, str] = reply.headers
    return web.Response(
        status=reply.status, body=reply.body, content_type=reply.content_type, headers=headers
    )
