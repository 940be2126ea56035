"""The whole market, minute by minute: streams first, then history, then minutes that wait for nobody long."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol

from core.clock import Clock
from core.errors import ExchangeRefused, ExchangeUnavailable
from core.market import MINUTE_MS, AxisChanged, CandleHistory, MarketContext, MinuteClosed, SymbolAxis
from services.bootstrap import BootstrapProgress
from services.candle_pages import CandleReader, read_history
from services.market_intake import MarketIntake, MarketNews
from services.polling import CandlePoller
from services.set_aside import Exclusion

_log = logging.getLogger(__name__)

DEADLINE = 2.5
"""Machine seconds after a minute's first close, after which it is published without the absent."""
FIRST_WORD_SECONDS = 30.0
"""How long a start waits for streams before it goes on without them."""


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
        streams: Callable[[MarketIntake], MarketStreams],
        clock: Clock,
        on_history: Callable[[CandleHistory], None],
        on_axis: Callable[[AxisChanged], None] = lambda _: None,
        on_progress: Callable[[BootstrapProgress], None] = lambda _: None,
        on_market_time: Callable[[int], None] = lambda _: None,
        deadline: float = DEADLINE,
    ) -> None:
        """``streams`` makes the streams that feed what it is given."""
        self._candles = candles
        self._clock = clock
        self._on_history = on_history
        self._on_axis = on_axis
        self._out: asyncio.Queue[MarketNews | BaseException] = asyncio.Queue()
        self._intake = MarketIntake(
            axis,
            candles,
            tell=self._out.put_nowait,
            late=lambda: self.polled,
            on_progress=on_progress,
            on_market_time=on_market_time,
            spawn=self._spawn,
            clock=clock,
            deadline=deadline,
        )
        self._streams = streams(self._intake)
        self._poller = CandlePoller(
            candles,
            silent=self._intake.admission.silent,
            take=self._intake.take_polled,
            renew=self._streams.renew,
            clock=clock,
        )
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
        closed_by = self._intake.market_ms or self._clock.market_ms()
        before = min(before_ms or closed_by, closed_by)
        return await read_history(self._candles, symbol, timeframe_ms, bars=bars, before_ms=before)

    def context(self) -> MarketContext:
        """Return marks, books and volumes of this moment; who comes late has no book: nobody enters on it."""
        return self._intake.context()

    def mark(self, symbol: str) -> Decimal | None:
        """Return the symbol's mark of this moment, ``None`` where it is not known."""
        return self._intake.mark(symbol)

    @property
    def axis(self) -> SymbolAxis:
        """Who is followed now; a minute that is not out yet may be the first on it."""
        return self._intake.axis

    @property
    def heard_ms(self) -> int:
        """The newest time (ms) that the market has told; 0 before its first word."""
        return self._intake.market_ms

    @property
    def live(self) -> int:
        """How many symbols are fresh and without gaps."""
        return self._intake.live

    def follow(self, symbols: Iterable[str]) -> None:
        """Follow these symbols and no others.

        Who stays is untouched. Who is new is subscribed, fetched and then live, as at the start.
        """
        axis = SymbolAxis.of(symbols)
        if axis != self.axis:
            self._intake.arrange(axis)
            self._streams.follow(axis.names)

    def distrust(self, symbol: str) -> None:
        """Fetch everything of a symbol anew, because its candles proved wrong; it is absent until then."""
        if self._tasks is not None:
            self._intake.distrust(symbol)

    @property
    def excluded(self) -> Mapping[str, Exclusion]:
        """Symbols the exchange would not give the history of: why, and until when they are left alone."""
        return self._intake.admission.set_aside

    @property
    def polled(self) -> frozenset[str]:
        """Symbols whose streams are silent, and whose candles are asked for over REST."""
        return self._poller.polled

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    # --- inside -------------------------------------------------------------------------------------

    async def _run(self) -> None:
        """Subscribe before fetching, so that no candle falls between history and stream."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            tasks.create_task(self._streams.run())
            await self._first_word()
            self._intake.begin()
            await self._poller.run()

    async def _first_word(self) -> None:
        """Wait for the streams; where they stay silent, learn the time from the exchange's newest candle."""
        heard = self._intake.heard
        while not heard.is_set():
            try:
                async with asyncio.timeout(FIRST_WORD_SECONDS):
                    await self._streams.subscribed()
                    heard.clear()
                    await heard.wait()
            except TimeoutError:
                await self._ask_the_time()

    async def _ask_the_time(self) -> None:
        try:
            newest = await self._candles.page(self.axis.names[0], MINUTE_MS, limit=2)
        except (ExchangeRefused, ExchangeUnavailable) as fault:
            _log.warning("neither streams nor REST tell the time: %s", fault)
        else:
            self._intake.hear(int(newest.open_times.max(initial=0)))

    def _ended(self, task: asyncio.Task[None]) -> None:
        fault = None if task.cancelled() else task.exception()
        if fault is not None:
            self._out.put_nowait(fault)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run beside everything else, and end with it."""
        if self._tasks is None:
            raise RuntimeError("the data service has not been started")
        self._tasks.create_task(work)
