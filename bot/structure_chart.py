"""Market structure as a picture: candles, swing points, breaks, zones, liquidity and the swing range."""

from typing import TYPE_CHECKING

import numpy as np

from bot.canvas import (
    FAINT,
    INK,
    PALETTES,
    EdgeLabel,
    Palette,
    blank_picture,
    draw_candles,
    draw_edge_labels,
    draw_title,
    png_of,
    set_scales,
)
from bot.labels import Labels
from bot.layout import UpColour
from bot.structures import Band, Break, Plan, Pool, StructureChart
from bot.trade_chart import price_decimals
from core.market import MINUTE_MS, Field

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_GAP, _POOL, _EMA, _RANGE, _ENTRY, _LEVEL = (
    "#b39ddb",
    "#ffb74d",
    "#f06292",
    "#546e7a",
    "#42a5f5",
    "#8d6e63",
)
_BULLISH, _BEARISH = "#4db6ac", "#e57373"
_HALF = MINUTE_MS // 2
_EDGE_GAP = 0.05
_LEGEND = (
    "triangles: swing points, filled n=20, hollow n=5    OB order block    FVG fair value gap"
    "    BSL/SSL liquidity above/below    EMA200 of 15m"
)


def draw_structure(chart: StructureChart, *, up: UpColour = UpColour.GREEN) -> bytes:
    """Return a PNG of 1280 × 720 pixels. Takes about 0.2 s: call it in a thread.

    Raises ``ValueError`` when there is no candle to draw.
    """
    if not np.isfinite(chart.candles[Field.CLOSE]).any():
        raise ValueError(f"no candles for {chart.title}")
    palette = PALETTES[up]
    figure, axes = blank_picture()
    set_scales(axes, chart.open_times, chart.price_range())
    labels = Labels(axes, chart.open_times, chart.candles)
    _draw_range(axes, chart)
    _draw_bands(axes, chart)
    draw_candles(axes, chart.open_times, chart.candles, palette=palette)
    _draw_pools(axes, chart)
    _draw_breaks(axes, chart, labels)
    _draw_points(axes, chart, labels)
    _draw_levels(axes, chart)
    _draw_plan(axes, chart, labels, palette=palette)
    _write_labels(labels, chart)
    draw_edge_labels(axes, _edge_labels(axes, chart, palette), gap=_EDGE_GAP, size=9)
    _write_frame(figure, chart)
    return png_of(figure)


def _colour(side: int) -> str:
    return _BULLISH if side > 0 else _BEARISH


# --- shapes -----------------------------------------------------------------------------------------


def _draw_range(axes: "Axes", chart: StructureChart) -> None:
    """Tint the dear half of the swing range and the cheap one."""
    swing, (start, end) = chart.swing_range, axes.get_xlim()
    if swing is None:
        return
    left = max(swing.since + _HALF, start)
    for side, low, high in ((-1, swing.middle, swing.high), (1, swing.low, swing.middle)):
        axes.fill([left, end, end, left], [low, low, high, high], color=_colour(side), alpha=0.06, zorder=0.5)
    axes.hlines([swing.low, swing.high], left, end, colors=_RANGE, linewidth=0.9, zorder=1)
    axes.hlines(swing.middle, left, end, colors=_RANGE, linestyles="dashed", linewidth=0.9, zorder=1)


def _draw_bands(axes: "Axes", chart: StructureChart) -> None:
    start, end = axes.get_xlim()
    for band in chart.bands:
        left = max(band.since, start)
        right = end if band.until is None else band.until + MINUTE_MS
        colour = _colour(band.side) if band.is_block else _GAP
        axes.fill(
            [left, right, right, left],
            [band.low, band.low, band.high, band.high],
            facecolor=colour,
            edgecolor=colour,
            linewidth=0.9,
            linestyle="dashed" if band.name == "breaker" else "solid",
            alpha=0.28 if band.is_block else 0.12,
            zorder=1.5,
        )


def _draw_pools(axes: "Axes", chart: StructureChart) -> None:
    """Rule live pools to the edge, swept ones to their sweep, which a cross marks."""
    start, end = axes.get_xlim()
    for pool in chart.pools:
        right = end if pool.swept_at is None else pool.swept_at + _HALF
        left = max(pool.since + _HALF, start)
        axes.hlines(pool.price, left, right, colors=_POOL, linestyles="dotted", linewidth=1.3, zorder=2)
        if pool.swept_at is not None:
            axes.scatter([right], [pool.wick], s=55, marker="x", color=_POOL, linewidths=1.8, zorder=6)


def _draw_breaks(axes: "Axes", chart: StructureChart, labels: Labels) -> None:
    start = axes.get_xlim()[0]
    for each in chart.breaks:
        labels.reserve_line(max(each.since + _HALF, start), each.at + _HALF, each.price)
        axes.hlines(
            each.price,
            max(each.since + _HALF, start),
            each.at + _HALF,
            colors=_colour(each.side),
            linestyles="solid" if each.strength >= 1.0 else "dashed",
            linewidth=1.3,
            zorder=5,
        )


