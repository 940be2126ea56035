"""The whole market over WebSockets: 1m candles, marks and funding, best bids and asks, 24 h volumes."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from core.clock import Clock
from core.rng import Rng
from exchange.binance.addresses import BinanceAddresses
from exchange.binance.allotment import STREAMS_A_CONNECTION, allotted
from exchange.binance.stream_keeper import StreamKeeper, StreamListener, StreamPatience
from exchange.binance.transport import Transport

_KLINES = "@kline_1m"
Candle = tuple[float, float, float, float, float]


_CANDLES = StreamPatience(silence=5.0, streams=STREAMS_A_CONNECTION)  # four a second of what is traded
_PUSHES = StreamPatience(silence=3.0)  # one a second
_BOOKS = StreamPatience(silence=15.0)  # the book ticker of the whole market comes every five seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketPatience:
    """How long each kind of connection may be silent: some three of its updates."""

    candles: StreamPatience = _CANDLES
    pushes: StreamPatience = _PUSHES
    books: StreamPatience = _BOOKS


_USUAL = MarketPatience()


class MarketSink(Protocol):
    """Who wants to know. ``index`` counts in the order of the symbols followed; ``at`` is event time, ms.

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
        patience: MarketPatience = _USUAL,
    ) -> None:
        self._transport = transport
        self._addresses = addresses
        self._sink = sink
        self._clock = clock
        self._rng = rng
        self._patience = patience
        self._klines = msgspec.json.Decoder(_KlineEvent, strict=False)
        self._books = msgspec.json.Decoder(_BookEvent, strict=False)
        self._lists = msgspec.json.Decoder(list[_MarketWide], strict=False)
        self._index: dict[str, int] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._running: dict[StreamKeeper, asyncio.Task[None]] = {}
        self._candle_keepers: list[StreamKeeper] = []
        self._wide_keepers = [
            self._keeper(
                addresses.market_socket(),
                ["!markPrice@arr@1s", "!miniTicker@arr"],
                StreamListener(on_text=self._on_market_wide, on_down=sink.on_marks_lost),
                patience.pushes,
            ),
            self._keeper(
                addresses.public_socket(),
                ["!bookTicker"],
                StreamListener(on_text=self._on_book, on_down=sink.on_books_lost),
                patience.books,
            ),
        ]
        self.follow(symbols)

    async def run(self) -> None:
        """Stream until cancelled; a fault that is not the network's ends it."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            for keeper in self._keepers:
                self._start(keeper)

    async def subscribed(self) -> None:
        """Wait until every connection has sent its subscriptions."""
        for keeper in self._keepers:
            await keeper.subscribed.wait()

    def follow(self, symbols: Sequence[str]) -> None:
        """Stream these symbols from now on; indices count in their order from this moment.

        Streams that go on stay on their connections, which are not disturbed; one left with none is ended.
        """
        self._index = {symbol: index for index, symbol in enumerate(symbols)}
        wanted = {f"{symbol.lower()}{_KLINES}": None for symbol in symbols}
        allotments = allotted((keeper.names for keeper in self._candle_keepers), wanted)
        known = len(self._candle_keepers)
        for keeper, names in zip(self._candle_keepers, allotments[:known], strict=True):
            if keeper.names != names:
                keeper.follow(names)
        self._retire()
        for names in allotments[known:]:
            keeper = self._candle_keeper(names)
            self._candle_keepers.append(keeper)
            self._start(keeper)

    def renew(self, symbols: Sequence[str]) -> None:
        """Subscribe the candles of these anew, the other streams of their connections undisturbed."""
        silent = {f"{symbol.lower()}{_KLINES}" for symbol in symbols}
        for keeper in self._candle_keepers:
            if doubted := silent.intersection(keeper.names):
                keeper.renew(doubted)

    @property
    def _keepers(self) -> list[StreamKeeper]:
        return [*self._candle_keepers, *self._wide_keepers]

    def _start(self, keeper: StreamKeeper) -> None:
        if self._tasks is not None:
            self._running[keeper] = self._tasks.create_task(keeper.run())

    def _retire(self) -> None:
        """End the connections that carry nothing any more."""
        for keeper in [each for each in self._candle_keepers if not each.names]:
            self._candle_keepers.remove(keeper)
            keeper.subscribed.set()  # whoever waits for all of them need not wait for this one
            task = self._running.pop(keeper, None)
            if task is not None:
                task.cancel()

    def _candle_keeper(self, names: Sequence[str]) -> StreamKeeper:
        listener = StreamListener(on_text=self._on_kline, on_up=self._on_klines_up)
        return self._keeper(self._addresses.market_socket(), names, listener, self._patience.candles)

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

    def _on_klines_up(self, names: Sequence[str]) -> None:
        symbols = (name.removesuffix(_KLINES).upper() for name in names)
        self._sink.on_candles_resumed([self._index[each] for each in symbols if each in self._index])

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
