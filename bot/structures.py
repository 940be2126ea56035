"""What one picture of market structure shows, as plain numbers: everything the kernel said about a symbol."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.market import MINUTE_MS, Field, Floats
from services.chronicle import Chronicle
from strategies.ict_smc.explanation import Explanation
from strategies.kernel.events import Kind
from strategies.kernel.market import MarketEvent
from strategies.kernel.order_blocks import FRESH, MITIGATED, TOUCHED
from strategies.kernel.records import Chart
from strategies.kernel.swings import SWING

BARS = 150

_STATES = {FRESH: "fresh", TOUCHED: "touched", MITIGATED: "mitigated"}
_BREAKS = {Kind.BOS: "BOS", Kind.CHOCH: "CHoCH"}


class Point(NamedTuple):
    """A confirmed swing point; ``is_swing`` tells the larger scale from the internal one."""

    at: int
    price: float
    side: int
    is_swing: bool


class Break(NamedTuple):
    """A close beyond a level: from the candle that made it to the one that broke it."""

    name: str
    side: int
    price: float
    since: int
    at: int
    strength: float


class Band(NamedTuple):
    """A zone: an order block, a breaker or a fair value gap; ``until`` is ``None`` while it is open."""

    name: str
    side: int
    low: float
    high: float
    since: int
    state: str = ""
    until: int | None = None

    @property
    def is_block(self) -> bool:
        return self.name != "FVG"


class Pool(NamedTuple):
    """Liquidity beyond a level; ``swept_at`` is the candle that took it, ``wick`` how far that reached."""

    side: int
    price: float
    since: int
    points: int = 1
    swept_at: int | None = None
    wick: float = 0.0


class Range(NamedTuple):
    """The last swing range, from its first point on."""

    low: float
    high: float
    since: int

    @property
    def middle(self) -> float:
        return (self.low + self.high) / 2


class Plan(NamedTuple):
    """The trade that a set-up asks for."""

    side: int
    entry: float
    stop: float
    target: float


class Level(NamedTuple):
    """A price to point out beside the plot."""

    name: str
    price: float


class Note(NamedTuple):
    """Words about one point of the picture."""

    at: int
    price: float
    words: str
    is_above: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StructureChart:
    """Everything a picture needs; all times are open times (ms) of 1m candles, prices are floats.

    ``ema_200_15m`` is ``None`` while it is not known.
    """

    title: str
    note: str = ""
    candles: Floats
    open_times: NDArray[np.int64]
    points: tuple[Point, ...] = ()
    breaks: tuple[Break, ...] = ()
    bands: tuple[Band, ...] = ()
    pools: tuple[Pool, ...] = ()
    swing_range: Range | None = None
    ema_200_15m: float | None = None
    plan: Plan | None = None
    levels: tuple[Level, ...] = ()
    notes: tuple[Note, ...] = ()

    @classmethod
    def of(cls, told: Chronicle, sides: Sequence[Explanation] = (), *, bars: int = BARS) -> "StructureChart":
        """Take the newest candles of a chronicle and all that is known at their end."""
        since = int(told.open_times[-bars:][0])
        events = [each for each in told.events if each.timeframe_ms == MINUTE_MS and each.known >= since]
        minute, quarter = told.kernel.minute[0], told.kernel.quarter[0]
        return cls(
            title=told.symbol,
            note="   ".join(_verdict(each) for each in sides),
            candles=told.candles[:, -bars:],
            open_times=told.open_times[-bars:],
            points=tuple(each for each in _points(events) if each.at >= since),
            breaks=tuple(_breaks(events)),
            bands=tuple(_bands(minute)),
            pools=(*_pools(minute), *_sweeps(events)),
            swing_range=_swing_range(minute),
            ema_200_15m=float(quarter.ema_200) if quarter.bars >= 200 else None,
            plan=next((_plan(each) for each in sides if each.is_setup and each.exits), None),
        )

    def price_range(self) -> tuple[float, float]:
        """Lowest and highest price to show: candles and plan, with a little air."""
        lows, highs = self.candles[Field.LOW], self.candles[Field.HIGH]
        pointed_out = [level.price for level in self.levels]
        prices = [*(self.plan or ())[1:], *pointed_out, float(np.nanmin(lows)), float(np.nanmax(highs))]
        low, high = min(prices), max(prices)
        margin = (high - low) * (0.14 if self.notes else 0.08) or high * 0.01
        return low - margin, high + margin


def _points(events: Sequence[MarketEvent]) -> Iterator[Point]:
    """An internal point that is one of the larger scale too is told as that alone."""
    swings = [each for each in events if each.kind is Kind.SWING_POINT]
    larger = {(each.label, each.side) for each in swings}
    for each in swings:
        yield Point(each.label, each.low, each.side, is_swing=True)
    for each in events:
        if each.kind is Kind.INTERNAL_POINT and (each.label, each.side) not in larger:
            yield Point(each.label, each.low, each.side, is_swing=False)


def _breaks(events: Sequence[MarketEvent]) -> Iterator[Break]:
    """A strong break is told twice, as BOS or CHoCH and as MSB: say it once."""
    for each in events:
        if each.kind not in _BREAKS:
            continue
        name = _BREAKS[each.kind] + (" MSB" if each.value >= 1.0 else " weak")
        level = each.low if each.side > 0 else each.high
        yield Break(name, each.side, level, each.label, each.known, each.value)


def _bands(minute: Chart) -> Iterator[Band]:
    for block in minute.blocks[: minute.blocks_open]:
        if block.known_at:
            name = "breaker" if block.breaker else "OB"
            since = int(block.born_at if block.breaker else block.label) * MINUTE_MS
            state = _STATES[int(block.state)]
            yield Band(name, int(block.side), float(block.bottom), float(block.top), since, state)
    for gap in minute.gaps[: minute.gaps_open]:
        yield Band("FVG", int(gap.side), float(gap.bottom), float(gap.top), int(gap.label) * MINUTE_MS)


def _pools(minute: Chart) -> Iterator[Pool]:
    for pool in minute.pools[: minute.pools_open]:
        yield Pool(int(pool.side), float(pool.level), int(pool.label) * MINUTE_MS, int(pool.points))


def _sweeps(events: Sequence[MarketEvent]) -> Iterator[Pool]:
    for each in events:
        if each.kind is Kind.SWEEP:
            wick = each.low + each.side * each.value
            yield Pool(each.side, each.low, each.label, swept_at=each.known, wick=wick)


def _swing_range(minute: Chart) -> Range | None:
    swing = minute.swings[SWING]
    if not (swing.high_at and swing.low_at and swing.high > swing.low):
        return None
    since = int(min(swing.high_at, swing.low_at)) * MINUTE_MS
    return Range(float(swing.low), float(swing.high), since)


def _plan(told: Explanation) -> Plan | None:
    if told.exits is None:
        return None
    return Plan(int(told.side), told.price, told.exits.stop, told.exits.target)


def _verdict(told: Explanation) -> str:
    if not told.failed:
        return f"{told.side.name} {told.confidence:.0f}: signal"
    return f"{told.side.name} {told.points:.0f}: no {told.failed[0].replace('_', ' ')}"
