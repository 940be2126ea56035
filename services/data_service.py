"""The whole market, minute by minute: streams first, then history, then minutes that wait for nobody long."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import replace
from decimal import Decimal
from math import isfinite, nan
from typing import Any, Protocol

import numpy as np

from core.clock import Clock
from core.market import (
    MINUTE_MS,
    Booleans,
    CandleHistory,
    MarketContext,
    MinuteClosed,
    SymbolAxis,
    as_decimal,
)
from services.bootstrap import Bootstrap, BootstrapProgress
from services.candle_buffer import CandleBuffer
from services.candle_pages import CandleReader, is_sound, read_history
from services.gap_filler import GapFiller
from services.market_board import MarketBoard
from services.minute_barrier import MinuteBarrier

_log = logging.getLogger(__name__)

DEADLINE = 2.5
"""Machine seconds after a minute's first close, after which it is published without the absent."""


class MarketStreams(Protocol):
    """Live market data, feeding the sink it was made with; see ``exchange.binance.market_stream``."""

    async def run(self) -> None:
        """Stream until cancelled, whatever the network does."""
        ...

    async def subscribed(self) -> None: ...


class DataService:
    """Implements ``core.ports.MarketData`` over candle pages and streams.

    Each symbol goes through: *fetching* (history on its way), *gapped* (a candle between its history and
    the frontier is missing) and *live*. On becoming live its candles go out as ``CandleHistory``, before
    the first minute in which it is present; so a listener that applies both in order has no gaps.
    """

    def __init__(
        self,
        axis: SymbolAxis,
        candles: CandleReader,
        *,
        streams: Callable[["DataService"], MarketStreams],
        clock: Clock,
        on_history: Callable[[CandleHistory], None],
        on_progress: Callable[[BootstrapProgress], None] = lambda _: None,
        on_market_time: Callable[[int], None] = lambda _: None,
        deadline: float = DEADLINE,
    ) -> None:
        self.axis = axis
        self._candles = candles
        self._clock = clock
        self._on_history = on_history
        self._on_market_time = on_market_time
        self._deadline = deadline
        self._board = MarketBoard(axis)
        self._buffer = CandleBuffer(axis)
        self._barrier = MinuteBarrier(len(axis), publish=self._publish)
        self._bootstrap = Bootstrap(axis, candles, clock=clock, done=self._fetched, on_progress=on_progress)
        self._gaps = GapFiller(axis, candles, self._buffer, filled=self._try_to_join, spawn=self._spawn)
        self._streams = streams(self)
        self._out: asyncio.Queue[MinuteClosed | CandleHistory | BaseException] = asyncio.Queue()
        self._needed: dict[int, int] = {}
        self._quarters: dict[int, CandleHistory] = {}
        self._distrusted: set[int] = set()
        self._streamed = np.zeros(len(axis), dtype=np.int64)
        self._heard = asyncio.Event()
        self._market_ms = 0
        self._begun = False
        self._task: asyncio.Task[None] | None = None
        self._tasks: asyncio.TaskGroup | None = None

    # --- for the trader -----------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to stream and to fetch."""
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(self._ended)

    async def minutes(self) -> AsyncIterator[MinuteClosed]:
        """Yield each closed minute once, in order; histories go to ``on_history`` in between.

        Raises whatever ended the service from inside: a market that stands still must not look calm.
        """
        while True:
            event = await self._out.get()
            if isinstance(event, MinuteClosed):
                yield event
            elif isinstance(event, CandleHistory):
                self._on_history(event)
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
        """Return marks, books and volumes of this moment."""
        return self._board.context()

    def mark(self, symbol: str) -> Decimal | None:
        """Return the symbol's mark of this moment, ``None`` where it is not known."""
        index = self.axis.index_of(symbol)
        mark = nan if index is None else self._board.mark_of(index)
        return as_decimal(mark) if isfinite(mark) else None

    @property
    def live(self) -> int:
        """How many symbols are fresh and without gaps."""
        return int(np.count_nonzero(self._barrier.live))

    def distrust(self, symbol: str) -> None:
        """Fetch everything of a symbol anew, because its candles proved wrong; it is absent until then."""
        index = self.axis.index_of(symbol)
        if index is None or index in self._distrusted or self._tasks is None:
            return
        self._distrusted.add(index)
        self._needed.pop(index, None)
        self._quarters.pop(index, None)
        self._barrier.leave(index)
        self._spawn(self._bootstrap.fetch_again(index))

    @property
    def excluded(self) -> dict[str, str]:
        """Symbols the exchange would not give the history of, with its reason."""
        return dict(self._bootstrap.failed)

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    # --- for the streams ----------------------------------------------------------------------------

    def on_candle(
        self, index: int, open_time: int, candle: tuple[float, ...], *, closed: bool, at: int
    ) -> None:
        """Take a candle; only closed ones decide, and none that is from the future or can not be true."""
        if closed and open_time < at and is_sound(candle):
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
        for index in indices:
            self._streamed[index] = max(int(self._streamed[index]), self._barrier.frontier)
            self._try_to_join(index)

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
            await self._streams.subscribed()
            self._heard.clear()
            await self._heard.wait()
            await self._bootstrap.run(self._frontier, volumes=self._board.context().quote_volume_24h)

    def _ended(self, task: asyncio.Task[None]) -> None:
        fault = None if task.cancelled() else task.exception()
        if fault is not None:
            self._out.put_nowait(fault)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run beside everything else, and end with it."""
        if self._tasks is None:
            raise RuntimeError("the data service has not been started")
        self._tasks.create_task(work)

    def _frontier(self) -> int:
        return self._barrier.frontier

    def _hear(self, at: int) -> None:
        if at <= self._market_ms:
            return
        self._market_ms = at
        self._on_market_time(at)
        if not self._barrier.frontier:
            self._barrier.begin(at // MINUTE_MS * MINUTE_MS - MINUTE_MS)
        self._heard.set()

    def _on_closed(self, index: int, open_time: int, candle: tuple[float, ...]) -> None:
        self._buffer.put(index, open_time, candle)
        self._streamed[index] = max(int(self._streamed[index]), open_time)
        if open_time > self._barrier.frontier and self._barrier.arrive(index, open_time):
            asyncio.get_running_loop().call_later(self._deadline, self._barrier.expire, open_time)
        if index in self._needed:
            self._try_to_join(index)

    def _fetched(self, index: int, quarters: CandleHistory, minutes: CandleHistory) -> None:
        """Take a symbol's first history; it is live at once if the stream has gone on where it ends."""
        if not len(minutes.open_times):
            return
        if index in self._distrusted:
            self._distrusted.discard(index)
            quarters = replace(quarters, starts_over=True)
        self._buffer.put_history(index, minutes)
        self._quarters[index] = quarters
        self._needed[index] = int(minutes.open_times[0])
        self._try_to_join(index)

    def _try_to_join(self, index: int) -> None:
        start, end = self._needed.get(index), self._barrier.frontier
        if start is None:
            return
        if end - start >= self._buffer.reach_ms:
            del self._needed[index]
            self._spawn(self._bootstrap.fetch_again(index))
            return
        missing = self._buffer.first_missing(index, start, end)
        if missing is not None:
            # What the stream has not passed yet may still come; behind it nothing will.
            if self._streamed[index] >= missing:
                self._gaps.fill(index, missing, end)
        elif index in self._quarters or self._streamed[index] >= end:
            self._join(index, start, end)

    def _join(self, index: int, start: int, end: int) -> None:
        quarters = self._quarters.pop(index, None)
        if quarters is not None:
            self._out.put_nowait(quarters)
        if start <= end:
            self._out.put_nowait(self._buffer.history(index, start, end))
        del self._needed[index]
        self._begun = True
        self._barrier.join(index)

    def _publish(self, open_time: int, present: Booleans, dropped: Booleans) -> None:
        for index in np.flatnonzero(dropped).tolist():
            self._needed[index] = open_time
        if not self._begun:
            return  # no symbol has a history yet
        row = self._buffer.row(open_time)
        row[:, ~present] = np.nan
        self._out.put_nowait(
            MinuteClosed(
                open_time=open_time,
                axis=self.axis,
                row=row,
                present=present,
                context=self._board.context(),
                seen_at=self._clock.market_ms(),
            )
        )
