"""``python -m bot.rule_pictures FOLDER``: one picture a rule, from what the kernel says of made-up candles.

A picture whose rule the kernel no longer keeps can not be drawn: every note hangs on an event, and a
missing event is a ``LookupError``.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import numpy as np

from bot.structure_chart import draw_structure
from bot.structures import Band, Level, Note, Plan, StructureChart
from core.market import MINUTE_MS, QUARTER_MS, CandleHistory, Field, Floats
from core.signals import Side
from services.chronicle import Chronicle, chronicle
from strategies.ict_smc import IctSmcParameters
from strategies.ict_smc.explanation import Explanation, explain
from strategies.kernel.events import Kind
from strategies.kernel.market import MarketEvent

START_MS = 1_764_547_200_000
SYMBOL = "RULE"
PARAMETERS = IctSmcParameters()

Turn = tuple[int, float]
Ohlc = tuple[float, float, float, float]


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


def told_of(candles: Floats, *, quarters: CandleHistory | None = None) -> Chronicle:
    times = START_MS + MINUTE_MS * np.arange(candles.shape[1])
    return chronicle(SYMBOL, times, candles, quarters=quarters)


# --- rules ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """A claim about the story and the words that stand at ``bar``: the kernel must say this very event.

    ``label`` and ``known`` are bars. ``low``, ``high`` and ``value`` of the event may be used in the words.
    """

    kind: Kind
    side: int
    label: int
    known: int
    bar: int
    words: str
    is_above: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule: candles that tell it, what is remarked, and which structures the picture shows.

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


def picture_of(rule: Rule) -> StructureChart:
    """Return what the kernel says of a rule's candles; raise ``LookupError`` where a claim is not true."""
    told = told_of(rule.candles, quarters=rule.quarters)
    chart = StructureChart.of(told, bars=rule.bars)
    bands = (*chart.bands, *_ended_bands(told))
    shown = replace(
        chart,
        title=rule.title,
        note="",
        points=chart.points if "points" in rule.shows else (),
        breaks=chart.breaks if "breaks" in rule.shows else (),
        bands=tuple(band for band in bands if ("blocks" if band.is_block else "gaps") in rule.shows),
        pools=chart.pools if "pools" in rule.shows else (),
        swing_range=chart.swing_range if "range" in rule.shows else None,
        ema_200_15m=None,
        notes=tuple(_note(told, remark) for remark in rule.remarks),
    )
    return shown if rule.side is None else _with_setup(shown, told, rule)


def _note(told: Chronicle, remark: Remark) -> Note:
    event = _event(told, remark)
    words = remark.words.format(low=event.low, high=event.high, value=event.value)
    extreme = told.candles[Field.HIGH if remark.is_above else Field.LOW, remark.bar]
    return Note(int(told.open_times[remark.bar]), float(extreme), words, remark.is_above)


