"""The whole market, minute by minute: streams first, then history, then minutes that wait for nobody long."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from decimal import Decimal
from math import isfinite, nan
from typing import Any, Protocol

import numpy as np

from core.clock import Clock
from core.errors import ExchangeRefused, ExchangeUnavailable
from core.market import (
    MINUTE_MS,
    AxisChanged,
    Booleans,
    CandleHistory,
    Floats,
    MarketContext,
    MinuteClosed,
    SymbolAxis,
    as_decimal,
)
from services.admission import Admission
from services.bootstrap import BootstrapProgress
from services.candle_buffer import CandleBuffer
from services.candle_pages import CandleReader, is_sound, read_history
from services.market_board import MarketBoard
from services.minute_barrier import MinuteBarrier
from services.polling import CandlePoller
from services.second_look import SecondLook
from services.set_aside import Exclusion

_log = logging.getLogger(__name__)

DEADLINE = 2.5
"""Machine seconds after a minute's first close, after which it is published without the absent."""
FIRST_WORD_SECONDS = 30.0
"""How long a start waits for streams before it goes on without them."""
_EARLY_MS = 1_000
"""How much before the end of its minute a candle may be called closed."""


class MarketStreams(Protocol):
    """Live market data, feeding the sink it was made with; see ``exchange.binance.market_stream``."""

    async def run(self) -> None:
        """Stream until cancelled, whatever the network does."""
        ...

    async def subscribed(self) -> None: ...

    def follow(self, symbols: Sequence[str]) -> None:
        """Stream these symbols from now on; their order is that of the sink's indices from this moment."""
        ...

    def renew(self, symbols: Sequence[str]) -> None:
        """Ask anew for the candles of symbols that were subscribed and stay silent."""
        ...


