"""Who listens to what, and the sending of each payload to all of them."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np

from exchange.sim.market.candles import Integers
from exchange.sim.server.frames import text_frame, wrapped
from exchange.sim.server.payloads import listing
from exchange.sim.server.streams import Route, Stream

CONGESTED_BYTES = 4_000_000

_GOING_AWAY = bytes((0x88, 2)) + (1001).to_bytes(2, "big")


class Outlet(Protocol):
    """What a connection needs of an asyncio transport."""

    def write(self, data: bytes, /) -> None: ...

    def is_closing(self) -> bool: ...

    def abort(self) -> None: ...

    def close(self) -> None: ...

    def get_write_buffer_size(self) -> int: ...


class Connection:
    """One open socket: its route, its subscriptions, and for /private its listen keys."""

    def __init__(self, transport: Outlet, route: Route, *, combined: bool, opened_at: float = 0.0) -> None:
        self.opened_at = opened_at
        self.route = route
        self.combined = combined
        self.names: dict[str, Stream | None] = {}
        self.listen_keys: set[str] = set()
        self.events: frozenset[str] = frozenset()
        """User-data events wanted on /private; none named is all of them."""
        self.heard_at: deque[float] = deque(maxlen=10)
        self._transport = transport
        self._by_channel: dict[str, list[Stream]] = {}
        self._is_silent = False

    def subscribe_all(self, streams: Mapping[str, Stream | None]) -> None:
        """Note subscriptions; a stream this route does not deliver is noted and stays silent."""
        self.names.update(streams)
        self._sort()

    def unsubscribe(self, name: str) -> None:
        self.names.pop(name, None)
        self._sort()

    @property
    def channels(self) -> Iterable[str]:
        return self._by_channel.keys()

    def streams(self, channel: str) -> Sequence[Stream]:
        return self._by_channel.get(channel, ())

    def send(self, frames: bytes) -> None:
        """Hand whole frames to the socket, all at once: one system call, however many messages."""
        if frames and not self._is_silent and not self._transport.is_closing():
            self._transport.write(frames)

    @property
    def unsent(self) -> int:
        return 0 if self._transport.is_closing() else self._transport.get_write_buffer_size()

    def silence(self) -> None:
        """Deliver nothing more; the socket stays open and its commands are still acknowledged."""
        self._is_silent = True

    def close(self) -> None:
        """Say goodbye (1001, going away) and close once everything is sent."""
        self._transport.write(_GOING_AWAY)
        self._transport.close()

    def drop(self) -> None:
        """Cut the connection without a word."""
        self._transport.abort()

    def _sort(self) -> None:
        self._by_channel = {}
        for stream in self.names.values():
            if stream is not None and self.route.delivers(stream.channel):
                self._by_channel.setdefault(stream.channel, []).append(stream)


class Hub:
    """All open connections."""

    def __init__(self) -> None:
        self.connections: dict[Connection, None] = {}
        """As they were opened: whoever came first is told first, in every run alike."""

    def channels(self) -> Iterable[str]:
        """Return the channels somebody listens to, each once, in the order of the first who does."""
        return dict.fromkeys(channel for each in self.connections for channel in each.channels)

    def audience(self, channel: str) -> Integers | None:
        """Return the numbers of the symbols somebody listens to on a channel, or ``None`` for all of them."""
        streams = [each for connection in self.connections for each in connection.streams(channel)]
        if any(each.index is None for each in streams):
            return None
        return np.unique(np.array([each.index for each in streams], np.int64))

    def retire(self, opened_before: float) -> None:
        """Close the connections that are older than that (monotonic seconds)."""
        for connection in [each for each in self.connections if each.opened_at < opened_before]:
            self.connections.pop(connection, None)
            connection.close()

    def cut_all(self) -> None:
        for connection in self.connections:
            connection.drop()
        self.connections.clear()

    def silence_all(self) -> None:
        for connection in self.connections:
            connection.silence()

    def deliver(self, channel: str, who: Integers, records: Sequence[bytes]) -> None:
        """Send ``records`` (one a symbol of ``who``) to everybody who listens."""
        by_symbol = dict(zip(who.tolist(), records, strict=True))
        plain: dict[int, bytes] = {}
        for connection in self.connections:
            frames = [
                frame
                for stream in connection.streams(channel)
                for frame in _frames(stream, by_symbol, plain, combined=connection.combined)
            ]
            connection.send(b"".join(frames))

    def deliver_private(self, key: str, payload: bytes, *, event: str) -> None:
        """Send one user-data event to the sockets that listen with a key and want events of its name."""
        for connection in self.connections:
            if key in connection.listen_keys and (not connection.events or event in connection.events):
                connection.send(text_frame(wrapped(key, payload) if connection.combined else payload))

    def most_unsent(self) -> Connection | None:
        """Return the connection with the most bytes waiting, if any is congested."""
        worst = max(self.connections, key=lambda each: each.unsent, default=None)
        return worst if worst is not None and worst.unsent > CONGESTED_BYTES else None


def _frames(
    stream: Stream, by_symbol: Mapping[int, bytes], plain: dict[int, bytes], *, combined: bool
) -> Iterable[bytes]:
    if stream.as_array:
        array = listing(list(by_symbol.values()))
        return [text_frame(wrapped(stream.name, array) if combined else array)]
    who = by_symbol.keys() if stream.index is None else (stream.index,)
    if combined:
        return [text_frame(wrapped(stream.name, by_symbol[each])) for each in who if each in by_symbol]
    return [_plain_frame(each, by_symbol, plain) for each in who if each in by_symbol]


def _plain_frame(index: int, by_symbol: Mapping[int, bytes], plain: dict[int, bytes]) -> bytes:
    if index not in plain:
        plain[index] = text_frame(by_symbol[index])
    return plain[index]
