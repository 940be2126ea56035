"""One trade as a picture: candles, the zone, entry, stop, target and exit, and what it brought in R.

Labels are ASCII only, because a fresh machine has no Chinese font; words in the reader's language belong
to the embed beside the picture. matplotlib is imported when the first chart is drawn, and only its Figure
objects are used: pyplot keeps global state, and charts are drawn in threads.
"""

from datetime import UTC, datetime
from io import BytesIO
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bot.layout import UpColour
from bot.trade_chart import TradeChart, price_decimals, signed, spread_out
from core.market import MINUTE_MS, Field
from core.signals import Side

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH, _HEIGHT, _DPI = 1280, 720, 100
_PLOT = (0.072, 0.075, 0.785, 0.83)  # left, bottom, width, height, as shares of the picture
_BACKGROUND, _PANEL, _GRID, _INK, _FAINT = "#131722", "#171b26", "#2a2e39", "#d1d4dc", "#868b98"
_GREEN, _RED, _ENTRY, _ZONE, _ZONE_INK = "#26a69a", "#ef5350", "#42a5f5", "#7e57c2", "#c5b3e6"
_LABEL_GAP = 0.084  # distance between the middles of two labels, as a share of the plot's height
_TICK_MINUTES = (5, 10, 15, 30, 60, 120, 240, 480, 1440, 2880, 10080)


class _Palette(NamedTuple):
    """The colours of rising and winning, and of falling and losing."""

    up: str
    down: str

    def of(self, value: float) -> str:
        return self.up if value >= 0 else self.down


class _Level(NamedTuple):
    """One labelled price: its line begins at ``since``; ``at`` is when something happened there."""

    name: str
    price: float
    colour: str
    since: int
    at: int | None = None


_PALETTES = {UpColour.GREEN: _Palette(_GREEN, _RED), UpColour.RED: _Palette(_RED, _GREEN)}


def draw_trade(chart: TradeChart, *, up: UpColour = UpColour.GREEN) -> bytes:
    """Return a PNG of 1280 × 720 pixels. Takes about 0.1 s: call it in a thread.

    Raises ``ValueError`` when there is no candle to draw.
    """
    if not np.isfinite(chart.candles[Field.CLOSE]).any():
        raise ValueError(f"no candles for {chart.title}")
    from matplotlib.figure import Figure

    palette = _PALETTES[up]
    figure = Figure(figsize=(_WIDTH / _DPI, _HEIGHT / _DPI), dpi=_DPI, facecolor=_BACKGROUND)
    axes = figure.add_axes(_PLOT, facecolor=_PANEL)
    _set_scales(axes, chart)
    _draw_zones(axes, chart)
    _draw_plan(axes, chart, palette=palette)
    _draw_candles(axes, chart, palette=palette)
    _draw_moments(axes, chart, palette=palette)
    _draw_labels(axes, chart, palette=palette)
    _draw_title(figure, chart, palette=palette)
    picture = BytesIO()
    figure.savefig(picture, format="png", facecolor=_BACKGROUND)
    return picture.getvalue()


# --- scales -----------------------------------------------------------------------------------------


