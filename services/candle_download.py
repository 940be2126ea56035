"""Fills the archive with 1m candles of the past: what is there is not asked for, so it can be interrupted."""

import asyncio
import difflib
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Protocol

import numpy as np

from core.clock import Clock
from core.errors import ExchangeRefused, ExchangeUnavailable, PerpscoutError
from core.instruments import Instrument, InstrumentStatus
from core.market import DAY_MS, MINUTE_MS, CandleHistory, Field
from data.candle_batch import CandleBatch, CandleBlock
from exchange.limits.weight import Allowance
from services.candle_pages import CHEAP_PAGE, PAGE, CandleReader, read_history

_log = logging.getLogger(__name__)

_CONCURRENCY = 24
_ROWS_A_PART = 200_000


class Instruments(Protocol):
    """The one thing asked of ``core.ports.Exchange``."""

    async def instruments(self) -> Mapping[str, Instrument]: ...


class Archive(Protocol):
    """Where the candles go; see ``data.candle_archive``. Blocking, so it is called in a thread."""

    def append(self, batches: Sequence[CandleBatch]) -> int: ...

    def block(
        self, timeframe_ms: int, start_ms: int, end_ms: int, *, symbols: Sequence[str] | None = None
    ) -> CandleBlock: ...

    def merge(self, before_ms: int) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Candles that opened in ``[start_ms, end_ms)``; ``listed`` is when each symbol began to trade (ms)."""

    listed: Mapping[str, int]
    start_ms: int
    end_ms: int


async def span_of(
    exchange: Instruments,
    candles: CandleReader,
    symbols: Sequence[str],
    start_ms: int | None,
    end_ms: int | None,
) -> Span:
    """Return what is meant: no ``symbols`` are all that trade; no end is the exchange's now; no start a day.

    Raises ``PerpscoutError`` in a sentence for a symbol or a time that the exchange does not have.
    """
    known = await exchange.instruments()
    if unknown := [symbol for symbol in symbols if symbol not in known]:
        near = difflib.get_close_matches(unknown[0], known, n=1)
        hint = f"; the nearest is {near[0]}" if near else ""
        raise PerpscoutError(f"{unknown[0]} is no USDT perpetual of the exchange{hint}.")
    chosen = symbols or [name for name, each in known.items() if each.status is InstrumentStatus.TRADING]
    if not chosen:
        raise PerpscoutError("The exchange has no USDT perpetual that trades.")
    newest = await candles.page(chosen[0], MINUTE_MS, limit=2)
    now = int(newest.open_times.max(initial=0))
    end = _whole_minute(min(now if end_ms is None else end_ms, now))
    start = _whole_minute(end - DAY_MS if start_ms is None else start_ms)
    if end <= start:
        raise PerpscoutError("That time has not come yet: choose an earlier --from.")
    return Span(listed={name: known[name].onboard_ms for name in chosen}, start_ms=start, end_ms=end)


def _whole_minute(at: int) -> int:
    return at // MINUTE_MS * MINUTE_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadProgress:
    """How far a download is, in request weight, and what it brought so far."""

    done: int
    total: int
    candles: int
    seconds: float
    allowance: Allowance

    @property
    def seconds_left(self) -> float:
        """Extrapolate the pace so far, but never faster than the exchange allows after its first minute."""
        left = self.total - self.done
        pace = self.seconds / self.done * left if self.done else 0.0
        return max(pace, (left / self.allowance.weight - 1) * self.allowance.seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Candles of one symbol and day that are missing: those that opened in ``[start_ms, end_ms)``."""

    symbol: str
    start_ms: int
    end_ms: int

    @property
    def bars(self) -> int:
        return (self.end_ms - self.start_ms) // MINUTE_MS

    @property
    def weight(self) -> int:
        pages, rest = divmod(self.bars, PAGE)
        return 2 * pages + (rest > 0) + (rest > CHEAP_PAGE)


class CandleDownload:
    """Downloads day by day, all symbols of one before the next; ``failed`` tells who was refused, and why."""

    def __init__(
        self,
        candles: CandleReader,
        archive: Archive,
        *,
        clock: Clock,
        allowance: Allowance,
        on_progress: Callable[[DownloadProgress], None] = lambda _: None,
        beside: Callable[..., Awaitable[Any]] = asyncio.to_thread,
    ) -> None:
        self._candles = candles
        self._archive = archive
        self._clock = clock
        self._allowance = allowance
        self._on_progress = on_progress
        self._beside = beside
        self._pending: list[CandleBatch] = []
        self._done = self._total = self._fetched = 0
        self.failed: dict[str, str] = {}

    async def run(self, span: Span) -> int:
        """Fetch what is missing of ``span``; returns how many candles came.

        What was fetched before an interruption is written.
        """
        days = range(span.start_ms // DAY_MS * DAY_MS, span.end_ms, DAY_MS)
        stretches = [
            stretch
            for day in days
            for stretch in await self._missing(
                span.listed, max(day, span.start_ms), min(day + DAY_MS, span.end_ms)
            )
        ]
        self._total = sum(stretch.weight for stretch in stretches)
        self._began = self._clock.monotonic()
        try:
            for _, alike in groupby(stretches, key=lambda stretch: stretch.start_ms // DAY_MS):
                await self._fetch(deque(alike))
        finally:
            self._archive.append(self._taken())
        await self._beside(self._archive.merge, span.end_ms)
        return self._fetched

    async def _missing(self, listed: Mapping[str, int], start_ms: int, end_ms: int) -> list[Stretch]:
        block = await self._beside(self._archive.block, MINUTE_MS, start_ms, end_ms, symbols=tuple(listed))
        absent = np.isnan(block.candles[:, Field.CLOSE])
        slots = np.arange(absent.shape[1])
        onboard = np.array([-(-(at - start_ms) // MINUTE_MS) for at in listed.values()])
        absent &= slots >= onboard[:, None]
        return [
            Stretch(
                symbol=symbol,
                start_ms=start_ms + int(missing[0]) * MINUTE_MS,
                end_ms=start_ms + (int(missing[-1]) + 1) * MINUTE_MS,
            )
            for symbol, row in zip(listed, absent, strict=True)
            if len(missing := np.flatnonzero(row))
        ]

    async def _fetch(self, queue: deque[Stretch]) -> None:
        async def work() -> None:
            while queue:
                await self._settle(queue.popleft())

        async with asyncio.TaskGroup() as workers:
            for _ in range(_CONCURRENCY):
                workers.create_task(work())
        await self._beside(self._archive.append, self._taken())

    async def _settle(self, stretch: Stretch) -> None:
        try:
            history = await read_history(
                self._candles, stretch.symbol, MINUTE_MS, bars=stretch.bars, before_ms=stretch.end_ms
            )
        except (ExchangeRefused, ExchangeUnavailable) as fault:
            _log.warning("no candles of %s: %s", stretch.symbol, fault)
            self.failed[stretch.symbol] = str(fault)
        else:
            self._keep(history)
            if sum(map(len, self._pending)) >= _ROWS_A_PART:
                self._archive.append(self._taken())
        self._done += stretch.weight
        self._on_progress(
            DownloadProgress(
                done=self._done,
                total=self._total,
                candles=self._fetched,
                seconds=self._clock.monotonic() - self._began,
                allowance=self._allowance,
            )
        )

    def _keep(self, history: CandleHistory) -> None:
        if len(history.open_times):
            self._pending.append(CandleBatch.of_history(history))
            self._fetched += len(history.open_times)

    def _taken(self) -> list[CandleBatch]:
        pending, self._pending = self._pending, []
        return pending
