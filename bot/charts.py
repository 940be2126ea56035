"""One trade as a picture: candles, the zone, entry, stop, target and exit, and what it brought in R.

Words in the reader's language belong to the embed beside the picture; see ``canvas`` for why.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bot.canvas import (
    INK,
    PALETTES,
    PANEL,
    EdgeLabel,
    Palette,
    ascii_only,
    blank_picture,
    draw_candles,
    draw_edge_labels,
    draw_title,
    moment_of,
    png_of,
    set_scales,
)
from bot.layout import UpColour
from bot.trade_chart import TradeChart, price_decimals, signed
from core.market import MINUTE_MS, Field
from core.signals import Side

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ENTRY, _ZONE, _ZONE_INK = "#42a5f5", "#7e57c2", "#c5b3e6"


class _Level(NamedTuple):
    """One labelled price: its line begins at ``since``; ``at`` is when something happened there."""

    name: str
    price: float
    colour: str
    since: int
    at: int | None = None


def draw_trade(chart: TradeChart, *, up: UpColour = UpColour.GREEN) -> bytes:
    """Return a PNG of 1280 × 720 pixels. Takes about 0.1 s: call it in a thread.

    Raises ``ValueError`` when there is no candle to draw.
    """
    if not np.isfinite(chart.candles[Field.CLOSE]).any():
        raise ValueError(f"no candles for {chart.title}")
    palette = PALETTES[up]
    figure, axes = blank_picture()
    set_scales(axes, chart.open_times, chart.price_range())
    _draw_zones(axes, chart)
    _draw_plan(axes, chart, palette=palette)
    draw_candles(axes, chart.open_times, chart.candles, palette=palette)
    _draw_moments(axes, chart, palette=palette)
    _draw_labels(axes, chart, palette=palette)
    _draw_title(figure, chart, palette=palette)
    return png_of(figure)


# --- what is drawn ----------------------------------------------------------------------------------


def _draw_zones(axes: "Axes", chart: TradeChart) -> None:
    """Shade each zone from its own candle, or the picture's edge, to the entry."""
    start = axes.get_xlim()[0]
    is_below = chart.side is Side.LONG  # price comes back to a zone from the side of the trade
    for zone in chart.zones:
        left = max(zone.labelled_at, start)
        right = max(chart.entered_at, left + MINUTE_MS)
        axes.fill(
            [left, right, right, left], [zone.low, zone.low, zone.high, zone.high], color=_ZONE, alpha=0.3
        )
        axes.annotate(
            ascii_only(zone.kind).replace("_", " "),
            xy=(left, zone.low if is_below else zone.high),
            xytext=(1, -4 if is_below else 4),
            textcoords="offset points",
            va="top" if is_below else "bottom",
            color=_ZONE_INK,
            fontsize=9,
            zorder=6,
            parse_math=False,
            bbox={"boxstyle": "round,pad=0.15", "facecolor": PANEL, "edgecolor": "none", "alpha": 0.75},
        )


def _draw_plan(axes: "Axes", chart: TradeChart, *, palette: Palette) -> None:
    """Shade what was to be won and what was at risk while it was held, and rule the levels to the edge."""
    left, right = chart.entered_at, max(chart.ended_at, chart.entered_at + MINUTE_MS)
    for price, colour in ((chart.target, palette.up), (chart.stop, palette.down)):
        axes.fill(
            [left, right, right, left], [chart.entry, chart.entry, price, price], color=colour, alpha=0.13
        )
    for level in _levels(chart, palette):
        axes.hlines(
            level.price,
            level.since,
            axes.get_xlim()[1],
            colors=level.colour,
            linestyles="solid" if level.name == "EXIT" else "dashed",
            linewidth=1.0,
            zorder=2,
        )


def _draw_moments(axes: "Axes", chart: TradeChart, *, palette: Palette) -> None:
    """Mark the entry by an arrow head in its direction, the exit by a cross."""
    _mark(axes, chart.entered_at, chart.entry, shape="^" if chart.side is Side.LONG else "v", colour=_ENTRY)
    if chart.exit is not None:
        _mark(axes, chart.ended_at, chart.exit, shape="X", colour=palette.of(chart.in_r(chart.exit)))


def _mark(axes: "Axes", at: int, price: float, *, shape: str, colour: str) -> None:
    axes.scatter(
        [at], [price], s=140, marker=shape, color=colour, edgecolors="white", linewidths=1.2, zorder=7
    )


def _levels(chart: TradeChart, palette: Palette) -> list[_Level]:
    since = chart.entered_at
    levels = [
        _Level("TARGET", chart.target, palette.up, since),
        _Level("ENTRY", chart.entry, _ENTRY, since, at=since),
        _Level("STOP", chart.stop, palette.down, since),
    ]
    if chart.exit is not None:
        colour = palette.of(chart.in_r(chart.exit))
        levels.append(_Level("EXIT", chart.exit, colour, chart.ended_at, at=chart.ended_at))
    return levels


def _draw_labels(axes: "Axes", chart: TradeChart, *, palette: Palette) -> None:
    """Write each level beside the plot, moved apart where two would overlap."""
    low, high = axes.get_ylim()
    decimals = price_decimals(low, high) if chart.decimals is None else chart.decimals
    labels = [
        EdgeLabel(level.price, level.colour, _level_words(level, chart, decimals=decimals))
        for level in _levels(chart, palette)
    ]
    draw_edge_labels(axes, labels)


def _level_words(level: _Level, chart: TradeChart, *, decimals: int) -> str:
    distance = "" if level.name == "ENTRY" else f"{signed(chart.in_r(level.price))}R"
    moment = "" if level.at is None else f"{moment_of(level.at):%H:%M}"
    below = "  ".join(part for part in (distance, moment) if part)
    return f"{level.name} {level.price:,.{decimals}f}\n{below}"


def _draw_title(figure: "Figure", chart: TradeChart, *, palette: Palette) -> None:
    net = "" if chart.net_r is None else f"{signed(chart.net_r)}R net  "
    colour = INK if chart.net_r is None else palette.of(chart.net_r)
    draw_title(figure, chart.title, net + chart.note, colour=colour)
