"""How symbols come to be live: a first history, then every gap closed that has opened since."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import numpy as np

from core.clock import Clock
from core.market import MINUTE_MS, CandleHistory, Floats, SymbolAxis
from services.bootstrap import Bootstrap, BootstrapProgress, Spawn
from services.candle_buffer import CandleBuffer
from services.candle_pages import CandleReader
from services.gap_filler import GapFiller
from services.minute_barrier import MinuteBarrier
from services.polling import MISSED
from services.set_aside import Exclusion


class Admission:
    """Fetches what a symbol lacks, hands it to ``tell``, and lets the symbol join the barrier's live ones.

    A symbol is *fetching* (history on its way), *gapped* (a candle between its history and the frontier is
    missing), *late* (its stream is silent and REST brings its candles) or *live*. Everything is remembered
    by name: while an answer is on its way the axis may change.
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
        self._passed: dict[str, int] = {}
        self._newest_streamed = 0
        self._told: set[str] = set()
        self._strange: set[str] = set()
        self._has_begun = False
        self.has_admitted = False

    @property
    def set_aside(self) -> Mapping[str, Exclusion]:
        """Symbols the exchange would not give the history of: why, and until when."""
        return self._bootstrap.set_aside

    def silent(self, before_ms: int) -> dict[str, int]:
        """Return who should have streamed a candle that opened since, each with the newest that is known."""
        known = (symbol for index, symbol in enumerate(self._axis.names) if self._is_known(index, symbol))
        return {
            symbol: self._passed.get(symbol, 0)
            for symbol in known
            if self._streamed.get(symbol, 0) < before_ms
        }

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
            self._passed.pop(symbol, None)
            self._told.discard(symbol)

    def closed(self, symbol: str, open_time: int) -> None:
        """A closed candle has come by stream and is in the buffer."""
        self._streamed[symbol] = max(self._streamed.get(symbol, 0), open_time)
        self._newest_streamed = max(self._newest_streamed, open_time)
        self._pass(symbol, open_time)

    def polled(self, symbol: str, open_time: int) -> None:
        """All that closed up to this candle was asked for, and is in the buffer as far as it came."""
        self._pass(symbol, open_time)

    def resumed(self, symbols: Iterable[str]) -> None:
        """Streams run again: what closed while they were away is fetched at once."""
        for symbol in symbols:
            self._pass(symbol, self._barrier.frontier)

    def dropped(self, symbol: str, open_time: int) -> None:
        """A minute left without the symbol, which needs its candles from there on."""
        self._needed[symbol] = open_time

    def distrust(self, symbol: str) -> None:
        """Fetch everything of a symbol anew; the caller has taken it out of the live ones."""
        self._forget(symbol)
        self._bootstrap.fetch((symbol,))

    def _pass(self, symbol: str, open_time: int) -> None:
        """What closed by then will not come by itself any more."""
        self._passed[symbol] = max(self._passed.get(symbol, 0), open_time)
        self._meet(symbol)
        self._try_to_join(symbol)

    def _is_known(self, index: int, symbol: str) -> bool:
        return symbol in self._needed or bool(self._barrier.live[index])

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
        quarters = replace(quarters, starts_over=symbol in self._told)
        self._streamed.setdefault(symbol, self._barrier.frontier)
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
        passed = self._passed.get(symbol, 0)
        if missing is not None:
            # What the stream has not passed yet may still come; behind it nothing will.
            if passed >= missing:
                self._gaps.fill(symbol, missing, end)
        elif symbol in self._quarters or passed >= end:
            self._hand_out(index, start, end)

    def _hand_out(self, index: int, start: int, end: int) -> None:
        """Tell what is whole; who keeps up from here on is live, who does not is told of again."""
        symbol = self._axis.names[index]
        quarters = self._quarters.pop(symbol, None)
        if quarters is not None:
            self._tell(quarters)
            self._told.add(symbol)
        if start <= end:
            self._tell(self._buffer.history(index, start, end))
        self._needed[symbol] = end + MINUTE_MS
        if self._keeps_up(symbol, end):
            del self._needed[symbol]
            self.has_admitted = True
            self._barrier.join(index)

    def _keeps_up(self, symbol: str, end: int) -> bool:
        """Whether a symbol comes by stream. Where nobody does, all come at the pace of REST, and together."""
        lately = end - MISSED * MINUTE_MS
        return self._streamed.get(symbol, 0) > lately or self._newest_streamed <= lately
