"""A market that plays recorded candles: every minute shown is the recorded one, only its inside is drawn."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from core.errors import DataFileError
from core.instruments import Instrument
from core.market import DAY_MS, MINUTE_MS, QUARTER_MS, Field
from core.rng import seeded
from exchange.sim.market.candles import FIELDS, Integers, Row, merge
from exchange.sim.market.paths import POINTS_A_BAR, History, Path
from exchange.sim.market.scales import Scales
from exchange.sim.universe import SimInstrument, load_universe

Floats = NDArray[np.float64]

HISTORY_QUARTERS = 1400
"""Closed 15m bars that most symbols must have before minute 0."""

_MOST_QUARTERS = 1500
_MOST_DECIMALS = 10
_NOISE = 0.08  # of the candle's range
_TRENDWARD = 0.7  # how often a rising minute sees its low first


@dataclass(frozen=True, slots=True)
class RecordedCandles:
    """1m candles on an unbroken grid of minutes: ``candles`` is float64 ``[M, 5, S]``, NaN where none is."""

    symbols: tuple[str, ...]
    start_ms: int
    candles: Floats

    @classmethod
    def from_rows(
        cls, symbols: Sequence[str], open_times: NDArray[np.int64], *, rows: Floats
    ) -> "RecordedCandles":
        """Lay long-form rows (a symbol, an open time and ``rows[5, n]``) on the grid.

        Raises ``DataFileError`` for an empty or impossible recording.
        """
        if not len(open_times):
            raise DataFileError("the recording holds no candle")
        if (open_times % MINUTE_MS).any():
            raise DataFileError("recorded candles must open on whole minutes")
        names, columns = np.unique(np.asarray(symbols), return_inverse=True)
        minutes = (open_times - open_times.min()) // MINUTE_MS
        grid = np.full((int(minutes.max()) + 1, len(Field), len(names)), np.nan)
        grid[minutes, :, columns] = rows.T
        recorded = cls(tuple(map(str, names)), int(open_times.min()), grid)
        recorded.check()
        return recorded

    def check(self) -> None:
        """Raise ``DataFileError`` naming the first candle that no sequence of trades could have made."""
        opens, highs, lows, closes, volumes = (self.candles[:, field] for field in Field)
        sound = (lows > 0) & (lows <= np.minimum(opens, closes)) & (np.maximum(opens, closes) <= highs)
        broken = np.argwhere(~np.isnan(opens) & ~(sound & (volumes >= 0) & np.isfinite(highs + volumes)))
        if len(broken):
            minute, symbol = broken[0]
            at = self.start_ms + int(minute) * MINUTE_MS
            raise DataFileError(f"the candle of {self.symbols[symbol]} at {at} is impossible")

    @property
    def present(self) -> NDArray[np.bool_]:
        """Which candles exist, ``[M, S]``."""
        return ~np.isnan(self.candles[:, Field.OPEN])

    def of(self, index: int) -> Floats:
        """Return the candles ``[5, n]`` of one symbol that exist."""
        candles = self.candles[:, :, index].T
        return candles[:, ~np.isnan(candles[Field.OPEN])]

    def span_of(self, index: int) -> tuple[int, int]:
        """Return first and last open time of one symbol."""
        where = np.flatnonzero(~np.isnan(self.candles[:, Field.OPEN, index]))
        return self.start_ms + int(where[0]) * MINUTE_MS, self.start_ms + int(where[-1]) * MINUTE_MS

    def minute_zero(self) -> int:
        """Return the first minute at which most symbols have 1,400 closed 15m bars.

        Raises ``DataFileError`` when the recording is too short for that.
        """
        firsts = [self.span_of(number)[0] for number in range(len(self.symbols))]
        ready = [-(-first // QUARTER_MS) * QUARTER_MS + HISTORY_QUARTERS * QUARTER_MS for first in firsts]
        minute = sorted(ready)[len(ready) // 2]
        if minute >= self.end_ms():
            bars = (self.end_ms() - self.start_ms) // QUARTER_MS
            raise DataFileError(
                f"The recording holds {bars:,} 15m bars, and {HISTORY_QUARTERS:,} of history must come before"
                " its first minute: use a longer one, or say from where with --from."
            )
        return minute

    def end_ms(self) -> int:
        """Return the minute after the last one in which at least half of the symbols still trade."""
        lasts = sorted(self.span_of(number)[1] for number in range(len(self.symbols)))
        return lasts[len(lasts) // 2] + MINUTE_MS


def recorded_universe(recorded: RecordedCandles) -> tuple[SimInstrument, ...]:
    """Return instruments in the recording's order, with ticks fine enough for every recorded price.

    A symbol that ends more than a day before the recording does is delisted there.
    """
    known = {each.symbol: each for each in load_universe(2000)}
    listed = list(known.values())
    return tuple(
        _fitted(recorded, number, known.get(symbol) or _stranger(symbol, listed))
        for number, symbol in enumerate(recorded.symbols)
    )


def _stranger(symbol: str, listed: Sequence[SimInstrument]) -> SimInstrument:
    """Model an unknown symbol on a middling one."""
    model = listed[200]
    contract = replace(model.contract, symbol=symbol, base=symbol.removesuffix("USDT"))
    return replace(model, contract=contract, synthetic=frozenset({"contract"}))


def _fitted(recorded: RecordedCandles, index: int, instrument: SimInstrument) -> SimInstrument:
    candles = recorded.of(index)
    first, last = recorded.span_of(index)
    contract = replace(
        instrument.contract,
        tick_size=_fine_enough(candles[: Field.VOLUME], instrument.contract.tick_size),
        onboard_ms=min(first, instrument.contract.onboard_ms) if first == recorded.start_ms else first,
        delivery_ms=_delivery(last, recorded, instrument.contract),
    )
    quote = float((candles[Field.VOLUME] * candles[Field.CLOSE]).mean()) * DAY_MS / MINUTE_MS
    returns = np.diff(np.log(candles[Field.CLOSE]))
    return replace(
        instrument,
        contract=contract,
        reference_price=float(candles[Field.CLOSE, -1]),
        daily_quote_volume=max(quote, 1.0),
        volatility_15m=float(returns.std() * np.sqrt(15)) if len(returns) else instrument.volatility_15m,
    )


def _delivery(last: int, recorded: RecordedCandles, contract: Instrument) -> int:
    return last + MINUTE_MS if last < recorded.end_ms() - DAY_MS else contract.delivery_ms


def _fine_enough(prices: Floats, tick: Decimal) -> Decimal:
    """Return ``tick``, or the largest power of ten below it that every price is a multiple of."""
    while not _are_multiples(prices, tick):
        finer = Decimal(1).scaleb(tick.adjusted() - (tick == Decimal(1).scaleb(tick.adjusted())))
        if -finer.adjusted() > _MOST_DECIMALS:
            raise DataFileError(f"recorded prices have more than {_MOST_DECIMALS} decimals")
        tick = finer
    return tick


def _are_multiples(values: Floats, unit: Decimal) -> bool:
    counts = values / float(unit)
    return bool(np.allclose(counts, np.rint(counts), rtol=1e-12, atol=1e-5))


def _volume_decimals(recorded: RecordedCandles, contracts: Sequence[Instrument]) -> Integers:
    """Return how many decimals each symbol's recorded volumes need; at least those of its step."""
    fitted = (
        _fine_enough(recorded.of(number)[Field.VOLUME], contract.step_size)
        for number, contract in enumerate(contracts)
    )
    return np.array([max(0, -unit.adjusted()) for unit in fitted], np.int64)


