"""Stream connections over real sockets: how many may come, how large a message may be, when to hang up."""

from collections import defaultdict, deque

from aiohttp import WSCloseCode, WSMsgType, web

from core.clock import Clock
from exchange.sim.server.conversations import Conversations
from exchange.sim.server.hub import Connection

CONNECTIONS_IN_FIVE_MINUTES = 300

_FIVE_MINUTES = 300.0
_PING_SECONDS = 180.0
_LARGEST_MESSAGE = 1 << 20


class Sockets:
    """Carries conversations over aiohttp's WebSockets."""

    def __init__(self, conversations: Conversations, clock: Clock) -> None:
        self._conversations = conversations
        self._clock = clock
        self._arrivals: defaultdict[str, deque[float]] = defaultdict(
            lambda: deque(maxlen=CONNECTIONS_IN_FIVE_MINUTES)
        )

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Hold one connection until it closes; an address that is none is a 404."""
        if not self._conversations.is_address(request.path) or request.transport is None:
            return web.Response(status=404)
        if self._comes_too_often(request.remote or ""):
            return web.Response(status=429)
        socket = web.WebSocketResponse(compress=False, heartbeat=_PING_SECONDS, max_msg_size=_LARGEST_MESSAGE)
        await socket.prepare(request)
        connection = self._conversations.open(
            request.path,
            request.transport,
            streams=request.query.get("streams", ""),
            listen_keys=request.query.getall("listenKey", []),
            events=request.query.get("events", ""),
        )
        try:
            await self._converse(socket, connection)
        finally:
            self._conversations.close(connection)
        return socket

    def _comes_too_often(self, address: str) -> bool:
        """Count a new connection; beyond the limit the handshake is refused (its status is a guess)."""
        now, recent = self._clock.monotonic(), self._arrivals[address]
        if len(recent) == CONNECTIONS_IN_FIVE_MINUTES and now - recent[0] < _FIVE_MINUTES:
            return True
        recent.append(now)
        return False

    async def _converse(self, socket: web.WebSocketResponse, connection: Connection) -> None:
        async for message in socket:
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                continue
            answer = self._conversations.answer(connection, message.data)
            if answer is None:
                await socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"Too many requests")
                return
            await socket.send_str(answer.decode())
