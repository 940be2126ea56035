"""``python -m bot.rule_pictures FOLDER``: one picture a rule, from what the kernel says of made-up candles.

A picture whose rule the kernel no longer keeps can not be drawn: every note hangs on an event, and a
missing event is a ``LookupError``.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np

from bot.rule_stories import RULES, START_MS, SYMBOL, Remark, Rule
from bot.structure_chart import draw_structure
from bot.structures import Band, Level, Note, Plan, StructureChart
from core.market import MINUTE_MS, CandleHistory, Field, Floats
from core.signals import Side
from services.chronicle import Chronicle, chronicle
from strategies.ict_smc import IctSmcParameters
from strategies.ict_smc.explanation import Explanation, explain
from strategies.kernel.events import Kind
from strategies.kernel.market import MarketEvent

PARAMETERS = IctSmcParameters()


def told_of(candles: Floats, *, quarters: CandleHistory | None = None) -> Chronicle:
    times = START_MS + MINUTE_MS * np.arange(candles.shape[1])
    return chronicle(SYMBOL, times, candles, quarters=quarters)


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
    wanted = remark.claim
    for event in told.events:
        bars = ((at - START_MS) // MINUTE_MS for at in (event.label, event.known))
        if event.timeframe_ms == MINUTE_MS and (event.kind, event.side, *bars) == wanted:
            return event
    raise LookupError(f"the kernel does not say {wanted.kind.name} {wanted[1:]}")


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
