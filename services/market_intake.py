"""Whatever streams and REST bring of the market, put in its place; minutes leave when they are whole."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from decimal import Decimal
from math import isfinite, nan

import numpy as np

from core.clock import Clock
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
from services.bootstrap import BootstrapProgress, Spawn
from services.candle_buffer import CandleBuffer
from services.candle_pages import CandleReader, is_sound
from services.market_board import MarketBoard
from services.minute_barrier import MinuteBarrier
from services.second_look import SecondLook

_EARLY_MS = 1_000
"""How much before the end of its minute a candle may be called closed."""

MarketNews = MinuteClosed | CandleHistory | AxisChanged


class MarketIntake:
    """The sink of the streams; ``tell`` gets minutes, histories and changes of the axis, in order.

    ``late`` names the symbols whose candles come by REST, too late to enter on. ``deadline`` is in machine
    seconds after a minute's first close: then it leaves without the absent.
    """

    def __init__(  # noqa: PLR0913 - what it takes in goes many ways
        self,
        axis: SymbolAxis,
        candles: CandleReader,
        *,
        tell: Callable[[MarketNews], None],
        late: Callable[[], Collection[str]],
        on_progress: Callable[[BootstrapProgress], None],
        on_market_time: Callable[[int], None],
        spawn: Spawn,
        clock: Clock,
        deadline: float,
    ) -> None:
        self.axis = axis
        self._tell = tell
        self._late = late
        self._on_market_time = on_market_time
        self._clock = clock
        self._deadline = deadline
        self._board = MarketBoard(axis)
        self._buffer = CandleBuffer(axis)
        self._barrier = MinuteBarrier(len(axis), publish=self._publish)
        self.admission = Admission(
            axis,
            candles,
            buffer=self._buffer,
            barrier=self._barrier,
            clock=clock,
            tell=tell,
            on_progress=on_progress,
            spawn=spawn,
        )
        self._second_look = SecondLook(candles, believed=self._believed, correct=self._correct, spawn=spawn)
        self.heard = asyncio.Event()
        self.market_ms = 0

    # --- what is known ------------------------------------------------------------------------------

    def context(self) -> MarketContext:
        """Return marks, books and volumes of this moment; who comes late has no book: nobody enters on it."""
        context = self._board.context()
        late = [index for symbol in self._late() if (index := self.axis.index_of(symbol)) is not None]
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

    # --- from the streams ---------------------------------------------------------------------------

    def on_candle(
        self, index: int, open_time: int, candle: tuple[float, ...], *, closed: bool, at: int
    ) -> None:
        """Take a candle; only closed ones decide, none whose minute is not over or that can not be true."""
        if closed and open_time + MINUTE_MS <= at + _EARLY_MS and is_sound(candle):
            self.hear(at)
            self._on_closed(index, open_time, candle)

    def on_mark(self, index: int, mark: float, funding_rate: float, *, at: int) -> None:
        self.hear(at)
        self._board.mark(index, mark, funding_rate)

    def on_book(self, index: int, bid: float, ask: float) -> None:
        self._board.book(index, bid, ask)

    def on_volume(self, index: int, quote_volume_24h: float) -> None:
        self._board.volume(index, quote_volume_24h)

    def on_candles_resumed(self, indices: Sequence[int]) -> None:
        """What closed while these streams were away is fetched at once, not at their next candle."""
        self.admission.resumed(self.axis.names[index] for index in indices)

    def on_marks_lost(self) -> None:
        self._board.forget_marks()

    def on_books_lost(self) -> None:
        self._board.forget_books()

    # --- from elsewhere -----------------------------------------------------------------------------

    def hear(self, at: int) -> None:
        """Take note of the market's time (ms); the first word of it says with which minute to begin."""
        if at <= self.market_ms:
            return
        self.market_ms = at
        self._on_market_time(at)
        if not self._barrier.frontier:
            self._barrier.begin(at // MINUTE_MS * MINUTE_MS - MINUTE_MS)
        self.heard.set()

    def begin(self) -> None:
        """Fetch the history of everybody, the busiest first."""
        self.admission.begin(self._board.context().quote_volume_24h)

    def take_polled(self, round_: Sequence[CandleHistory]) -> None:
        """Take closed candles of many symbols in the order of time, as those that came by stream."""
        arrivals: list[tuple[int, int]] = []
        for history in round_:
            index = self.axis.index_of(history.symbol)
            if index is not None:
                self._buffer.put_history(index, history)
                arrivals += [(at, index) for at in history.open_times.tolist() if self._buffer.has(index, at)]
        for open_time, index in sorted(arrivals):
            self.market_ms = max(self.market_ms, open_time + MINUTE_MS)
            self._arrive(index, open_time)
        for history in round_:
            if history.symbol in self.axis and len(history.open_times):
                self.admission.polled(history.symbol, int(history.open_times.max()))

    def arrange(self, axis: SymbolAxis) -> None:
        """Change places everywhere at once; minutes that are not out yet will be on the new axis."""
        moves, self.axis = self.axis.moves_to(axis), axis
        self._board.arrange(moves)
        self._buffer.arrange(axis, moves)
        self._barrier.arrange(moves)
        self.admission.arrange(axis)
        self._tell(AxisChanged(axis=axis))
        self._barrier.publish_complete()

    def distrust(self, symbol: str) -> None:
        """Fetch everything of a symbol anew; it is absent until then."""
        index = self.axis.index_of(symbol)
        if index is not None:
            self._barrier.leave(index)
            self.admission.distrust(symbol)

    # --- inside -------------------------------------------------------------------------------------

    def _on_closed(self, index: int, open_time: int, candle: tuple[float, ...]) -> None:
        known = self._buffer.candle(index, open_time)
        if known is not None and tuple(known.tolist()) != candle:
            self._second_look.at(self.axis.names[index], open_time)
        if known is None or open_time > self._barrier.frontier:
            self._buffer.put(index, open_time, candle)
        self._arrive(index, open_time)
        self.admission.closed(self.axis.names[index], open_time)

    def _arrive(self, index: int, open_time: int) -> None:
        if open_time > self._barrier.frontier and self._barrier.arrive(index, open_time):
            asyncio.get_running_loop().call_later(self._deadline, self._barrier.expire, open_time)

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
            self._barrier.forget(index, open_time)
        else:
            self._buffer.put(index, open_time, tuple(candle.tolist()))
        if candle is None or open_time <= self._barrier.frontier:
            self.distrust(symbol)

    def _publish(self, open_time: int, present: Booleans, dropped: Booleans) -> None:
        for index in np.flatnonzero(dropped).tolist():
            self.admission.dropped(self.axis.names[index], open_time)
        if not self.admission.has_admitted:
            return  # no symbol has a history yet
        row = self._buffer.row(open_time)
        row[:, ~present] = np.nan
        self._tell(
            MinuteClosed(
                open_time=open_time,
                axis=self.axis,
                row=row,
                present=present,
                context=self.context(),
                seen_at=self._clock.market_ms(),
            )
        )
