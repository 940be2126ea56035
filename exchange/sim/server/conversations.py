"""What a stream client may say on one connection, and what it is answered; transport is somebody else's."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

import msgspec

from core.clock import Clock
from exchange.sim.server.hub import Connection, Hub, Outlet
from exchange.sim.server.listen_keys import ListenKeys
from exchange.sim.server.streams import Route, parse_stream

MESSAGES_A_SECOND = 10
STREAMS_A_CONNECTION = 1024


class _Command(msgspec.Struct):
    method: str
    params: list[Any] = msgspec.field(default_factory=list)
    id: int | str | None = None


class Conversations:
    """Opens connections on ``/[public|market|private]/(ws|stream)``, or unrouted ones, and answers them."""

    def __init__(self, hub: Hub, keys: ListenKeys, *, index_of: Mapping[str, int], clock: Clock) -> None:
        self._hub = hub
        self._keys = keys
        self._index_of = index_of
        self._clock = clock

    def is_address(self, path: str) -> bool:
        return _address(path) is not None

    def open(
        self,
        path: str,
        outlet: Outlet,
        *,
        streams: str = "",
        listen_keys: Sequence[str] = (),
        events: str = "",
    ) -> Connection:
        """Open a connection by path and query (``streams`` and ``events`` between slashes).

        Raises ``ValueError`` where there is no such address.
        """
        found = _address(path)
        if found is None:
            raise ValueError(path)
        route, combined, names = found
        connection = Connection(outlet, route, combined=combined, opened_at=self._clock.monotonic())
        self._admit(connection, [*names, *filter(None, streams.split("/"))])
        self._listen(connection, listen_keys)
        connection.events = frozenset(filter(None, events.split("/")))
        self._hub.connections[connection] = None
        return connection

    def close(self, connection: Connection) -> None:
        self._hub.connections.pop(connection, None)

    def answer(self, connection: Connection, message: str | bytes) -> bytes | None:
        """Return the answer to one message, or nothing where there were too many: then it must be closed."""
        now, recent = self._clock.monotonic(), connection.heard_at
        if len(recent) == MESSAGES_A_SECOND and now - recent[0] < 1.0:
            return None
        recent.append(now)
        try:
            command = msgspec.json.decode(message, type=_Command)
        except (msgspec.DecodeError, UnicodeError) as error:
            return msgspec.json.encode({"error": {"code": 3, "msg": f"Invalid JSON: {error}"}})
        return msgspec.json.encode(self._obey(connection, command))

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

    def _listen(self, connection: Connection, keys: Sequence[str]) -> None:
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


def _error(code: int, text: str, request_id: int | str | None) -> dict[str, Any]:
    return {"error": {"code": code, "msg": text}, "id": request_id}
