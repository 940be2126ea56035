"""One market connection kept alive: subscribe, listen, notice silence, come back."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import msgspec

from core.clock import Clock
from core.errors import ExchangeUnavailable
from core.rng import Rng
from exchange.binance.transport import Socket, SocketClosed, Transport
from exchange.limits.retries import Backoff

_log = logging.getLogger(__name__)

_NAMES_A_MESSAGE = 100
_SECONDS_BETWEEN_MESSAGES = 0.15  # Binance disconnects who sends more than ten a second


def _nothing() -> None:
    """Nobody needs to know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamListener:
    """Whom to call: with each text, once subscribed, and when the connection is gone."""

    on_text: Callable[[str], None]
    on_up: Callable[[], None] = _nothing
    on_down: Callable[[], None] = _nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamPatience:
    """When a connection is given up, in machine seconds: without any message, and however well it goes.

    The exchange ends every connection after a day; ours end before, each at a moment of its own.
    """

    silence: float = 15.0
    lifetime: float = 23 * 3600.0


class StreamKeeper:
    """Keeps ``names`` subscribed at ``url`` and hands every text to its listener.

    A subscription that was acknowledged proves nothing, so a silent connection is given up and made anew.
    """

    def __init__(
        self,
        transport: Transport,
        url: str,
        names: Sequence[str],
        *,
        listener: StreamListener,
        clock: Clock,
        rng: Rng,
        patience: StreamPatience,
    ) -> None:
        self._transport = transport
        self._url = url
        self._names = tuple(names)
        self._listener = listener
        self._clock = clock
        self._rng = rng
        self._patience = patience
        self._backoff = Backoff()
        self._failures = 0
        self._heard = False
        self.subscribed = asyncio.Event()
        self.gaps = 0

    async def run(self) -> None:
        """Stay connected until cancelled."""
        while True:
            if self._failures:
                await self._clock.sleep(self._backoff.delay(self._failures, self._rng))
            self._failures += 1
            try:
                await self._live()
            except (ExchangeUnavailable, SocketClosed) as end:
                self.gaps += 1
                _log.warning("stream of %s and %d more lost: %s", self._names[0], len(self._names) - 1, end)

    async def _live(self) -> None:
        socket = await self._transport.connect(self._url)
        watchdog = asyncio.create_task(self._watch(socket))
        try:
            await self._subscribe(socket)
            while True:
                text = await socket.receive()
                self._heard = True
                self._listener.on_text(text)
        finally:
            self.subscribed.clear()
            self._listener.on_down()
            watchdog.cancel()
            with suppress(asyncio.CancelledError):
                await watchdog
            await socket.close()

    async def _subscribe(self, socket: Socket) -> None:
        for start in range(0, len(self._names), _NAMES_A_MESSAGE):
            names = self._names[start : start + _NAMES_A_MESSAGE]
            request = {"method": "SUBSCRIBE", "params": names, "id": start + 1}
            await socket.send(msgspec.json.encode(request).decode())
            if start + _NAMES_A_MESSAGE < len(self._names):
                await self._clock.sleep(_SECONDS_BETWEEN_MESSAGES)
        self.subscribed.set()
        self._listener.on_up()

    async def _watch(self, socket: Socket) -> None:
        """Close the connection when it has gone silent or grown old."""
        ends_at = self._clock.monotonic() + self._rng.uniform(0.8, 1.0) * self._patience.lifetime
        while (left := ends_at - self._clock.monotonic()) > 0:
            self._heard = False
            await self._clock.sleep(min(self._patience.silence, left))
            if not self._heard:
                break
            self._failures = 0
        await socket.close()
