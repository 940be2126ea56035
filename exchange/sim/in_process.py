"""The simulator without sockets, for tests whose time is virtual: the same calls, frames and faults.

A storm replaces ccxt's ``fetch`` by ``InProcess.request`` and the stream transport by ``InProcess.connect``;
all that lies behind is the server that listens on a port otherwise.
"""

import asyncio
from collections.abc import Mapping
from urllib.parse import parse_qs, unquote, urlsplit

from exchange.sim.process import Simulator
from exchange.sim.server.hub import Connection
from exchange.sim.server.rest import Call, Reply

_CLOSE_OPCODE = 0x08


class ConnectionCut(ConnectionError):
    """The exchange hung up without an answer."""


class InProcess:
    """A door to a simulator in the same event loop. Its market moves once ``let_time_pass`` was called."""

    def __init__(self, simulator: Simulator, *, address: str = "in-process") -> None:
        self._simulator = simulator
        self._address = address

    async def request(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: str = ""
    ) -> Reply:
        """Make one REST call. Raises ``ConnectionCut`` where a fault ends it without a reply."""
        parts = urlsplit(url)
        call = Call(
            method=method,
            path=parts.path,
            query=parts.query,
            body=body,
            api_key=(headers or {}).get("X-MBX-APIKEY"),
            address=self._address,
        )
        reply = await self._simulator.front.answer(call)
        if reply is None:
            raise ConnectionCut(f"{method} {parts.path}")
        return reply

    def connect(self, url: str) -> "InProcessStream":
        """Open a stream. Raises ``ValueError`` where there is no such address."""
        parts = urlsplit(url)
        query = parse_qs(parts.query)
        pipe = _Pipe()
        connection = self._simulator.conversations.open(
            unquote(parts.path),
            pipe,
            streams=query.get("streams", [""])[0],
            listen_keys=query.get("listenKey", []),
            events=query.get("events", [""])[0],
        )
        return InProcessStream(self._simulator, connection, pipe)


class InProcessStream:
    """One open stream: texts in both directions."""

    def __init__(self, simulator: Simulator, connection: Connection, pipe: "_Pipe") -> None:
        self._simulator = simulator
        self._connection = connection
        self._pipe = pipe

    def send(self, text: str) -> None:
        """Say something; the answer arrives among the events. Too much of it closes the connection."""
        answer = self._simulator.conversations.answer(self._connection, text)
        if answer is None:
            self.close()
        else:
            self._pipe.texts.put_nowait(answer)

    async def receive(self) -> str:
        """Return the next text. Raises ``ConnectionCut`` when the connection has ended."""
        text = None if self._pipe.is_closing() and self._pipe.texts.empty() else await self._pipe.texts.get()
        if text is None:
            raise ConnectionCut("the stream has ended")
        return text.decode("utf-8", "replace")

    def close(self) -> None:
        self._simulator.conversations.close(self._connection)
        self._pipe.close()


class _Pipe:
    """Takes the frames that would go to a socket apart again. Never congested: its reader shares our loop."""

    def __init__(self) -> None:
        self.texts: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._is_closing = False

    def write(self, data: bytes) -> None:
        at = 0
        while at < len(data):
            opcode, start, end = _frame_at(data, at)
            if opcode != _CLOSE_OPCODE:
                self.texts.put_nowait(data[start:end])
            at = end

    def is_closing(self) -> bool:
        return self._is_closing

    def abort(self) -> None:
        self.close()

    def close(self) -> None:
        if not self._is_closing:
            self._is_closing = True
            self.texts.put_nowait(None)

    def get_write_buffer_size(self) -> int:
        return 0


def _frame_at(data: bytes, at: int) -> tuple[int, int, int]:
    """Return opcode, and where the payload of the unmasked frame at ``at`` starts and ends."""
    short = data[at + 1]
    width = {126: 2, 127: 8}.get(short, 0)
    start = at + 2 + width
    length = int.from_bytes(data[at + 2 : start], "big") if width else short
    return data[at] & 0x0F, start, start + length
