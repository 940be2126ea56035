"""How symbols come to be live: a first history, then every gap closed that has opened since."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from core.clock import Clock
from core.market import CandleHistory, Floats, SymbolAxis
from services.bootstrap import Bootstrap, BootstrapProgress, Spawn
from services.candle_buffer import CandleBuffer
from services.candle_pages import CandleReader
from services.gap_filler import GapFiller
from services.minute_barrier import MinuteBarrier


class Admission:
    """Fetches what a symbol lacks, hands it to ``tell``, and lets the symbol join the barrier's live ones.

    A symbol is *fetching* (history on its way), *gapped* (a candle between its history and the frontier is
    missing) or *live*. Everything is remembered by name: while an answer is on its way the axis may change.
    """

    def __init__(
        self,
        axis: SymbolAxis,
        candles: CandleReader,
        *,
        buffer: CandleBuffer,
        barrier: MinuteBarrier,
        clock: Clock,
        tell: Callable[[CandleHistory], None],
        on_progress: Callable[[BootstrapProgress], None],
        spawn: Spawn,
    ) -> None:
        self._axis = axis
        self._buffer = buffer
        self._barrier = barrier
        self._tell = tell
        self._bootstrap = Bootstrap(
            candles,
            clock=clock,
            frontier=lambda: barrier.frontier,
            done=self._fetched,
            on_progress=on_progress,
            spawn=spawn,
        )
        self._gaps = GapFiller(axis, candles, buffer, filled=self._try_to_join, spawn=spawn)
        self._needed: dict[str, int] = {}
        self._quarters: dict[str, CandleHistory] = {}
        self._streamed: dict[str, int] = {}
        self._strange: set[str] = set()
        self._distrusted: set[str] = set()
        self._has_begun = False
        self.has_admitted = False

    @property
    def failed(self) -> dict[str, str]:
        """Symbols the exchange would not give the history of, with its reason."""
        return dict(self._bootstrap.failed)

    def begin(self, volumes: Floats) -> None:
        """Fetch the history of everybody, the busiest first."""
        self._has_begun = True
        busiest_first = np.argsort(-np.nan_to_num(volumes), kind="stable").tolist()
        self._bootstrap.fetch(self._axis.names[index] for index in busiest_first)

    def arrange(self, axis: SymbolAxis) -> None:
        """Forget who left. The history of who is new is fetched once its stream has begun."""
        gone = [symbol for symbol in self._axis.names if symbol not in axis]
        if self._has_begun:
            self._strange.update(symbol for symbol in axis.names if symbol not in self._axis)
        self._axis = axis
        self._gaps.arrange(axis)
        self._bootstrap.forget(gone)
        for symbol in gone:
            self._forget(symbol)
            self._streamed.pop(symbol, None)
            self._distrusted.discard(symbol)

    def closed(self, symbol: str, open_time: int) -> None:
        """A closed candle has come by stream and is in the buffer."""
        self._streamed[symbol] = max(self._streamed.get(symbol, 0), open_time)
        self._meet(symbol)
        self._try_to_join(symbol)

    def resumed(self, symbols: Iterable[str]) -> None:
        """Streams run again: what closed while they were away is fetched at once."""
        for symbol in symbols:
            self._streamed[symbol] = max(self._streamed.get(symbol, 0), self._barrier.frontier)
            self._meet(symbol)
            self._try_to_join(symbol)

    def dropped(self, symbol: str, open_time: int) -> None:
        """A minute left without the symbol, which needs its candles from there on."""
        self._needed[symbol] = open_time

    def distrust(self, symbol: str) -> None:
        """Fetch everything of a symbol anew; the caller has taken it out of the live ones."""
        if symbol not in self._distrusted:
            self._distrusted.add(symbol)
            self._forget(symbol)
            self._bootstrap.fetch((symbol,))

    def _forget(self, symbol: str) -> None:
        self._needed.pop(symbol, None)
        self._quarters.pop(symbol, None)
        self._strange.discard(symbol)

    def _meet(self, symbol: str) -> None:
        if symbol in self._strange:
            self._strange.discard(symbol)
            self._bootstrap.fetch((symbol,))

    def _fetched(self, symbol: str, quarters: CandleHistory, minutes: CandleHistory) -> None:
        """Take a first history; its symbol is live at once if the stream has gone on where it ends."""
        index = self._axis.index_of(symbol)
        if index is None:
            return
        self._strange.discard(symbol)
        if not len(minutes.open_times):
            self._strange.add(symbol)  # nothing of it has closed yet
            return
        if symbol in self._distrusted:
            self._distrusted.discard(symbol)
            quarters = replace(quarters, starts_over=True)
        self._buffer.put_history(index, minutes)
        self._quarters[symbol] = quarters
        self._needed[symbol] = int(minutes.open_times[0])
        self._try_to_join(symbol)

    def _try_to_join(self, symbol: str) -> None:
        start, end = self._needed.get(symbol), self._barrier.frontier
        index = self._axis.index_of(symbol)
        if start is None or index is None:
            return
        if end - start >= self._buffer.reach_ms:
            self._forget(symbol)
            self._bootstrap.fetch((symbol,))
            return
        missing = self._buffer.first_missing(index, start, end)
        streamed = self._streamed.get(symbol, 0)
        if missing is not None:
            # What the stream has not passed yet may still come; behind it nothing will.
            if streamed >= missing:
                self._gaps.fill(symbol, missing, end)
        elif symbol in self._quarters or streamed >= end:
            self._join(index, start, end)

    def _join(self, index: int, start: int, end: int) -> None:
        symbol = self._axis.names[index]
        quarters = self._quarters.pop(symbol, None)
        if quarters is not None:
            self._tell(quarters)
        if start <= end:
            self._tell(self._buffer.history(index, start, end))
        del self._needed[symbol]
        self.has_admitted = True
        self._barrier.join(index)
