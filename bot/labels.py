"""Small labels inside a plot, each where it covers no other label and as little of the candles as can be."""

from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.canvas import PANEL
from core.market import MINUTE_MS, Field, Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.text import Text

_GAP = 4.0  # pixels between a label and what it is about
_PAD = 2.0  # pixels around the words that belong to the label
_FAR = 0.004  # what a pixel of distance costs, where covering a label's whole area with candles costs 1
_FAR_POINTING = 0.0005  # a line bridges the distance
_REACH, _SHIFTS = (0, 2, 4), (0.0, 0.5, -0.5, 0.9, -0.9)  # in half heights and in widths of the label
_REACH_POINTING, _SHIFTS_POINTING = tuple(range(12)), (*_SHIFTS, 0.25, -0.25, 0.7, -0.7, 1.2, -1.2, 1.6, -1.6)


class Box(NamedTuple):
    """A rectangle in pixels."""

    left: float
    bottom: float
    right: float
    top: float

    def overlaps(self, other: "Box") -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.bottom < other.top
            and other.bottom < self.top
        )

    def is_within(self, other: "Box") -> bool:
        return (
            other.left <= self.left
            and self.right <= other.right
            and other.bottom <= self.bottom
            and self.top <= other.top
        )


class Labels:
    """Remembers what is taken; scales of the plot must be set before, and not change after."""

    def __init__(self, axes: "Axes", open_times: NDArray[np.int64], candles: Floats) -> None:
        self._axes = axes
        self.taken: list[Box] = []
        corners = axes.transAxes.transform([(0.0, 0.0), (1.0, 1.0)]).ravel()
        self.plot = Box(*corners.tolist())
        self._candles = self._pixels(open_times, candles)
        self._renderer = _renderer(axes)

    def reserve(self, at: float, price: float, *, pixels: float) -> None:
        """Keep labels off a mark of this size."""
        x, y = self._axes.transData.transform((at, price)).tolist()
        half = pixels / 2
        self.taken.append(Box(x - half, y - half, x + half, y + half))

    def reserve_line(self, since: float, until: float, price: float) -> None:
        """Keep labels off a level."""
        (left, y), (right, _) = self._axes.transData.transform([(since, price), (until, price)]).tolist()
        self.taken.append(Box(left, y - 1, right, y + 1))

    def place(
        self,
        words: str,
        at: float,
        price: float,
        *,
        colour: str,
        is_above: bool,
        size: float = 9.0,
        pointing: bool = False,
    ) -> bool:
        """Write ``words`` near a point, above or below as wished where there is room.

        Returns false, and writes nothing, where there is none, or where the point is not in the plot.
        ``pointing`` ties it to the point by a line.
        """
        x, y = self._axes.transData.transform((at, price)).tolist()
        if not Box(x, y, x, y).is_within(self.plot):
            return False
        text = self._words(words, colour=colour, size=size)
        extent = text.get_window_extent(self._renderer)
        extents = (extent.width + 2 * _PAD, extent.height + 2 * _PAD)
        choices = self._choices(extents, (x, y), is_above=is_above, pointing=pointing)
        if not choices:
            text.remove()
            return False
        _, box = min(choices)
        self.taken.append(box)
        text.set_position(((box.left + box.right) / 2, (box.bottom + box.top) / 2))
        if pointing:
            self._point((x, y), box, colour=colour)
        return True

    def _choices(
        self,
        extents: tuple[float, float],
        point: tuple[float, float],
        *,
        is_above: bool,
        pointing: bool,
    ) -> list[tuple[float, Box]]:
        """Return the free places for a label of this width and height, each with what it costs."""
        width, height = extents
        gap = _GAP * (4 if pointing else 1)
        reach, shifts = (_REACH_POINTING, _SHIFTS_POINTING) if pointing else (_REACH, _SHIFTS)
        far = _FAR_POINTING if pointing else _FAR
        sides = (1, -1) if is_above else (-1, 1)
        choices = []
        for order, (side, step, shift) in enumerate(product(sides, reach, shifts)):
            middle = point[1] + side * (gap + height / 2 + step * height / 2)
            left = point[0] + shift * width - width / 2
            box = Box(left, middle - height / 2, left + width, middle + height / 2)
            if box.is_within(self.plot) and not any(map(box.overlaps, self.taken)):
                away = abs(shift) * width / 2 + step * height / 2 + (60 if side != sides[0] else 0)
                choices.append((self._covered(box) + far * away + 1e-9 * order, box))
        return choices

    def _covered(self, box: Box) -> float:
        """Return the share of the box that lies over candles."""
        left, bottom, right, top = self._candles
        wide = np.clip(np.minimum(right, box.right) - np.maximum(left, box.left), 0.0, None)
        high = np.clip(np.minimum(top, box.top) - np.maximum(bottom, box.bottom), 0.0, None)
        return float((wide * high).sum()) / ((box.right - box.left) * (box.top - box.bottom))

    def _pixels(self, open_times: NDArray[np.int64], candles: Floats) -> Floats:
        """Return the rectangles that candles fill, wicks included: [4, n] as in ``Box``."""
        present = np.isfinite(candles[Field.CLOSE])
        times, lows, highs = open_times[present], candles[Field.LOW, present], candles[Field.HIGH, present]
        lower = self._axes.transData.transform(np.column_stack([times, lows]))
        upper = self._axes.transData.transform(np.column_stack([times + MINUTE_MS, highs]))
        boxes: Floats = np.vstack([lower.T, upper.T])
        return boxes

    def _words(self, words: str, *, colour: str, size: float) -> "Text":
        return self._axes.text(
            0.0,
            0.0,
            words,
            transform=None,
            ha="center",
            va="center",
            color=colour,
            fontsize=size,
            zorder=8,
            parse_math=False,
            bbox={"boxstyle": "square,pad=0.1", "facecolor": PANEL, "edgecolor": "none", "alpha": 0.72},
        )

    def _point(self, point: tuple[float, float], box: Box, *, colour: str) -> None:
        from matplotlib.lines import Line2D

        end_x = min(max(point[0], box.left), box.right)
        end_y = box.bottom if box.bottom > point[1] else box.top
        self._axes.add_artist(
            Line2D(
                [point[0], end_x], [point[1], end_y], color=colour, linewidth=0.9, transform=None, zorder=6
            )
        )


def _renderer(axes: "Axes") -> "RendererAgg":
    """Return what measures words in the picture's own resolution."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = axes.figure
    if not isinstance(figure, Figure):
        raise TypeError("labels are for a picture of its own")
    canvas: Any = FigureCanvasAgg(figure)  # matplotlib has not typed get_renderer
    renderer: RendererAgg = canvas.get_renderer()
    return renderer
