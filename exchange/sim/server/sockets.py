"""One WebSocket client: the address it came by, the frames it sends, the limits it must keep."""

from collections import defaultdict, deque
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import msgspec
from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from core.clock import Clock
from exchange.sim.server.hub import Connection, Hub
from exchange.sim.server.listen_keys import ListenKeys
from exchange.sim.server.streams import Route, parse_stream

MESSAGES_A_SECOND = 10
STREAMS_A_CONNECTION = 1024
CONNECTIONS_IN_FIVE_MINUTES = 300

_FIVE_MINUTES = 300.0
_PING_SECONDS = 180.0
_LARGEST_MESSAGE = 1 << 20


class _Command(msgspec.Struct):
    method: str
    params: list[Any] = msgspec.field(default_factory=list)
    id: int | str | None = None


class Sockets:
    """Accepts streams on ``/[public|market|private]/(ws|stream)``, and on the unrouted addresses."""

    def __init__(self, hub: Hub, keys: ListenKeys, *, index_of: Mapping[str, int], clock: Clock) -> None:
        self._hub = hub
        self._keys = keys
        self._index_of = index_of
        self._clock = clock
        self._arrivals: defaultdict[str, deque[float]] = defaultdict(
            lambda: deque(maxlen=CONNECTIONS_IN_FIVE_MINUTES)
        )

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Hold one connection until it closes; an address that is none is a 404."""
        found = _address(request.path)
        if found is None or request.transport is None:
            return web.Response(status=404)
        if self._comes_too_often(request.remote or ""):
            return web.Response(status=429)
        route, combined, names = found
        socket = web.WebSocketResponse(compress=False, heartbeat=_PING_SECONDS, max_msg_size=_LARGEST_MESSAGE)
        await socket.prepare(request)
        connection = Connection(
            request.transport, route, combined=combined, opened_at=self._clock.monotonic()
        )
        self._admit(connection, [*names, *_queried(request.query.get("streams"))])
        self._listen(connection, request.query.getall("listenKey", []))
        self._hub.connections.add(connection)
        try:
            await self._converse(socket, connection)
        finally:
            self._hub.connections.discard(connection)
        return socket

    def _comes_too_often(self, address: str) -> bool:
        """Count a new connection; beyond the limit the handshake is refused (its status is a guess)."""
        now, recent = self._clock.monotonic(), self._arrivals[address]
        if len(recent) == CONNECTIONS_IN_FIVE_MINUTES and now - recent[0] < _FIVE_MINUTES:
            return True
        recent.append(now)
        return False

    async def _converse(self, socket: web.WebSocketResponse, connection: Connection) -> None:
        recent: deque[float] = deque(maxlen=MESSAGES_A_SECOND)
        async for message in socket:
            now = self._clock.monotonic()
            if len(recent) == MESSAGES_A_SECOND and now - recent[0] < 1.0:
                await socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"Too many requests")
                return
            recent.append(now)
            await self._answer(socket, connection, message)

    async def _answer(
        self, socket: web.WebSocketResponse, connection: Connection, message: WSMessage
    ) -> None:
        if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
            return
        try:
            command = msgspec.json.decode(message.data, type=_Command)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            await _send(socket, {"error": {"code": 3, "msg": f"Invalid JSON: {error}"}})
            return
        await _send(socket, self._obey(connection, command))

    def _obey(self, connection: Connection, command: _Command) -> dict[str, Any]:
        names = [each for each in command.params if isinstance(each, str)]
        if len(names) != len(command.params) and command.method in ("SUBSCRIBE", "UNSUBSCRIBE"):
            return _error(2, "Invalid request: params must be strings", command.id)
        match command.method:
            case "SUBSCRIBE":
                if not self._admit(connection, names):
                    return _error(2, "Invalid request: too many streams on this connection", command.id)
            case "UNSUBSCRIBE":
                for name in names:
                    connection.unsubscribe(name)
                    connection.listen_keys.discard(name)
            case "LIST_SUBSCRIPTIONS":
                return {"result": list(connection.names), "id": command.id}
            case "SET_PROPERTY" | "GET_PROPERTY":
                return self._property(connection, command)
            case _:
                return _error(2, f"Invalid request: unknown method {command.method}", command.id)
        return {"result": None, "id": command.id}

    def _property(self, connection: Connection, command: _Command) -> dict[str, Any]:
        if command.params[:1] != ["combined"]:
            return _error(0, "Unknown property", command.id)
        if command.method == "GET_PROPERTY":
            return {"result": connection.combined, "id": command.id}
        if len(command.params) != 2 or not isinstance(command.params[1], bool):
            return _error(1, "Invalid value type: expected Boolean", command.id)
        connection.combined = command.params[1]
        return {"result": None, "id": command.id}

    def _admit(self, connection: Connection, names: list[str]) -> bool:
        """Subscribe to all of the names, or to none where there would be too many."""
        if len(connection.names.keys() | set(names)) > STREAMS_A_CONNECTION:
            return False
        connection.subscribe_all({name: parse_stream(name, self._index_of) for name in names})
        self._listen(connection, names)
        return True

    def _listen(self, connection: Connection, keys: list[str]) -> None:
        """Note the names that are listen keys; only the private route delivers them."""
        if connection.route is Route.PRIVATE:
            connection.listen_keys.update(key for key in keys if self._keys.account_of(key))


def _address(path: str) -> tuple[Route, bool, list[str]] | None:
    """Return route, whether payloads are wrapped, and the streams the path itself names."""
    parts = [unquote(part) for part in path.strip("/").split("/")]
    route = (
        Route(parts.pop(0)) if parts[0] in {each.value for each in Route if each.value} else Route.UNROUTED
    )
    if not parts or parts[0] not in ("ws", "stream"):
        return None
    return route, parts[0] == "stream", [name for name in parts[1:] if "@" in name or name.startswith("!")]


def _queried(streams: str | None) -> list[str]:
    return [name for name in (streams or "").split("/") if name]


def _error(code: int, text: str, request_id: int | str | None) -> dict[str, Any]:
    return {"error": {"code": code, "msg": text}, "id": request_id}


async def _send(socket: web.WebSocketResponse, answer: dict[str, Any]) -> None:
    await socket.send_str(msgspec.json.encode(answer).decode())