class DataService:
    """Implements ``core.ports.MarketData`` over candle pages and streams.

    On becoming live a symbol's candles go out as ``CandleHistory``, before the first minute in which it is
    present; so a listener that applies both in order has no gaps. When the axis changes, ``AxisChanged`` goes
    out between the last minute on the old axis and the first on the new one.
    """

    def __init__(  # noqa: PLR0913 - the composition root names every listener
        self,
        axis: SymbolAxis,
        candles: CandleReader,
        *,
        streams: Callable[["DataService"], MarketStreams],
        clock: Clock,
        on_history: Callable[[CandleHistory], None],
        on_axis: Callable[[AxisChanged], None] = lambda _: None,
        on_progress: Callable[[BootstrapProgress], None] = lambda _: None,
        on_market_time: Callable[[int], None] = lambda _: None,
        deadline: float = DEADLINE,
    ) -> None:
        self.axis = axis
        self._candles = candles
        self._clock = clock
        self._on_history = on_history
        self._on_axis = on_axis
        self._on_market_time = on_market_time
        self._deadline = deadline
        self._out: asyncio.Queue[MinuteClosed | CandleHistory | AxisChanged | BaseException] = asyncio.Queue()
        self._board = MarketBoard(axis)
        self._buffer = CandleBuffer(axis)
        self._barrier = MinuteBarrier(len(axis), publish=self._publish)
        self._admission = Admission(
            axis,
            candles,
            buffer=self._buffer,
            barrier=self._barrier,
            clock=clock,
            tell=self._out.put_nowait,
            on_progress=on_progress,
            spawn=self._spawn,
        )
        self._streams = streams(self)
        self._poller = CandlePoller(
            candles,
            silent=self._admission.silent,
            take=self._on_polled,
            renew=self._streams.renew,
            clock=clock,
        )
        self._second_look = SecondLook(
            candles, believed=self._believed, correct=self._correct, spawn=self._spawn
        )
        self._heard = asyncio.Event()
        self._market_ms = 0
        self._task: asyncio.Task[None] | None = None
        self._tasks: asyncio.TaskGroup | None = None

    # --- for the trader -----------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to stream and to fetch."""
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(self._ended)

    async def minutes(self) -> AsyncIterator[MinuteClosed]:
        """Yield each closed minute once, in order; histories and changes of the axis are told in between.

        Raises whatever ended the service from inside: a market that stands still must not look calm.
        """
        while True:
            event = await self._out.get()
            if isinstance(event, MinuteClosed):
                yield event
            elif isinstance(event, CandleHistory):
                self._on_history(event)
            elif isinstance(event, AxisChanged):
                self._on_axis(event)
            else:
                raise event

    async def history(
        self, symbol: str, timeframe_ms: int, *, bars: int, before_ms: int | None = None
    ) -> CandleHistory:
        """Fetch at most ``bars`` closed candles, the newest last."""
        closed_by = self._market_ms or self._clock.market_ms()
        before = min(before_ms or closed_by, closed_by)
        return await read_history(self._candles, symbol, timeframe_ms, bars=bars, before_ms=before)

    def context(self) -> MarketContext:
        """Return marks, books and volumes of this moment; who comes late has no book: nobody enters on it."""
        context = self._board.context()
        late = [index for symbol in self.polled if (index := self.axis.index_of(symbol)) is not None]
        context.bid[late] = context.ask[late] = np.nan
        return context

    def mark(self, symbol: str) -> Decimal | None:
        """Return the symbol's mark of this moment, ``None`` where it is not known."""
        index = self.axis.index_of(symbol)
        mark = nan if index is None else self._board.mark_of(index)
        return as_decimal(mark) if isfinite(mark) else None

    @property
    def live(self) -> int:
        """How many symbols are fresh and without gaps."""
        return int(np.count_nonzero(self._barrier.live))

    def follow(self, symbols: Iterable[str]) -> None:
        """Follow these symbols and no others.

        Who stays is untouched. Who is new is subscribed, fetched and then live, as at the start.
        """
        axis = SymbolAxis.of(symbols)
        if axis != self.axis:
            self._arrange(axis)

    def distrust(self, symbol: str) -> None:
        """Fetch everything of a symbol anew, because its candles proved wrong; it is absent until then."""
        index = self.axis.index_of(symbol)
        if index is not None and self._tasks is not None:
            self._barrier.leave(index)
            self._admission.distrust(symbol)

    @property
    def excluded(self) -> Mapping[str, Exclusion]:
        """Symbols the exchange would not give the history of: why, and until when they are left alone."""
        return self._admission.set_aside

    @property
    def polled(self) -> frozenset[str]:
        """Symbols whose streams are silent, and whose candles are asked for over REST."""
        return self._poller.polled

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    # --- for the streams ----------------------------------------------------------------------------

    def on_candle(
        self, index: int, open_time: int, candle: tuple[float, ...], *, closed: bool, at: int
    ) -> None:
        """Take a candle; only closed ones decide, none whose minute is not over or that can not be true."""
        if closed and open_time + MINUTE_MS <= at + _EARLY_MS and is_sound(candle):
            self._hear(at)
            self._on_closed(index, open_time, candle)

    def on_mark(self, index: int, mark: float, funding_rate: float, *, at: int) -> None:
        self._hear(at)
        self._board.mark(index, mark, funding_rate)

    def on_book(self, index: int, bid: float, ask: float) -> None:
        self._board.book(index, bid, ask)

    def on_volume(self, index: int, quote_volume_24h: float) -> None:
        self._board.volume(index, quote_volume_24h)

    def on_candles_resumed(self, indices: Sequence[int]) -> None:
        """What closed while these streams were away is fetched at once, not at their next candle."""
        self._admission.resumed(self.axis.names[index] for index in indices)

    def on_marks_lost(self) -> None:
        self._board.forget_marks()

    def on_books_lost(self) -> None:
        self._board.forget_books()

    # --- inside -------------------------------------------------------------------------------------

    async def _run(self) -> None:
        """Subscribe before fetching, so that no candle falls between history and stream."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            tasks.create_task(self._streams.run())
            await self._first_word()
            self._admission.begin(self._board.context().quote_volume_24h)
            await self._poller.run()

    async def _first_word(self) -> None:
        """Wait for the streams; where they stay silent, learn the time from the exchange's newest candle."""
        while not self._heard.is_set():
            try:
                async with asyncio.timeout(FIRST_WORD_SECONDS):
                    await self._streams.subscribed()
                    self._heard.clear()
                    await self._heard.wait()
            except TimeoutError:
                await self._ask_the_time()

    async def _ask_the_time(self) -> None:
        try:
            newest = await self._candles.page(self.axis.names[0], MINUTE_MS, limit=2)
        except (ExchangeRefused, ExchangeUnavailable) as fault:
            _log.warning("neither streams nor REST tell the time: %s", fault)
        else:
            self._hear(int(newest.open_times.max(initial=0)))

    def _ended(self, task: asyncio.Task[None]) -> None:
        fault = None if task.cancelled() else task.exception()
        if fault is not None:
            self._out.put_nowait(fault)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run beside everything else, and end with it."""
        if self._tasks is None:
            raise RuntimeError("the data service has not been started")
        self._tasks.create_task(work)

    def _arrange(self, axis: SymbolAxis) -> None:
        """Change places everywhere at once; minutes that are not out yet will be on the new axis."""
        moves, self.axis = self.axis.moves_to(axis), axis
        self._board.arrange(moves)
        self._buffer.arrange(axis, moves)
        self._barrier.arrange(moves)
        self._admission.arrange(axis)
        self._streams.follow(axis.names)
        self._out.put_nowait(AxisChanged(axis=axis))
        self._barrier.publish_complete()

    def _hear(self, at: int) -> None:
        if at <= self._market_ms:
            return
        self._market_ms = at
        self._on_market_time(at)
        if not self._barrier.frontier:
            self._barrier.begin(at // MINUTE_MS * MINUTE_MS - MINUTE_MS)
        self._heard.set()

    def _on_closed(self, index: int, open_time: int, candle: tuple[float, ...]) -> None:
        known = self._buffer.candle(index, open_time)
        if known is not None and tuple(known.tolist()) != candle:
            self._second_look.at(self.axis.names[index], open_time)
        if known is None or open_time > self._barrier.frontier:
            self._buffer.put(index, open_time, candle)
        self._arrive(index, open_time)
        self._admission.closed(self.axis.names[index], open_time)

    def _on_polled(self, round_: Sequence[CandleHistory]) -> None:
        """Take closed candles of many symbols in the order of time, as those that came by stream."""
        arrivals: list[tuple[int, int]] = []
        for history in round_:
            index = self.axis.index_of(history.symbol)
            if index is not None:
                self._buffer.put_history(index, history)
                arrivals += [(at, index) for at in history.open_times.tolist() if self._buffer.has(index, at)]
        for open_time, index in sorted(arrivals):
            self._market_ms = max(self._market_ms, open_time + MINUTE_MS)
            self._arrive(index, open_time)
        for history in round_:
            if history.symbol in self.axis and len(history.open_times):
                self._admission.polled(history.symbol, int(history.open_times.max()))

    def _believed(self, symbol: str, open_time: int) -> Floats | None:
        index = self.axis.index_of(symbol)
        return None if index is None else self._buffer.candle(index, open_time)

    def _correct(self, symbol: str, open_time: int, candle: Floats | None) -> None:
        """Replace a candle; where it was told already, or none is known, the symbol starts over."""
        index = self.axis.index_of(symbol)
        if index is None:
            return
        if candle is None:
            self._buffer.drop(index, open_time)
        else:
            self._buffer.put(index, open_time, tuple(candle.tolist()))
        if candle is None or open_time <= self._barrier.frontier:
            self.distrust(symbol)

    def _arrive(self, index: int, open_time: int) -> None:
        if open_time > self._barrier.frontier and self._barrier.arrive(index, open_time):
            asyncio.get_running_loop().call_later(self._deadline, self._barrier.expire, open_time)

    def _publish(self, open_time: int, present: Booleans, dropped: Booleans) -> None:
        for index in np.flatnonzero(dropped).tolist():
            self._admission.dropped(self.axis.names[index], open_time)
        if not self._admission.has_admitted:
            return  # no symbol has a history yet
        row = self._buffer.row(open_time)
        row[:, ~present] = np.nan
        self._out.put_nowait(
            MinuteClosed(
                open_time=open_time,
                axis=self.axis,
                row=row,
                present=present,
                context=self.context(),
                seen_at=self._clock.market_ms(),
            )
        )
