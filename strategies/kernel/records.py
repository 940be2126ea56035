"""The kernel's memory: plain arrays of records, one a symbol, each field declared once.

A record class is never instantiated. It tells numpy the layout (``array_of``), the type checker the
fields, and the reader what they mean. Zero means "nothing yet" in every field that does not say otherwise,
so a blank record is a run of zero bytes.
"""

from functools import cache
from types import SimpleNamespace
from typing import Annotated, Any, TypeAlias, TypeVar, cast, get_args, get_origin, get_type_hints

import numpy as np

from strategies.kernel.parameters import WINDOW

EVENTS = 64
"""More than one candle can cause on one chart: every block, pool and gap may change at once."""

NUMBERS: dict[type, type] = {int: np.int32, float: np.float64}
"""How fields are kept. Half-size integers halve the memory that a step must visit; minutes fit until 6053."""

R = TypeVar("R")
Records: TypeAlias = np.recarray[Any, Any]
Prices = tuple[float, float, float, float, float]
"""Open, high, low, close and volume of one candle."""


class Candle:
    """One closed candle."""

    open: float
    high: float
    low: float
    close: float
    volume: float


class Swing:
    """Swing points of one size: the current leg and the last confirmed high and low."""

    leg: int  # +1 up (since a low), −1 down (since a high), 0 before the first
    high: float
    high_at: int
    high_open: int  # 1 until a close goes beyond it
    low: float
    low_at: int
    low_open: int
    extreme: float  # of the candles that may still end this leg
    extreme_at: int


class Block:
    """An order block, or the breaker that it became."""

    state: int
    serial: int  # counts the blocks of a chart
    side: int  # the side it supports: +1 a bullish block
    breaker: int
    label: int
    break_at: int  # the break of structure that made it a block, or the close that made it a breaker
    known_at: int
    born_at: int  # what its age is counted from
    top: float
    bottom: float
    body: float
    displacement: float  # the next candle's body in the block's direction, as a multiple of its own
    held: int  # nothing traded beyond the far side while it was being validated
    touched_at: int
    visits: int  # separate returns into the block
    retested_at: int  # the first return since it was known and broke structure
    strength: float  # of the break of structure


class Pool:
    """Resting liquidity beyond a confirmed swing point, or beyond several equal ones."""

    side: int  # +1 above a high (buy-side), −1 below a low
    label: int
    level: float
    points: int  # swing points that share it


class Gap:
    """A fair value gap between the first and third of three candles."""

    side: int
    label: int
    top: float
    bottom: float


class Event:
    """Something that became known at the close of the newest bar, about bar ``label``."""

    kind: int
    side: int
    label: int
    low: float
    high: float
    value: float


class Chart:
    """One symbol on one timeframe. Bars are numbered by open time ÷ timeframe; 0 is "never"."""

    number: int
    bars: int  # contiguous bars seen, this one included
    missed: int  # a bar is missing after ``number``: unready until history fills it
    events_used: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    ema_9: float
    ema_21: float
    ema_50: float
    ema_200: float
    ema_200_before: float
    macd_fast: float
    macd_slow: float
    macd: float
    macd_signal: float
    atr: float
    average_gain: float
    average_loss: float
    bias: int  # direction of the last break of structure
    choch_side: int  # the last change of character
    choch_at: int
    msb_side: int  # the last break that passed the amplitude filter
    msb_at: int
    msb_strength: float  # its reach as a multiple of what was required
    blocks_open: int  # blocks and breakers being followed
    block_serial: int
    bullish_block_at: int  # the newest candle that was made a block: none is made one twice
    bearish_block_at: int
    pool_above: float  # nearest live buy-side pool; meaningful while pools_above > 0
    pool_below: float
    pools_above: int
    pools_below: int
    swept_above_at: int  # the last sweep of a buy-side pool
    swept_above_depth: float  # how far the wick went beyond it, in price
    swept_below_at: int
    swept_below_depth: float
    pools_open: int
    gaps_open: int
    gap_above: float  # nearest edge at which an open gap above price is full; infinite while there is none
    gap_below: float
    candles: Annotated[Records, Candle, WINDOW]  # a ring; see ``indicators.candle_of``
    swings: Annotated[Records, Swing, 2]  # the internal and the swing scale
    blocks: Annotated[Records, Block, 16]  # the first ``blocks_open`` are in use; so with pools and gaps
    pools: Annotated[Records, Pool, 16]
    gaps: Annotated[Records, Gap, 8]
    events: Annotated[Records, Event, EVENTS]  # what bar ``number`` made known, in order


class Forming:
    """The 15m candle that is being built from 1m candles."""

    number: int
    minutes: int
    open: float
    high: float
    low: float
    close: float
    volume: float


def array_of(record: type, *shape: int) -> Records:
    """Return a blank array of such records."""
    return np.zeros(shape, dtype=_layout(record)).view(np.recarray)


def plain(record: R) -> R:
    """Return a copy with ordinary Python numbers, which read much faster; its arrays stay the record's."""
    fields: Any = record
    numbers, arrays = _split(fields.dtype)
    values = dict(zip(numbers, np.void.__getitem__(fields, numbers).item(), strict=True))
    values |= {name: np.void.__getitem__(fields, name) for name in arrays}
    return cast("R", SimpleNamespace(**values))


@cache
def _split(layout: np.dtype[np.void]) -> tuple[list[str], list[str]]:
    """Return the names of a record's numbers and of its arrays."""
    names = layout.names or ()
    arrays = [name for name in names if layout[name].subdtype is not None]
    return [name for name in names if name not in arrays], arrays


def _layout(record: type) -> np.dtype[np.void]:
    hints = get_type_hints(record, include_extras=True)
    return np.dtype([(name, *_field(hint)) for name, hint in hints.items()], align=True)


def _field(hint: Any) -> tuple[Any, ...]:
    if get_origin(hint) is not Annotated:
        return (NUMBERS[hint],)
    _, content, length = get_args(hint)
    return NUMBERS.get(content) or _layout(content), (length,)