def _event(told: Chronicle, remark: Remark) -> MarketEvent:
    wanted = (remark.kind, remark.side, remark.label, remark.known)
    for event in told.events:
        bars = ((at - START_MS) // MINUTE_MS for at in (event.label, event.known))
        if event.timeframe_ms == MINUTE_MS and (event.kind, event.side, *bars) == wanted:
            return event
    raise LookupError(f"the kernel does not say {remark.kind.name} {wanted[1:]}")


def _ended_bands(told: Chronicle) -> Iterator[Band]:
    """Yield the zones that came to their end within the story."""
    names = {Kind.GAP_FILLED: ("FVG", "filled"), Kind.BLOCK_BROKEN: ("OB", "broken")}
    for event in told.events:
        if event.kind in names and event.timeframe_ms == MINUTE_MS:
            name, state = names[event.kind]
            yield Band(name, event.side, event.low, event.high, event.label, state, event.known)


def _with_setup(chart: StructureChart, told: Chronicle, rule: Rule) -> StructureChart:
    """Add the trade that the last candle asks for; with ``exits`` shown, also what bounds its stop."""
    explained = explain(told.kernel, 0, Side(rule.side or Side.LONG), PARAMETERS)
    if not explained.is_setup or explained.exits is None:
        raise LookupError(f"no set-up: {', '.join(explained.failed)}")
    plan = Plan(int(explained.side), explained.price, explained.exits.stop, explained.exits.target)
    trend = explained.factors[[each.name for each in explained.factors].index("trend")]
    note = (
        f"trend {trend.numbers[0][1]:+.1f} ATR beyond EMA200 of 15m   confidence {explained.confidence:.0f}"
        f"   target {explained.exits.reward_risk:.2f} R"
    )
    levels = tuple(_stop_bounds(told, explained)) if "exits" in rule.shows else ()
    return replace(chart, plan=plan, note=note, levels=levels)


def _stop_bounds(told: Chronicle, explained: Explanation) -> Iterator[Level]:
    """Yield the four prices of which the furthest is the stop."""
    minute, quarter, close = told.kernel.minute[0], told.kernel.quarter[0], explained.price
    side, block = explained.side, explained.block
    if block is None:
        raise LookupError("no block")
    far = block.low if side is Side.LONG else block.high
    yield Level("block", far - side * PARAMETERS.stop_block_atr * float(minute.atr))
    yield Level("ATR 1m", close - side * PARAMETERS.stop_atr_1m * float(minute.atr))
    yield Level("ATR 15m", close - side * PARAMETERS.stop_atr_15m * float(quarter.atr))
    yield Level("fees", close * (1 - side * PARAMETERS.stop_cost_multiple * PARAMETERS.round_trip_cost))


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
            kind=Kind.INTERNAL_POINT,
            side=1,
            label=30,
            known=35,
            bar=30,
            words="a high, and nobody knows yet\nthat it is a swing point",
            is_above=True,
        ),
        Remark(
            kind=Kind.INTERNAL_POINT,
            side=1,
            label=30,
            known=35,
            bar=35,
            words="known here: five candles\nstayed below it. It never moves.",
            is_above=True,
        ),
        Remark(
            kind=Kind.INTERNAL_POINT,
            side=-1,
            label=38,
            known=43,
            bar=43,
            words="the low is known here\nafter five higher lows",
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
            kind=Kind.BOS,
            side=1,
            label=24,
            known=39,
            bar=39,
            words="weak: closes beyond the high, but reaches\nonly {value:.1f} of what the filter asks",
            is_above=True,
        ),
        Remark(
            kind=Kind.MSB,
            side=1,
            label=41,
            known=50,
            bar=50,
            words="MSB: reaches {value:.1f} times\nwhat the filter asks",
            is_above=True,
        ),
        Remark(
            kind=Kind.CHOCH,
            side=-1,
            label=60,
            known=68,
            bar=68,
            words="CHoCH: the first break\nagainst the direction",
            is_above=False,
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
        Remark(
            kind=Kind.BLOCK,
            side=1,
            label=34,
            known=39,
            bar=34,
            words="1  the last candle down\nbefore the break",
            is_above=False,
        ),
        Remark(
            kind=Kind.BLOCK,
            side=1,
            label=34,
            known=39,
            bar=35,
            words="2  the next body is {value:.1f} times\nas large, the other way",
            is_above=True,
        ),
        Remark(
            kind=Kind.BLOCK,
            side=1,
            label=34,
            known=39,
            bar=39,
            words="3  five candles stay above its low,\nstructure is broken: known here",
            is_above=False,
        ),
        Remark(
            kind=Kind.BLOCK_RETESTED,
            side=1,
            label=34,
            known=56,
            bar=56,
            words="the first return:\nthe one that is traded",
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
        Remark(
            kind=Kind.SWEEP,
            side=1,
            label=45,
            known=70,
            bar=70,
            words="liquidity above the high is taken",
            is_above=True,
        ),
        Remark(
            kind=Kind.BREAKER,
            side=-1,
            label=34,
            known=83,
            bar=83,
            words="a close below the bullish block:\nit changes sides",
            is_above=False,
        ),
        Remark(
            kind=Kind.BLOCK_RETESTED,
            side=-1,
            label=34,
            known=91,
            bar=91,
            words="the first return\nfrom below",
            is_above=True,
        ),
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
            kind=Kind.POOL,
            side=-1,
            label=38,
            known=58,
            bar=58,
            words="the second of two equal lows is confirmed:\nstops of {value:.0f} lows rest in one pool",
            is_above=True,
        ),
        Remark(
            kind=Kind.SWEEP,
            side=-1,
            label=38,
            known=66,
            bar=66,
            words="sweep: a wick through,\na close back above",
            is_above=False,
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
            kind=Kind.GAP,
            side=1,
            label=25,
            known=26,
            bar=26,
            words="known with the third candle: its low stays\nabove the high of the first",
            is_above=True,
        ),
        Remark(
            kind=Kind.GAP_FILLED,
            side=1,
            label=25,
            known=41,
            bar=41,
            words="filled: traded\nall the way through",
            is_above=False,
        ),
        Remark(
            kind=Kind.GAP,
            side=1,
            label=44,
            known=45,
            bar=45,
            words="another one,\nstill open",
            is_above=True,
        ),
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
            kind=Kind.SWING_POINT,
            side=-1,
            label=19,
            known=39,
            bar=19,
            words="swing low, confirmed\n20 candles later",
            is_above=False,
        ),
        Remark(
            kind=Kind.SWING_POINT,
            side=1,
            label=42,
            known=62,
            bar=62,
            words="the high is confirmed here:\nthe range is known from now on",
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
        Remark(
            kind=Kind.MSB,
            side=1,
            label=246,
            known=259,
            bar=259,
            words="structure: the latest MSB\nis upwards",
            is_above=True,
        ),
        Remark(
            kind=Kind.BLOCK_RETESTED,
            side=1,
            label=254,
            known=294,
            bar=294,
            words="location: first return to the block,\nin the cheap half of the range\n"
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
            kind=Kind.BLOCK_RETESTED,
            side=1,
            label=254,
            known=294,
            bar=294,
            words="entry; the stop is the furthest\nof block, ATR 1m, ATR 15m and fees",
            is_above=False,
        ),
        Remark(
            kind=Kind.POOL,
            side=1,
            label=264,
            known=284,
            bar=264,
            words="room: the pool ahead must lie\nbeyond 1 R, the target before it",
            is_above=True,
        ),
    ),
)

RULES = (SWING_POINT, BREAKS, ORDER_BLOCK, BREAKER, SWEEP, GAP, PREMIUM, CANDIDATE, EXITS)


def _with_few_colours(png: bytes) -> bytes:
    """Halve the size of a picture that lies in the repository."""
    from PIL import Image

    smaller = BytesIO()
    with Image.open(BytesIO(png)) as picture:
        few = picture.convert("RGB").quantize(128, dither=Image.Dither.NONE)
        few.save(smaller, format="png", optimize=True)
    return smaller.getvalue()


def draw_rules(folder: Path, rules: Sequence[Rule] = RULES) -> list[Path]:
    """Write every picture and return where."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for rule in rules:
        path = folder / f"{rule.name}.png"
        path.write_bytes(_with_few_colours(draw_structure(picture_of(rule))))
        paths.append(path)
    return paths


if __name__ == "__main__":
    for written in draw_rules(Path(sys.argv[1])):
        sys.stdout.write(f"{written}\n")
