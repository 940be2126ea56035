"""The market as strategies see it: candles in, events and readings out, all symbols at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.market import MINUTE_MS, QUARTER_MS, Booleans, Floats, SymbolAxis
from strategies.kernel.events import Kind
from strategies.kernel.indicators import trend_side
from strategies.kernel.parameters import KernelParameters
from strategies.kernel.records import Chart, Forming, Records, array_of
from strategies.kernel.snapshots import pack, tables, unpack
from strategies.kernel.step import Market, step, warm_up_quarters, whole_from

Times = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketEvent:
    """Something that became known. ``label`` and ``known`` are open times (ms) of bars of ``timeframe_ms``:
    the bar it is about, and the bar at whose close it was first knowable."""

    symbol: int
    timeframe_ms: int
    kind: Kind
    side: int
    label: int
    known: int
    low: float
    high: float
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a position monitor asks of one symbol. Sides are +1, 0 (neutral or unknown), −1.

    ``msb_at`` is the close time (ms) of the candle that broke structure, 0 before the first.
    ``ready`` is false while candles are missing or too few: then nothing here is to be acted on.
    """

    ready: bool
    close: float
    atr_1m: float
    atr_15m: float
    trend: int
    msb_side: int
    msb_at: int


class MarketKernel:
    """State of every symbol on 1m and 15m. ``symbols`` is the order of every row and index."""

    def __init__(self, symbols: Sequence[str], parameters: KernelParameters | None = None) -> None:
        self.parameters = parameters or KernelParameters()
        self.symbols = tuple(symbols)
        self.state = _blank_market(len(self.symbols), self.parameters)
        self._minute = 0
        self._make_buffers()

    @property
    def minute(self) -> Records:
        """Every symbol's 1m ``Chart``."""
        return self.state.minute

    @property
    def quarter(self) -> Records:
        """Every symbol's 15m ``Chart``."""
        return self.state.quarter

    def step(self, open_time_ms: int, row: Floats, present: Booleans) -> None:
        """Take in one closed minute of all symbols: ``row`` float64 [5, S], valid where ``present``."""
        if row.shape != (5, len(self.symbols)) or present.shape != row.shape[1:]:
            raise ValueError(f"a row of {row.shape} candles does not fit {len(self.symbols)} symbols")
        self._minute = open_time_ms // MINUTE_MS
        self._row[0], self._present[0], self._number[0] = row, present, self._minute
        if not step(self.state, 0, self._number, self._row, self._present):
            raise RuntimeError("one candle caused more events than a chart has room for")

    def warm_up_1m(self, symbol_index: int, candles: Floats, open_times: Times) -> None:
        """Take in fetched 1m history, float64 [5, n], oldest first; what is known already is passed over.

        Only its unbroken end counts, and where that does not follow what is known, 1m starts anew with it.
        """
        numbers, rows = _unbroken(candles, open_times, MINUTE_MS)
        if _is_detached(self.minute, symbol_index, numbers):
            self._clear_minutes(symbol_index)
        step(self.state, symbol_index, numbers, rows, np.ones((len(numbers), 1), dtype=np.bool_))
        self._minute = max(self._minute, int(self.minute[symbol_index].number))

    def warm_up_15m(self, symbol_index: int, candles: Floats, open_times: Times) -> None:
        """As ``warm_up_1m``, for closed 15m candles. Where both histories overlap no bar counts twice."""
        numbers, rows = _unbroken(candles, open_times, QUARTER_MS)
        if _is_detached(self.quarter, symbol_index, numbers):
            _clear((self.quarter,), symbol_index)
        warm_up_quarters(self.quarter[symbol_index], self.state.quarter_rules, numbers, rows)

    def clear(self, symbol_index: int) -> None:
        """Forget one symbol, so that it can be warmed up anew."""
        _clear(tables(self.state), symbol_index)

    def arrange(self, symbols: Sequence[str]) -> None:
        """Follow a new universe: who stays keeps its state, newcomers start blank, the rest is forgotten."""
        moves = SymbolAxis(self.symbols).moves_to(SymbolAxis(tuple(symbols)))
        minute, quarter, forming = (
            moves.of(table, np.zeros((), dtype=table.dtype)).view(np.recarray) for table in tables(self.state)
        )
        self.symbols = tuple(symbols)
        self.state = self.state._replace(minute=minute, quarter=quarter, forming=forming)
        self._make_buffers()

    def events(self) -> Iterator[MarketEvent]:
        """Yield what the last step made known: by symbol, 1m before 15m, in the order it happened."""
        minutes = (self.minute.number == self._minute) & (self.minute.events_used > 0)
        quarters = (self.quarter.number * 15 + 14 == self._minute) & (self.quarter.events_used > 0)
        for s in np.flatnonzero(minutes | quarters):
            if minutes[s]:
                yield from _events(int(s), self.minute[s], MINUTE_MS)
            if quarters[s]:
                yield from _events(int(s), self.quarter[s], QUARTER_MS)

    def ready(self) -> Booleans:
        """Which symbols are complete up to the last minute on both timeframes, and long enough to trade?"""
        minute, quarter, needed = self.minute, self.quarter, self.parameters
        current = (minute.number == self._minute) & (quarter.number == (self._minute + 1) // 15 - 1)
        whole = (minute.missed == 0) & (quarter.missed == 0)
        ready: Booleans = (
            current & whole & (minute.bars >= needed.min_bars_1m) & (quarter.bars >= needed.min_bars_15m)
        )
        return ready

    def is_ready(self, symbol_index: int) -> bool:
        return bool(self.ready()[symbol_index])

    def reading(self, symbol_index: int) -> Reading:
        """Return what a position monitor asks of one symbol."""
        minute, quarter = self.minute[symbol_index], self.quarter[symbol_index]
        return Reading(
            ready=self.is_ready(symbol_index),
            close=float(minute.close),
            atr_1m=float(minute.atr),
            atr_15m=float(quarter.atr),
            trend=int(trend_side(quarter, self.parameters.trend_min_atr)),
            msb_side=int(minute.msb_side),
            msb_at=(int(minute.msb_at) + 1) * MINUTE_MS if minute.msb_side else 0,
        )

    def snapshot(self) -> bytes:
        """Return the whole state; a kernel that restores it goes on as if nothing had happened."""
        return pack(self.state, symbols=self.symbols, minute=self._minute)

    def restore(self, snapshot: bytes) -> None:
        """Take over a snapshot, its symbols included. Raises ``ValueError`` when it is not one of ours."""
        saved = unpack(snapshot, rules=(self.state.minute_rules, self.state.quarter_rules))
        self.symbols, self._minute = saved.symbols, saved.minute
        self.state = _blank_market(len(self.symbols), self.parameters)
        for table, content in zip(tables(self.state), saved.tables, strict=True):
            table[:] = content
        self._make_buffers()

    def _make_buffers(self) -> None:
        """Compiled code is made for one kind of array: rows go through our own, whatever they are made of."""
        self._row = np.zeros((1, 5, len(self.symbols)))
        self._present = np.zeros((1, len(self.symbols)), dtype=np.bool_)
        self._number = np.zeros(1, dtype=np.int64)

    def _clear_minutes(self, symbol_index: int) -> None:
        _clear((self.minute, self.state.forming), symbol_index)


def _blank_market(symbols: int, parameters: KernelParameters) -> Market:
    return Market(
        minute=array_of(Chart, symbols),
        quarter=array_of(Chart, symbols),
        forming=array_of(Forming, symbols),
        minute_rules=parameters.minute_rules(),
        quarter_rules=parameters.quarter_rules(),
    )


def _unbroken(candles: Floats, open_times: Times, timeframe_ms: int) -> tuple[Times, Floats]:
    if candles.shape != (5, len(open_times)):
        raise ValueError(f"history of {candles.shape} candles does not fit {len(open_times)} open times")
    numbers = np.array(open_times, dtype=np.int64) // timeframe_ms
    rows = np.array(candles.T, dtype=np.float64, order="C")[:, :, np.newaxis]
    start = whole_from(numbers, rows)
    return numbers[start:], rows[start:]


def _is_detached(charts: Records, symbol_index: int, numbers: Times) -> bool:
    known = charts[symbol_index].number
    return len(numbers) > 0 and 0 < known < numbers[0] - 1


def _clear(arrays: tuple[Records, ...], symbol_index: int) -> None:
    for array in arrays:
        array[symbol_index] = np.zeros((), dtype=array.dtype)


def _events(symbol: int, chart: Chart, timeframe_ms: int) -> Iterator[MarketEvent]:
    for event in chart.events[: chart.events_used]:
        yield MarketEvent(
            symbol=symbol,
            timeframe_ms=timeframe_ms,
            kind=Kind(event.kind),
            side=int(event.side),
            label=int(event.label) * timeframe_ms,
            known=int(chart.number) * timeframe_ms,
            low=float(event.low),
            high=float(event.high),
            value=float(event.value),
        )
