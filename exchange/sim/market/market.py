"""The market as it stands: market time, last, mark, candles closed and forming."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from core.market import DAY_MS, MINUTE_MS, QUARTER_MS
from exchange.sim.market.candles import Bars, CandleStore, Integers, Row, merge, regroup
from exchange.sim.market.paths import POINTS_A_BAR, Path, PathSource
from exchange.sim.universe import SimInstrument

SECOND_MS = MINUTE_MS // POINTS_A_BAR
_KEPT_BARS = 1560  # 1,500 is the most a client may ask for; the store drops down to this when it is full
_TAPE_MINUTES = 16  # so that the thousand latest trades can be shown
_MARK_FOLLOWS = 0.2  # of the gap to the last price a second: a spike moves the mark late and less


@dataclass(frozen=True, slots=True)
class Trades:
    """Trades of one symbol: times (ms), prices in points (0: none in that second), quantities in lots."""

    times: Integers
    points: Integers
    lots: Integers


class Market:
    """Moves in steps of one market second. Symbols are numbered as in ``instruments``.

    ``last`` is int64 points (0 before a listing), ``mark`` float64 points, ``rising`` whether the last trade
    took an ask.
    """

    def __init__(self, instruments: Sequence[SimInstrument], source: PathSource) -> None:
        self.instruments = tuple(instruments)
        self.scales = source.scales
        self.index_of = {each.symbol: number for number, each in enumerate(self.instruments)}
        self._source = source
        self._onboard_ms = np.array([each.contract.onboard_ms for each in instruments], np.int64)
        self._delivery_ms = np.array([each.contract.delivery_ms for each in instruments], np.int64)
        self._load_history()
        self._minute_ms = source.start_ms
        self._second = 0
        self._ended = False
        self._tape: deque[tuple[int, Path]] = deque(maxlen=_TAPE_MINUTES)
        self._forming: dict[int, tuple[int, Integers]] = {}
        self._path = self._of_listed(self._first_path())
        self.last = merge(self.minutes.since(self._minute_ms - DAY_MS))[Row.CLOSE]
        self.mark = self.last.astype(np.float64)
        self.rising = np.ones(len(self.instruments), np.bool_)
        self._move()

    @property
    def now_ms(self) -> int:
        return self._minute_ms + self._second * SECOND_MS

    @property
    def minute_ms(self) -> int:
        """Open time of the minute now forming."""
        return self._minute_ms

    @property
    def has_ended(self) -> bool:
        """Whether the recording has no further minute; the market then stands still."""
        return self._ended

    def step(self) -> bool:
        """Let one market second pass; return whether a minute closed with it."""
        if self._ended:
            return False
        if self._second < POINTS_A_BAR - 1:
            self._second += 1
            self._move()
            return False
        return self._close_minute()

    def deliver(self, index: int, at_ms: int) -> None:
        """Let a symbol cease to trade with the first minute that opens at ``at_ms`` or later."""
        self._delivery_ms[index] = at_ms

    def spike(self, index: int, factor: float) -> None:
        """Let one symbol trade once at ``factor`` times its price, in the middle of the current minute."""
        points, tick = self._path.points.copy(), self.scales.tick[index]
        middle = max(self._second + 1, POINTS_A_BAR // 2) % POINTS_A_BAR
        points[middle, index] = max(1, round(points[middle, index] * factor / tick)) * tick
        self._path = Path(points, self._path.volume, self._path.quote)

    def forming(self, interval_ms: int) -> tuple[int, Integers]:
        """Return open time and ``[6, S]`` of the candle that is not closed yet; not to be written to."""
        if interval_ms not in self._forming:
            self._forming[interval_ms] = self._form(interval_ms)
        return self._forming[interval_ms]

    def closed(self, interval_ms: int) -> Integers:
        """Return ``[6, S]`` of the candle of this interval that closed with the last minute."""
        return _merged(self._closed_since(self._minute_ms - interval_ms))

    def bars(self, index: int, interval_ms: int) -> Bars:
        """Return every candle of one symbol that is known, the forming one last."""
        store = self.minutes if interval_ms < QUARTER_MS else self.quarters
        stored = store.of(index)
        _, forming = self.forming(store.interval_ms)
        rows = np.concatenate([stored.rows, forming[:, index, None]], axis=1)
        if interval_ms == store.interval_ms:
            return Bars(interval_ms, stored.first_ms, rows)
        offset = stored.first_ms % interval_ms // store.interval_ms
        first_ms = stored.first_ms - stored.first_ms % interval_ms
        return Bars(
            interval_ms, first_ms, regroup(rows, offset=offset, factor=interval_ms // store.interval_ms)
        )

    def trades(self, index: int) -> Trades:
        """Return what one symbol traded in the last minutes, a trade a second, oldest first."""
        minutes = [*self._tape, (self._minute_ms, self._path)]
        seconds = len(minutes) * POINTS_A_BAR - (POINTS_A_BAR - 1 - self._second)
        times = minutes[0][0] + SECOND_MS * np.arange(seconds, dtype=np.int64)
        points = np.concatenate([path.points[:, index] for _, path in minutes])[:seconds]
        ticks = np.arange(POINTS_A_BAR + 1, dtype=np.int64)
        shares = [np.diff(path.volume[index] * ticks // POINTS_A_BAR) for _, path in minutes]
        return Trades(times, points, np.concatenate(shares)[:seconds])

    def last_day(self) -> Integers:
        """Return ``[6, S]`` of the 24 h that end now, to the minute."""
        _, forming = self.forming(MINUTE_MS)
        return _merged([self.minutes.since(self._minute_ms - DAY_MS + MINUTE_MS), forming[..., None]])

    def _form(self, interval_ms: int) -> tuple[int, Integers]:
        open_ms = self._minute_ms - self._minute_ms % interval_ms
        candle = self._path.candle(self._second)
        if interval_ms == MINUTE_MS:
            return open_ms, candle
        return open_ms, _merged([*self._closed_since(open_ms), candle[..., None]])

    def _load_history(self) -> None:
        history = self._source.history()
        first_minute = self._source.start_ms - history.minute_bars * MINUTE_MS
        self.minutes = CandleStore(
            symbols=len(self.instruments), interval_ms=MINUTE_MS, keep=_KEPT_BARS, first_ms=first_minute
        )
        self.quarters = CandleStore(
            symbols=len(self.instruments),
            interval_ms=QUARTER_MS,
            keep=_KEPT_BARS,
            first_ms=first_minute - history.quarter_bars * QUARTER_MS,
        )
        for candle in islice(history.candles, history.quarter_bars):
            self.quarters.append(candle * self._is_listed(self.quarters.end_ms))
        for candle in history.candles:
            self._store(candle * self._is_listed(self.minutes.end_ms))

    def _store(self, candle: Integers) -> None:
        self.minutes.append(candle)
        if self.minutes.end_ms % QUARTER_MS == 0:
            self.quarters.append(merge(self.minutes.since(self.minutes.end_ms - QUARTER_MS)))

    def _first_path(self) -> Path:
        path = self._source.next_minute()
        if path is None:
            raise ValueError("a path source has at least one minute")
        return path

    def _close_minute(self) -> bool:
        self._store(self._path.candle())
        path = self._source.next_minute()
        self._minute_ms += MINUTE_MS
        self._second = 0
        if path is None:
            self._ended = True
            path = self._standstill()
        self._tape.append((self._minute_ms - MINUTE_MS, self._path))
        self._path = self._of_listed(path)
        self._move()
        return True

    def _of_listed(self, path: Path) -> Path:
        listed = self._is_listed(self._minute_ms)
        if listed.all():
            return path
        return Path(path.points * listed, path.volume * listed, path.quote * listed)

    def _is_listed(self, open_ms: int) -> NDArray[np.bool_]:
        """Say which symbols trade in the candle that opens then."""
        return (self._onboard_ms <= open_ms) & (open_ms < self._delivery_ms)

    def _standstill(self) -> Path:
        nothing = np.zeros(len(self.instruments), np.int64)
        return Path(np.broadcast_to(nothing, (POINTS_A_BAR, len(nothing))), nothing, nothing)

    def _move(self) -> None:
        points = self._path.points[self._second]
        last = np.where(points > 0, points, self.last)
        self._forming.clear()
        self.rising = np.where(last == self.last, self.rising, last > self.last)
        listed = np.where(self.mark > 0, self.mark, last)
        self.mark = listed + (last - listed) * _MARK_FOLLOWS
        self.last = last

    def _closed_since(self, open_ms: int) -> list[Integers]:
        """Return closed candles from ``open_ms`` on: whole quarters, then the minutes after them."""
        if open_ms >= self.minutes.first_ms:
            return [self.minutes.since(open_ms)]
        return [self.quarters.since(open_ms), self.minutes.since(self.quarters.end_ms)]


def _merged(parts: Sequence[Integers]) -> Integers:
    """Aggregate several runs ``[6, S, n]`` of candles that follow each other."""
    merged = [merge(part) for part in parts if part.shape[-1]]
    return merge(np.stack(merged, axis=-1))
