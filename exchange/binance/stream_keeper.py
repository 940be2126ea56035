"""One market connection kept alive: subscribe, listen, notice silence, come back."""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
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
_UNREADABLE = 20


def _nothing(*_: object) -> None:
    """Nobody needs to know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamListener:
    """Whom to call: with each text, with what was just subscribed, and when the connection is gone."""

    on_text: Callable[[str], None]
    on_up: Callable[[Sequence[str]], None] = _nothing
    on_down: Callable[[], None] = _nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamPatience:
    """When a connection is given up, in machine seconds: without any message, and however well it goes.

    ``silence`` is what a connection of ``streams`` may show; one of fewer speaks less often and may be silent
    longer, up to ``longest``. The exchange ends every connection after a day; ours end before, each at a
    moment of its own.
    """

    silence: float = 15.0
    streams: int = 1
    longest: float = 180.0
    lifetime: float = 23 * 3600.0

    def silence_of(self, streams: int) -> float:
        return min(max(self.longest, self.silence), self.silence * max(1.0, self.streams / max(streams, 1)))


class StreamKeeper:
    """Keeps ``names`` subscribed at ``url`` and hands every text to its listener.

    Other names are asked for on the connection there is, and so are those no longer wanted given up. A
    subscription that was acknowledged proves nothing, so a silent connection is given up and made anew.
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
        self._changed = asyncio.Event()
        self._doubted: set[str] = set()
        self.names = tuple(names)
        self._listener = listener
        self._clock = clock
        self._rng = rng
        self._patience = patience
        self._backoff = Backoff()
        self._failures = 0
        self._unreadable = 0
        self._heard_at = 0.0
        self.subscribed = asyncio.Event()

    def follow(self, names: Iterable[str]) -> None:
        """Keep these subscribed from now on; nothing happens to those that were already."""
        self.names = tuple(names)
        self._changed.set()

    def renew(self, names: Iterable[str]) -> None:
        """Subscribe these again, which were acknowledged and bring nothing; where all are, connect anew."""
        self._doubted.update(names)
        self._changed.set()

    async def run(self) -> None:
        """Stay connected until cancelled; who is cut off with many others does not return with them all."""
        while True:
            try:
                await self._live()
            except (ExchangeUnavailable, SocketClosed) as end:
                _log.warning("%d streams, the first of %s, lost: %s", len(self.names), self.names[:1], end)
            await self._clock.sleep(self._backoff.delay(self._failures, self._rng))
            self._failures += 1

    async def _live(self) -> None:
        socket = await self._transport.connect(self._url)
        beside = [asyncio.create_task(self._watch(socket))]
        try:
            carried = await self._ask(socket, frozenset())
            beside.append(asyncio.create_task(self._ask_for_changes(socket, carried)))
            while True:
                text = await socket.receive()
                self._heard_at = self._clock.monotonic()
                self._hear(text)
        finally:
            self.subscribed.clear()
            self._listener.on_down()
            await _end(beside)
            await socket.close()

    def _hear(self, text: str) -> None:
        """What an unreadable message lost is noticed as missing and fetched; many are a broken connection."""
        try:
            self._listener.on_text(text)
        except (msgspec.DecodeError, ValueError) as fault:
            self._unreadable += 1
            _log.info("unreadable market message: %s", fault)
            if self._unreadable % _UNREADABLE == 0:
                raise SocketClosed(f"{_UNREADABLE} unreadable messages, the last: {fault}") from fault

    async def _ask_for_changes(self, socket: Socket, carried: Collection[str]) -> None:
        """Bring the connection up to date whenever other names are wanted."""
        try:
            while True:
                await self._changed.wait()
                await self._clock.sleep(_SECONDS_BETWEEN_MESSAGES)
                if self._doubted.issuperset(carried):
                    break
                carried = await self._ask(socket, carried)
        except SocketClosed as end:
            _log.info("streams could not be changed: %s", end)
        await socket.close()  # who listens to it will know

    async def _ask(self, socket: Socket, carried: Collection[str]) -> Collection[str]:
        """Give up what is no longer wanted, then subscribe what is not ``carried``; returns what is."""
        self._changed.clear()
        wanted = frozenset(self.names)
        trusted = frozenset(carried) - self._doubted
        self._doubted.clear()
        fresh = [name for name in self.names if name not in trusted]
        gone = sorted(name for name in carried if name not in wanted & trusted)
        messages = [*_requests("UNSUBSCRIBE", gone), *_requests("SUBSCRIBE", fresh)]
        for number, message in enumerate(messages, start=1):
            await socket.send(msgspec.json.encode({**message, "id": number}).decode())
            if number < len(messages):
                await self._clock.sleep(_SECONDS_BETWEEN_MESSAGES)
        self.subscribed.set()
        self._listener.on_up(fresh)
        return wanted

    async def _watch(self, socket: Socket) -> None:
        """Close the connection when it has gone silent or grown old."""
        self._heard_at = began = self._clock.monotonic()
        ends_at = began + self._rng.uniform(0.8, 1.0) * self._patience.lifetime
        while True:
            now = self._clock.monotonic()
            silent_at = self._heard_at + self._patience.silence_of(len(self.names))
            if now >= min(silent_at, ends_at):
                break
            if self._heard_at > began:
                self._failures = 0
            await self._clock.sleep(min(silent_at, ends_at) - now)
        await socket.close()


def _requests(method: str, names: Sequence[str]) -> Iterator[dict[str, object]]:
    for start in range(0, len(names), _NAMES_A_MESSAGE):
        yield {"method": method, "params": names[start : start + _NAMES_A_MESSAGE]}


async def _end(tasks: Iterable[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
