"""The stories that the pictures of the rules tell: made-up candles, and what the kernel must say of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from core.market import QUARTER_MS, CandleHistory, Field, Floats
from core.signals import Side
from strategies.kernel.events import Kind

START_MS = 1_764_547_200_000
SYMBOL = "RULE"

Turn = tuple[int, float]
Ohlc = tuple[float, float, float, float]


class Claim(NamedTuple):
    """An event that the kernel must tell; ``label`` and ``known`` are bars of the story."""

    kind: Kind
    side: int
    label: int
    known: int


class Remark(NamedTuple):
    """Words at ``bar``, true if the claim is; they may use its event's ``low``, ``high`` and ``value``."""

    claim: Claim
    bar: int
    words: str
    is_above: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule: candles [5, n] that tell it, what is remarked, and which structures the picture shows.

    ``side`` asks for a set-up on the last candle; ``quarters`` is the 15m history it needs.
    """

    name: str
    title: str
    candles: Floats
    remarks: tuple[Remark, ...]
    shows: frozenset[str]
    bars: int
    side: Side | None = None
    quarters: CandleHistory | None = None


# --- made-up candles --------------------------------------------------------------------------------


def candles_through(*turns: Turn, wick: float = 0.25, made: Mapping[int, Ohlc] | None = None) -> Floats:
    """Return candles [5, n] that go from turn to turn (bar, close), a little unevenly; ``made`` sets some."""
    bars, prices = zip(*turns, strict=True)
    number = np.arange(bars[-1] + 1)
    uneven = 0.14 * np.sin(2.3 * number) * np.cos(0.7 * number)
    closes = np.interp(number, bars, prices) + uneven
    opens = np.concatenate([closes[:1], closes[:-1]])
    longer = wick * (0.6 + 0.4 * np.sin(1.7 * number))
    highs, lows = np.maximum(opens, closes) + longer, np.minimum(opens, closes) - longer
    candles = np.stack([opens, highs, lows, closes, np.full(len(number), 10.0)])
    for bar, prices_of_it in (made or {}).items():
        candles[: Field.VOLUME, bar] = prices_of_it
    return candles


# --- the stories ------------------------------------------------------------------------------------

_RISE = ((0, 100.0), (16, 100.0), (26, 102.4), (34, 100.6), (38, 102.2), (39, 104.2))
_BLOCK = {34: (101.0, 101.15, 100.3, 100.5), 35: (100.5, 101.9, 100.42, 101.8)}

SWING_POINT = Rule(
    name="swing-point",
    title="Swing point",
    candles=candles_through((0, 100), (18, 100.3), (30, 103), (37, 101.2), (46, 102.2)),
    shows=frozenset({"points"}),
    bars=34,
    remarks=(
        Remark(
            Claim(Kind.INTERNAL_POINT, 1, 30, 35),
            30,
            "a high, and nobody knows yet\nthat it is a swing point",
            is_above=True,
        ),
        Remark(
            Claim(Kind.INTERNAL_POINT, 1, 30, 35),
            35,
            "known here: five candles\nstayed below it. It never moves.",
            is_above=True,
        ),
        Remark(
            Claim(Kind.INTERNAL_POINT, -1, 38, 43),
            43,
            "the low is known here\nafter five higher lows",
            is_above=False,
        ),
    ),
)

BREAKS = Rule(
    name="breaks",
    title="BOS, CHoCH, MSB",
    candles=candles_through(
        *((0, 100), (16, 100), (24, 102.4), (31, 100.9), (38, 102.5), (40, 102.9), (46, 101.4), (49, 102.5)),
        *((50, 105.0), (54, 105.6), (60, 103.9), (64, 104.8), (67, 104.1), (68, 101.6), (74, 101.2)),
    ),
    shows=frozenset({"points", "breaks"}),
    bars=56,
    remarks=(
        Remark(
            Claim(Kind.BOS, 1, 24, 39),
            39,
            "weak: closes beyond the high, but reaches\nonly {value:.1f} of what the filter asks",
            is_above=True,
        ),
        Remark(
            Claim(Kind.MSB, 1, 41, 50),
            50,
            "MSB: reaches {value:.1f} times\nwhat the filter asks",
            is_above=True,
        ),
        Remark(
            Claim(Kind.CHOCH, -1, 60, 68), 68, "CHoCH: the first break\nagainst the direction", is_above=False
        ),
    ),
)

ORDER_BLOCK = Rule(
    name="order-block",
    title="Order block, validated three ways",
    candles=candles_through(*_RISE, (44, 105.4), (55, 101.2), (57, 102.6), (60, 103.4), made=_BLOCK),
    shows=frozenset({"blocks", "breaks"}),
    bars=40,
    remarks=(
        Remark(Claim(Kind.BLOCK, 1, 34, 39), 34, "1  the last candle down\nbefore the break", is_above=False),
        Remark(
            Claim(Kind.BLOCK, 1, 34, 39),
            35,
            "2  the next body is {value:.1f} times\nas large, the other way",
            is_above=True,
        ),
        Remark(
            Claim(Kind.BLOCK, 1, 34, 39),
            39,
            "3  five candles stay above its low,\nstructure is broken: known here",
            is_above=False,
        ),
        Remark(
            Claim(Kind.BLOCK_RETESTED, 1, 34, 56),
            56,
            "the first return:\nthe one that is traded",
            is_above=False,
        ),
    ),
)

BREAKER = Rule(
    name="breaker",
    title="Breaker: a block that failed after a sweep",
    candles=candles_through(
        *_RISE,
        *((44, 105.4), (54, 103.4), (64, 104.6), (69, 105.3), (71, 104.6), (84, 99.7), (86, 99.4)),
        *((93, 100.6), (97, 99.8)),
        made={**_BLOCK, 70: (105.4, 106.2, 105.0, 105.1)},
    ),
    shows=frozenset({"blocks", "pools"}),
    bars=66,
    remarks=(
        Remark(Claim(Kind.SWEEP, 1, 45, 70), 70, "liquidity above the high is taken", is_above=True),
        Remark(
            Claim(Kind.BREAKER, -1, 34, 83),
            83,
            "a close below the bullish block:\nit changes sides",
            is_above=False,
        ),
        Remark(Claim(Kind.BLOCK_RETESTED, -1, 34, 91), 91, "the first return\nfrom below", is_above=True),
    ),
)

SWEEP = Rule(
    name="liquidity-sweep",
    title="Liquidity and its sweep",
    candles=candles_through(
        *((0, 102.8), (18, 100), (28, 102.0), (38, 100.02), (50, 101.6), (65, 100.3)),
        *((66, 100.5), (74, 101.2)),
        made={
            18: (100.3, 100.5, 99.7, 100.0),
            38: (100.3, 100.5, 99.72, 100.05),
            66: (100.3, 100.6, 99.3, 100.5),
        },
    ),
    shows=frozenset({"points", "pools"}),
    bars=64,
    remarks=(
        Remark(
            Claim(Kind.POOL, -1, 38, 58),
            58,
            "the second of two equal lows is confirmed:\nstops of {value:.0f} lows rest in one pool",
            is_above=True,
        ),
        Remark(
            Claim(Kind.SWEEP, -1, 38, 66), 66, "sweep: a wick through,\na close back above", is_above=False
        ),
    ),
)

GAP = Rule(
    name="fair-value-gap",
    title="Fair value gap",
    candles=candles_through(
        *((0, 100.4), (23, 100.6), (26, 102.8), (33, 103.2), (42, 100.5), (45, 102.4), (54, 102.9)),
        wick=0.3,
        made={
            24: (100.6, 100.9, 100.4, 100.8),
            25: (100.8, 102.6, 100.7, 102.5),
            26: (102.5, 103.0, 101.6, 102.8),
            43: (100.5, 100.8, 100.3, 100.7),
            44: (100.7, 102.2, 100.6, 102.1),
            45: (102.1, 102.6, 101.3, 102.4),
        },
    ),
    shows=frozenset({"gaps"}),
    bars=36,
    remarks=(
        Remark(
            Claim(Kind.GAP, 1, 25, 26),
            26,
            "known with the third candle: its low stays\nabove the high of the first",
            is_above=True,
        ),
        Remark(Claim(Kind.GAP_FILLED, 1, 25, 41), 41, "filled: traded\nall the way through", is_above=False),
        Remark(Claim(Kind.GAP, 1, 44, 45), 45, "another one,\nstill open", is_above=True),
    ),
)


def _rising_quarters(bars: int = 1500) -> CandleHistory:
    """Make 15m history of a market that rises to 100, slowly and not too evenly."""
    number = np.arange(bars)
    closes = 100.0 - 0.01 * (bars - 1 - number) + 0.8 * np.sin(number / 19)
    opens = np.concatenate([closes[:1], closes[:-1]])
    highs, lows = np.maximum(opens, closes) + 0.2, np.minimum(opens, closes) - 0.2
    return CandleHistory(
        symbol=SYMBOL,
        timeframe_ms=QUARTER_MS,
        open_times=START_MS - QUARTER_MS * (bars - number),
        candles=np.stack([opens, highs, lows, closes, np.full(bars, 150.0)]),
    )


PREMIUM = Rule(
    name="premium-discount",
    title="Premium and discount",
    candles=candles_through((0, 101), (8, 101.4), (18, 100), (42, 104), (66, 101.0)),
    shows=frozenset({"points", "range"}),
    bars=56,
    remarks=(
        Remark(
            Claim(Kind.SWING_POINT, -1, 19, 39), 19, "swing low, confirmed\n20 candles later", is_above=False
        ),
        Remark(
            Claim(Kind.SWING_POINT, 1, 42, 62),
            62,
            "the high is confirmed here:\nthe range is known from now on",
            is_above=True,
        ),
    ),
)


_QUIET = 220  # minutes before the story, so that every average has settled
_SETUP_CANDLES = candles_through(
    *((0, 99.2), (40, 99.0), (90, 99.6), (140, 99.2), (180, 99.7), (_QUIET, 100.0)),
    *((_QUIET + bar, price) for bar, price in (*_RISE[1:], (44, 105.4), (74, 101.2))),
    made={
        **{_QUIET + bar: candle for bar, candle in _BLOCK.items()},
        _QUIET + 73: (101.85, 101.95, 101.35, 101.5),
        _QUIET + 74: (101.5, 101.55, 100.85, 101.25),
    },
)

CANDIDATE = Rule(
    name="long-candidate",
    title="A long candidate",
    candles=_SETUP_CANDLES,
    quarters=_rising_quarters(),
    side=Side.LONG,
    shows=frozenset({"blocks", "breaks", "range"}),
    bars=56,
    remarks=(
        Remark(Claim(Kind.MSB, 1, 246, 259), 259, "structure: the latest MSB\nis upwards", is_above=True),
        Remark(
            Claim(Kind.BLOCK_RETESTED, 1, 254, 294),
            294,
            "location: first return to the block,\nin the cheap half of the range\n"
            "trigger: closes above its middle",
            is_above=False,
        ),
    ),
)

EXITS = Rule(
    name="stop-target",
    title="Stop and target",
    candles=_SETUP_CANDLES,
    quarters=_rising_quarters(),
    side=Side.LONG,
    shows=frozenset({"blocks", "pools", "exits"}),
    bars=46,
    remarks=(
        Remark(
            Claim(Kind.BLOCK_RETESTED, 1, 254, 294),
            294,
            "entry; the stop is the furthest\nof block, ATR 1m, ATR 15m and fees",
            is_above=False,
        ),
        Remark(
            Claim(Kind.POOL, 1, 264, 284),
            264,
            "room: the pool ahead must lie\nbeyond 1 R, the target before it",
            is_above=True,
        ),
    ),
)

RULES = (SWING_POINT, BREAKS, ORDER_BLOCK, BREAKER, SWEEP, GAP, PREMIUM, CANDIDATE, EXITS)