class RecordedPaths:
    """Plays a recording from ``start_ms``; the same seed draws the same inside of the same minute."""

    def __init__(
        self,
        recorded: RecordedCandles,
        instruments: Sequence[SimInstrument],
        *,
        seed: int,
        start_ms: int | None = None,
    ) -> None:
        contracts = [each.contract for each in instruments]
        self._recorded = recorded
        self._scales = replace(Scales.of(contracts), volume_decimals=_volume_decimals(recorded, contracts))
        self._seed = seed
        start = recorded.minute_zero() if start_ms is None else start_ms
        self._start_ms = start - start % MINUTE_MS
        self._end_ms = recorded.end_ms()
        if not recorded.start_ms < self._start_ms < self._end_ms:
            raise DataFileError("the market must start inside the recording, after its first minute")
        self._next_ms = self._start_ms

    @property
    def scales(self) -> Scales:
        return self._scales

    @property
    def start_ms(self) -> int:
        return self._start_ms

    def history(self) -> History:
        """Return what the recording holds before the start, at most 1,500 bars on each interval."""
        oldest = -(-self._recorded.start_ms // QUARTER_MS) * QUARTER_MS
        beyond = self._start_ms % QUARTER_MS
        minutes_from = max(oldest, self._start_ms - beyond - 100 * QUARTER_MS)
        quarters_from = max(oldest, self._start_ms - beyond - _MOST_QUARTERS * QUARTER_MS)
        quarter_times = range(quarters_from, minutes_from, QUARTER_MS)
        minute_times = range(minutes_from, self._start_ms, MINUTE_MS)
        candles = chain(map(self._quarter, quarter_times), map(self._minute, minute_times))
        return History(len(quarter_times), len(minute_times), candles)

    def next_minute(self) -> Path | None:
        if self._next_ms >= self._end_ms:
            return None
        candle = self._minute(self._next_ms)
        minute = self._next_ms // MINUTE_MS
        self._next_ms += MINUTE_MS
        points = draw_inside(candle, self._scales.tick, seeded((self._seed << 32) + minute))
        return Path(points, candle[Row.VOLUME], candle[Row.QUOTE])

    def _quarter(self, open_ms: int) -> Integers:
        minutes: Iterator[Integers] = map(self._minute, range(open_ms, open_ms + QUARTER_MS, MINUTE_MS))
        return merge(np.stack(list(minutes), axis=-1))

    def _minute(self, open_ms: int) -> Integers:
        """Return the recorded candle ``[6, S]`` in points, its quote volume modelled from its mean price."""
        number = (open_ms - self._recorded.start_ms) // MINUTE_MS
        column = np.nan_to_num(self._recorded.candles[number])
        candle = np.empty((FIELDS, column.shape[1]), np.int64)
        candle[: Row.VOLUME] = np.rint(column[: Field.VOLUME] / self._scales.point)
        candle[Row.VOLUME] = np.rint(column[Field.VOLUME] / self._scales.lot)
        candle[Row.QUOTE] = self._scales.quote_volume(candle[Row.VOLUME], candle[: Row.VOLUME].mean(0))
        return candle


def draw_inside(candle: Integers, tick: Integers, rng: np.random.Generator) -> Integers:
    """Draw ``[60, S]`` prices that open, reach the high and the low, and close exactly as ``candle`` did."""
    opens, highs, lows, closes = (candle[field].astype(np.float64) for field in range(Row.VOLUME))
    symbols = candle.shape[1]
    turns = np.sort(
        rng.permuted(np.tile(np.arange(1, POINTS_A_BAR - 1), (symbols, 1)), axis=1)[:, :2], axis=1
    )
    low_first = rng.random(symbols) < np.where(closes >= opens, _TRENDWARD, 1 - _TRENDWARD)
    first, second = np.where(low_first, lows, highs), np.where(low_first, highs, lows)
    early, late = turns.T
    time = np.arange(POINTS_A_BAR)[:, None]
    last = POINTS_A_BAR - 1
    legs = np.where(
        time <= early,
        opens + (first - opens) * time / early,
        np.where(
            time <= late,
            first + (second - first) * (time - early) / (late - early),
            second + (closes - second) * (time - late) / (last - late),
        ),
    )
    legs += _NOISE * (highs - lows) * rng.standard_normal(legs.shape)
    points = np.rint(legs / tick).astype(np.int64) * tick
    points = np.clip(points, candle[Row.LOW], candle[Row.HIGH])
    everyone = np.arange(symbols)
    points[0], points[last] = candle[Row.OPEN], candle[Row.CLOSE]
    points[early, everyone], points[late, everyone] = first, second
    return points
