"""The whole market over WebSockets: 1m candles, marks and funding, best bids and asks, 24 h volumes."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Protocol

import msgspec

from core.clock import Clock
from core.rng import Rng
from exchange.binance.addresses import BinanceAddresses
from exchange.binance.stream_keeper import StreamKeeper, StreamListener, StreamPatience
from exchange.binance.transport import Transport

_log = logging.getLogger(__name__)

STREAMS_A_CONNECTION = 200
_PUSHES = StreamPatience(silence=5.0)  # four a second and one a second
_BOOKS = StreamPatience(silence=15.0)  # the book ticker of the whole market comes every five seconds
Candle = tuple[float, float, float, float, float]


class MarketSink(Protocol):
    """Who wants to know. ``index`` counts in the order of the symbols subscribed; ``at`` is event time, ms.

    Called some thousand times a second: do little and never wait.
    """

    def on_candle(self, index: int, open_time: int, candle: Candle, *, closed: bool, at: int) -> None:
        """Take a 1m candle (open, high, low, close, volume): still forming, or closed and final."""
        ...

    def on_mark(self, index: int, mark: float, funding_rate: float, *, at: int) -> None: ...

    def on_book(self, index: int, bid: float, ask: float) -> None: ...

    def on_volume(self, index: int, quote_volume_24h: float) -> None: ...

    def on_candles_resumed(self, indices: Sequence[int]) -> None:
        """Candles of these symbols come again; those that closed before this moment will not."""
        ...

    def on_marks_lost(self) -> None:
        """Marks, funding rates and volumes come no more for now."""
        ...

    def on_books_lost(self) -> None: ...


class _Kline(msgspec.Struct, gc=False):
    t: int
    o: float
    h: float
    l: float  # noqa: E741 - Binance's name
    c: float
    v: float
    x: bool


class _KlineEvent(msgspec.Struct, gc=False):
    """A kline event, or the acknowledgement of a subscription, which has none of these."""

    E: int = 0
    s: str = ""
    k: _Kline | None = None


class _BookEvent(msgspec.Struct, gc=False):
    s: str = ""
    b: float = 0.0
    a: float = 0.0


class _MarketWide(msgspec.Struct, gc=False):
    """One entry of ``!markPrice@arr`` or ``!miniTicker@arr``; numbers stay text, as some are empty."""

    e: str
    E: int
    s: str
    p: str = ""
    r: str = ""
    q: str = ""


class BinanceMarketStreams:
    """Subscribes ``symbols`` and feeds ``sink``; at most 200 streams a connection."""

    def __init__(
        self,
        transport: Transport,
        addresses: BinanceAddresses,
        symbols: Sequence[str],
        sink: MarketSink,
        *,
        clock: Clock,
        rng: Rng,
        pushes: StreamPatience = _PUSHES,
        books: StreamPatience = _BOOKS,
    ) -> None:
        self._transport = transport
        self._addresses = addresses
        self._index = {symbol: index for index, symbol in enumerate(symbols)}
        self._sink = sink
        self._clock = clock
        self._rng = rng
        self._pushes = pushes
        self._klines = msgspec.json.Decoder(_KlineEvent, strict=False)
        self._books = msgspec.json.Decoder(_BookEvent, strict=False)
        self._lists = msgspec.json.Decoder(list[_MarketWide], strict=False)
        self._keepers = [
            *self._kline_keepers(list(symbols)),
            self._keeper(
                addresses.market_socket(),
                ["!markPrice@arr@1s", "!miniTicker@arr"],
                StreamListener(on_text=self._tolerant(self._on_market_wide), on_down=sink.on_marks_lost),
                pushes,
            ),
            self._keeper(
                addresses.public_socket(),
                ["!bookTicker"],
                StreamListener(on_text=self._tolerant(self._on_book), on_down=sink.on_books_lost),
                books,
            ),
        ]

    async def run(self) -> None:
        """Stream until cancelled; a fault that is not the network's ends it."""
        async with asyncio.TaskGroup() as tasks:
            for keeper in self._keepers:
                tasks.create_task(keeper.run())

    async def subscribed(self) -> None:
        """Wait until every connection has sent its subscriptions."""
        for keeper in self._keepers:
            await keeper.subscribed.wait()

    @property
    def gaps(self) -> int:
        """How often a connection was lost so far."""
        return sum(keeper.gaps for keeper in self._keepers)

    def _kline_keepers(self, symbols: list[str]) -> Iterator[StreamKeeper]:
        names = [f"{symbol.lower()}@kline_1m" for symbol in symbols]
        for start in range(0, len(names), STREAMS_A_CONNECTION):
            indices = range(start, min(start + STREAMS_A_CONNECTION, len(names)))
            listener = StreamListener(
                on_text=self._tolerant(self._on_kline),
                on_up=partial(self._sink.on_candles_resumed, indices),
            )
            chunk = names[start : start + STREAMS_A_CONNECTION]
            yield self._keeper(self._addresses.market_socket(), chunk, listener, self._pushes)

    def _keeper(
        self, url: str, names: Sequence[str], listener: StreamListener, patience: StreamPatience
    ) -> StreamKeeper:
        return StreamKeeper(
            self._transport,
            url,
            names,
            listener=listener,
            clock=self._clock,
            rng=self._rng,
            patience=patience,
        )

    def _tolerant(self, on_text: Callable[[str], None]) -> Callable[[str], None]:
        def read(text: str) -> None:
            try:
                on_text(text)
            except (msgspec.DecodeError, ValueError) as fault:
                # A candle lost here is noticed as missing and fetched, so the stream may go on.
                _log.warning("unreadable market message: %s", fault)

        return read

    def _on_kline(self, text: str) -> None:
        event = self._klines.decode(text)
        kline, index = event.k, self._index.get(event.s)
        if kline is None or index is None:
            return
        candle = (kline.o, kline.h, kline.l, kline.c, kline.v)
        self._sink.on_candle(index, kline.t, candle, closed=kline.x, at=event.E)

    def _on_book(self, text: str) -> None:
        event = self._books.decode(text)
        index = self._index.get(event.s)
        if index is not None:
            self._sink.on_book(index, event.b, event.a)

    def _on_market_wide(self, text: str) -> None:
        if not text.startswith("["):
            return  # the acknowledgement of a subscription
        for entry in self._lists.decode(text):
            index = self._index.get(entry.s)
            if index is None:
                continue
            if entry.q:
                self._sink.on_volume(index, float(entry.q))
            elif entry.p:
                self._sink.on_mark(index, float(entry.p), float(entry.r or "nan"), at=entry.E)