def _draw_points(axes: "Axes", chart: StructureChart, labels: Labels) -> None:
    """Triangles point at the extreme from outside; the larger scale's are filled."""
    bottom, top = axes.get_ylim()
    for point in chart.points:
        size = 60 if point.is_swing else 22
        away = (0.018 if point.is_swing else 0.012) * (top - bottom)
        at, price = point.at + _HALF, point.price + point.side * away
        labels.reserve(at, price, pixels=16 if point.is_swing else 11)
        axes.scatter(
            [at],
            [price],
            s=size,
            marker="v" if point.side > 0 else "^",
            facecolors=INK if point.is_swing else "none",
            edgecolors=INK,
            linewidths=0.9,
            zorder=6,
        )


def _draw_levels(axes: "Axes", chart: StructureChart) -> None:
    start, end = axes.get_xlim()
    for level in chart.levels:
        axes.hlines(level.price, start, end, colors=_LEVEL, linestyles="dashed", linewidth=1.0, zorder=2)


def _draw_plan(axes: "Axes", chart: StructureChart, labels: Labels, *, palette: Palette) -> None:
    if chart.plan is None:
        return
    start, end = int(chart.open_times[-12:][0]), axes.get_xlim()[1]
    for _, price, colour in _planned(chart.plan, palette):
        labels.reserve_line(start, end, price)
        axes.hlines(price, start, end, colors=colour, linewidth=1.6, zorder=6)


def _planned(plan: Plan, palette: Palette) -> list[tuple[str, float, str]]:
    return [
        ("TARGET", plan.target, palette.up),
        ("ENTRY", plan.entry, _ENTRY),
        ("STOP", plan.stop, palette.down),
    ]


# --- words ------------------------------------------------------------------------------------------


def _write_labels(labels: Labels, chart: StructureChart) -> None:
    """The more important first: where there is no room left, a label is left out."""
    for note in chart.notes:
        labels.place(
            note.words,
            note.at + _HALF,
            note.price,
            colour=INK,
            is_above=note.is_above,
            size=11,
            pointing=True,
        )
    for each in sorted(chart.breaks, key=lambda each: -each.strength):
        _write_break(labels, each, chart)
    for band in chart.bands:
        _write_band(labels, band, chart)
    for pool in chart.pools:
        _write_pool(labels, pool, chart)


def _write_break(labels: Labels, each: Break, chart: StructureChart) -> None:
    start = max(each.since, int(chart.open_times[0]))
    labels.place(
        each.name,
        (start + each.at + MINUTE_MS) / 2,
        each.price,
        colour=_colour(each.side),
        is_above=each.side > 0,
    )


def _write_band(labels: Labels, band: Band, chart: StructureChart) -> None:
    words = f"{band.name}{'+' if band.side > 0 else '-'} {band.state}".strip()
    start = max(band.since, int(chart.open_times[0]))
    low, high = chart.price_range()
    edge = min(max(band.low if band.side > 0 else band.high, low), high)
    indent = len(words) * 0.5 * _minutes_a_character(chart) * MINUTE_MS
    labels.place(
        words,
        start + indent,
        edge,
        colour=_colour(band.side) if band.is_block else _GAP,
        is_above=band.side < 0,
    )


def _minutes_a_character(chart: StructureChart) -> float:
    return len(chart.open_times) / 120


def _write_pool(labels: Labels, pool: Pool, chart: StructureChart) -> None:
    name = "BSL" if pool.side > 0 else "SSL"
    if pool.swept_at is not None:
        labels.place(f"{name} swept", pool.swept_at + _HALF, pool.wick, colour=_POOL, is_above=pool.side > 0)
        return
    words = f"{name} x{pool.points}" if pool.points > 1 else name
    start = max(pool.since, int(chart.open_times[0]))
    labels.place(
        words, (start + int(chart.open_times[-1])) / 2, pool.price, colour=_POOL, is_above=pool.side > 0
    )


def _edge_labels(axes: "Axes", chart: StructureChart, palette: Palette) -> list[EdgeLabel]:
    low, high = axes.get_ylim()
    decimals = price_decimals(low, high)
    found: list[tuple[str, float, str]] = []
    if chart.plan is not None:
        found += _planned(chart.plan, palette)
    found += [(level.name, level.price, _LEVEL) for level in chart.levels]
    if chart.swing_range is not None:
        found += [
            ("premium", chart.swing_range.high, _RANGE),
            ("50%", chart.swing_range.middle, _RANGE),
            ("discount", chart.swing_range.low, _RANGE),
        ]
    if chart.ema_200_15m is not None:
        found.append(("EMA200", chart.ema_200_15m, _EMA))
    return [EdgeLabel(price, colour, f"{name} {price:,.{decimals}f}") for name, price, colour in found]


def _write_frame(figure: "Figure", chart: StructureChart) -> None:
    draw_title(figure, chart.title, chart.note)
    if not chart.notes:
        figure.text(0.072, 0.006, _LEGEND, color=FAINT, fontsize=9, parse_math=False)
