"""What every picture of prices is drawn on: dark paper, scales, candles, and labels beside the plot.

Labels are ASCII only, because a fresh machine has no Chinese font. matplotlib is imported when the first
picture is drawn, and only its Figure objects are used: pyplot keeps global state, and pictures are drawn in
threads.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from io import BytesIO
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.layout import UpColour
from bot.trade_chart import price_decimals, spread_out
from core.market import MINUTE_MS, Field, Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT, DPI = 1280, 720, 100
PLOT = (0.072, 0.075, 0.785, 0.83)  # left, bottom, width, height, as shares of the picture
BACKGROUND, PANEL, GRID, INK, FAINT = "#131722", "#171b26", "#2a2e39", "#d1d4dc", "#868b98"
_GREEN, _RED = "#26a69a", "#ef5350"
_LABEL_GAP = 0.084  # distance between the middles of two labels of two lines, as a share of the plot's height
_TICK_MINUTES = (5, 10, 15, 30, 60, 120, 240, 480, 1440, 2880, 10080)


class Palette(NamedTuple):
    """The colours of rising and winning, and of falling and losing."""

    up: str
    down: str

    def of(self, value: float) -> str:
        return self.up if value >= 0 else self.down


class EdgeLabel(NamedTuple):
    """Words beside the plot, tied to a price."""

    price: float
    colour: str
    words: str


PALETTES = {UpColour.GREEN: Palette(_GREEN, _RED), UpColour.RED: Palette(_RED, _GREEN)}


def blank_picture() -> "tuple[Figure, Axes]":
    """Return a figure of 1280 × 720 pixels and the plot in it."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI, facecolor=BACKGROUND)
    return figure, figure.add_axes(PLOT, facecolor=PANEL)


def png_of(figure: "Figure") -> bytes:
    picture = BytesIO()
    figure.savefig(picture, format="png", facecolor=BACKGROUND, pil_kwargs={"optimize": True})
    return picture.getvalue()


def ascii_only(words: str) -> str:
    return words.encode("ascii", "replace").decode()


def moment_of(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1000, tz=UTC)


# --- scales -----------------------------------------------------------------------------------------


def set_scales(axes: "Axes", open_times: NDArray[np.int64], prices: tuple[float, float]) -> None:
    """Rule the plot for 1m candles and the lowest and highest price to show."""
    low, high = prices
    start, end = int(open_times[0]), int(open_times[-1]) + MINUTE_MS
    margin = max((end - start) // 100, MINUTE_MS)
    axes.set_xlim(start - margin, end + margin)
    axes.set_ylim(low, high)
    axes.grid(visible=True, color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(colors=FAINT, labelsize=10, length=0)
    decimals = max(0, price_decimals(low, high) - 1)
    axes.yaxis.set_major_formatter(lambda price, _: f"{price:,.{decimals}f}")
    ticks = _time_ticks(start, end)
    axes.set_xticks(ticks, [_time_label(tick, previous) for previous, tick in pairwise((0, *ticks))])
    for spine in axes.spines.values():
        spine.set_color(GRID)


def _time_ticks(start: int, end: int) -> list[int]:
    """Return round moments, at most about ten of them."""
    minutes = (end - start) / MINUTE_MS
    step = next((each for each in _TICK_MINUTES if minutes / each <= 10), _TICK_MINUTES[-1]) * MINUTE_MS
    return list(range(-(-start // step) * step, end, step))


def _time_label(tick: int, previous: int) -> str:
    """Write the time, and under it the date where a new one begins."""
    moment, before = moment_of(tick), moment_of(previous)
    return f"{moment:%H:%M}\n{moment:%Y-%m-%d}" if moment.date() != before.date() else f"{moment:%H:%M}"


# --- what is drawn ----------------------------------------------------------------------------------


def draw_candles(axes: "Axes", open_times: NDArray[np.int64], candles: Floats, *, palette: Palette) -> None:
    """Draw candles float64 [5, n]; those with NaN are left out."""
    from matplotlib.collections import LineCollection, PolyCollection

    present = np.isfinite(candles[Field.CLOSE])
    opened, high, low, close, _ = candles[:, present]
    middle = open_times[present] + MINUTE_MS / 2
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


def draw_edge_labels(
    axes: "Axes", labels: Sequence[EdgeLabel], *, gap: float = _LABEL_GAP, size: float = 10
) -> None:
    """Write each label beside the plot, moved apart where two would overlap.

    A price outside the plot is pointed to at the plot's edge.
    """
    low, high = axes.get_ylim()
    shares = [min(max((label.price - low) / (high - low), 0.0), 1.0) for label in labels]
    heights = spread_out(shares, gap=gap, low=gap / 2, high=1 - gap / 2)
    for label, share, height in zip(labels, shares, heights, strict=True):
        axes.annotate(
            label.words,
            xy=(1.0, share),
            xytext=(1.022, height),
            xycoords="axes fraction",
            textcoords="axes fraction",
            va="center",
            color="white",
            fontsize=size,
            annotation_clip=False,
            bbox={"boxstyle": "round,pad=0.25", "facecolor": label.colour, "edgecolor": "none", "alpha": 0.9},
            arrowprops={"arrowstyle": "-", "color": label.colour, "linewidth": 1.0, "relpos": (0.0, 0.5)},
        )


def draw_title(figure: "Figure", title: str, note: str, *, colour: str = INK) -> None:
    """Write the title left and a note right, above the plot."""
    left, _, width, _ = PLOT
    figure.text(left, 0.935, ascii_only(title), color=INK, fontsize=17, fontweight="bold", parse_math=False)
    figure.text(
        left + width, 0.938, ascii_only(note), color=colour, fontsize=14, ha="right", parse_math=False
    )
    figure.text(0.985, 0.02, "1m candles, UTC", color=FAINT, fontsize=10, ha="right")