def _set_scales(axes: "Axes", chart: TradeChart) -> None:
    low, high = chart.price_range()
    start, end = int(chart.open_times[0]), int(chart.open_times[-1]) + MINUTE_MS
    margin = max((end - start) // 100, MINUTE_MS)
    axes.set_xlim(start - margin, end + margin)
    axes.set_ylim(low, high)
    axes.grid(visible=True, color=_GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(colors=_FAINT, labelsize=10, length=0)
    decimals = max(0, price_decimals(low, high) - 1)
    axes.yaxis.set_major_formatter(lambda price, _: f"{price:,.{decimals}f}")
    ticks = _time_ticks(start, end)
    axes.set_xticks(ticks, [_time_label(tick, previous) for previous, tick in pairwise((0, *ticks))])
    for spine in axes.spines.values():
        spine.set_color(_GRID)


def _time_ticks(start: int, end: int) -> list[int]:
    """Return round moments, at most about ten of them."""
    minutes = (end - start) / MINUTE_MS
    step = next((each for each in _TICK_MINUTES if minutes / each <= 10), _TICK_MINUTES[-1]) * MINUTE_MS
    return list(range(-(-start // step) * step, end, step))


def _time_label(tick: int, previous: int) -> str:
    """Write the time, and under it the date where a new one begins."""
    moment, before = _moment(tick), _moment(previous)
    return f"{moment:%H:%M}\n{moment:%Y-%m-%d}" if moment.date() != before.date() else f"{moment:%H:%M}"


def _moment(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1000, tz=UTC)


# --- what is drawn ----------------------------------------------------------------------------------


def _draw_candles(axes: "Axes", chart: TradeChart, *, palette: _Palette) -> None:
    from matplotlib.collections import LineCollection, PolyCollection

    present = np.isfinite(chart.candles[Field.CLOSE])
    opened, high, low, close, _ = chart.candles[:, present]
    middle = chart.open_times[present] + MINUTE_MS / 2
    colours = np.where(close >= opened, palette.up, palette.down).tolist()
    wicks = np.stack([np.column_stack([middle, low]), np.column_stack([middle, high])], axis=1)
    left, right = middle - 0.38 * MINUTE_MS, middle + 0.38 * MINUTE_MS
    bottom, top = np.minimum(opened, close), np.maximum(opened, close)
    corners = ((left, bottom), (left, top), (right, top), (right, bottom))
    bodies = np.stack([np.column_stack(corner) for corner in corners], axis=1)
    axes.add_collection(LineCollection(list(wicks), colors=colours, linewidths=0.9, zorder=3))
    axes.add_collection(
        PolyCollection(list(bodies), facecolors=colours, edgecolors=colours, linewidths=0.7, zorder=4)
    )


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
            _ascii(zone.kind).replace("_", " "),
            xy=(left, zone.low if is_below else zone.high),
            xytext=(1, -4 if is_below else 4),
            textcoords="offset points",
            va="top" if is_below else "bottom",
            color=_ZONE_INK,
            fontsize=9,
            zorder=6,
            parse_math=False,
            bbox={"boxstyle": "round,pad=0.15", "facecolor": _PANEL, "edgecolor": "none", "alpha": 0.75},
        )


def _draw_plan(axes: "Axes", chart: TradeChart, *, palette: _Palette) -> None:
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


def _draw_moments(axes: "Axes", chart: TradeChart, *, palette: _Palette) -> None:
    """Mark the entry by an arrow head in its direction, the exit by a cross."""
    _mark(axes, chart.entered_at, chart.entry, shape="^" if chart.side is Side.LONG else "v", colour=_ENTRY)
    if chart.exit is not None:
        _mark(axes, chart.ended_at, chart.exit, shape="X", colour=palette.of(chart.in_r(chart.exit)))


def _mark(axes: "Axes", at: int, price: float, *, shape: str, colour: str) -> None:
    axes.scatter(
        [at], [price], s=140, marker=shape, color=colour, edgecolors="white", linewidths=1.2, zorder=7
    )


def _levels(chart: TradeChart, palette: _Palette) -> list[_Level]:
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


def _draw_labels(axes: "Axes", chart: TradeChart, *, palette: _Palette) -> None:
    """Write each level beside the plot, moved apart where two would overlap."""
    low, high = axes.get_ylim()
    levels = _levels(chart, palette)
    decimals = price_decimals(low, high) if chart.decimals is None else chart.decimals
    shares = [(level.price - low) / (high - low) for level in levels]
    heights = spread_out(shares, gap=_LABEL_GAP, low=_LABEL_GAP / 2, high=1 - _LABEL_GAP / 2)
    for level, share, height in zip(levels, shares, heights, strict=True):
        axes.annotate(
            _level_words(level, chart, decimals=decimals),
            xy=(1.0, share),
            xytext=(1.022, height),
            xycoords="axes fraction",
            textcoords="axes fraction",
            va="center",
            color="white",
            fontsize=10,
            annotation_clip=False,
            bbox={"boxstyle": "round,pad=0.25", "facecolor": level.colour, "edgecolor": "none", "alpha": 0.9},
            arrowprops={"arrowstyle": "-", "color": level.colour, "linewidth": 1.0, "relpos": (0.0, 0.5)},
        )


def _level_words(level: _Level, chart: TradeChart, *, decimals: int) -> str:
    distance = "" if level.name == "ENTRY" else f"{signed(chart.in_r(level.price))}R"
    moment = "" if level.at is None else f"{_moment(level.at):%H:%M}"
    below = "  ".join(part for part in (distance, moment) if part)
    return f"{level.name} {level.price:,.{decimals}f}\n{below}"


def _draw_title(figure: "Figure", chart: TradeChart, *, palette: _Palette) -> None:
    left, _, width, _ = _PLOT
    net = "" if chart.net_r is None else f"{signed(chart.net_r)}R net  "
    colour = _INK if chart.net_r is None else palette.of(chart.net_r)
    figure.text(
        left, 0.935, _ascii(chart.title), color=_INK, fontsize=17, fontweight="bold", parse_math=False
    )
    figure.text(
        left + width, 0.938, _ascii(net + chart.note), color=colour, fontsize=14, ha="right", parse_math=False
    )
    figure.text(0.985, 0.02, "1m candles, UTC", color=_FAINT, fontsize=10, ha="right")


def _ascii(words: str) -> str:
    return words.encode("ascii", "replace").decode()
