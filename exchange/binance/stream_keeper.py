"""One market connection kept alive: subscribe, listen, notice silence, come back."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress

import msgspec

from core.clock import Clock
from core.errors import ExchangeUnavailable
from core.rng import Rng
from exchange.binance.transport import Socket, SocketClosed, Transport
from exchange.limits.retries import Backoff

_log = logging.getLogger(__name__)

_NAMES_A_MESSAGE = 100
_SECONDS_BETWEEN_MESSAGES = 0.15  # Binance disconnects who sends more than ten a second


class StreamKeeper:
    """Keeps ``names`` subscribed at ``url`` and hands every text to ``on_text``.

    A subscription that was acknowledged proves nothing: after ``silence`` machine seconds without any
    message the connection is given up and made anew.
    """

    def __init__(
        self,
        transport: Transport,
        url: str,
        names: Sequence[str],
        *,
        on_text: Callable[[str], None],
        clock: Clock,
        rng: Rng,
        silence: float,
    ) -> None:
        self._transport = transport
        self._url = url
        self._names = tuple(names)
        self._on_text = on_text
        self._clock = clock
        self._rng = rng
        self._silence = silence
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
                self._on_text(text)
        finally:
            self.subscribed.clear()
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

    async def _watch(self, socket: Socket) -> None:
        while True:
            self._heard = False
            await self._clock.sleep(self._silence)
            if not self._heard:
                _log.warning("nothing heard for %.0f s", self._silence)
                await socket.close()
                return
            self._failures = 0
