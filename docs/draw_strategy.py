"""``python docs/draw_strategy.py``: draw the pictures of docs/strategy.md from what the kernel says."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent))

from core.market import MINUTE_MS, QUARTER_MS  # noqa: E402 - a script finds its program first
from strategies.kernel.events import Kind  # noqa: E402
from strategies.kernel.market import MarketEvent, MarketKernel  # noqa: E402
from strategies.kernel.parameters import KernelParameters  # noqa: E402

START_MS = 1_900_000 * QUARTER_MS
QUIET = 20
SMALL = KernelParameters(internal_leg=2, swing_leg=3)
"""Short legs, so that a picture needs few candles. The strategy itself uses 5 and 20."""

Ohlc = tuple[float, float, float, float]
UP, DOWN, ZONE, INK, KNOWN = "#26a69a", "#ef5350", "#5c6bc0", "#37474f", "#ff9800"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A few candles and the kinds of events that their picture is about."""

    name: str
    title: str
    candles: Sequence[Ohlc]
    kinds: frozenset[Kind]


RALLY: tuple[Ohlc, ...] = (
    (100.0, 101.0, 100.0, 101.0),
    (101.0, 103.0, 101.0, 103.0),
    (103.0, 105.0, 102.9, 104.0),
    (104.0, 104.2, 102.0, 102.2),
    (102.2, 102.4, 101.0, 101.2),
    (101.2, 101.5, 100.2, 100.4),
    (100.4, 102.5, 100.4, 102.4),
    (102.4, 104.0, 102.3, 103.8),
    (103.8, 107.5, 103.7, 107.0),
    (107.0, 107.5, 106.0, 106.5),
    (106.5, 106.8, 105.5, 106.0),
    (106.0, 106.2, 103.0, 103.5),
)
RETEST: tuple[Ohlc, ...] = (
    (103.5, 103.6, 101.2, 101.8),
    (101.8, 103.0, 101.6, 102.9),
    (102.9, 104.5, 102.8, 104.4),
)
FALL: tuple[Ohlc, ...] = ((103.5, 103.6, 97.0, 98.5), (98.5, 99.0, 97.5, 98.0))
FAILURE: tuple[Ohlc, ...] = (
    (103.5, 104.0, 103.0, 103.5),
    (103.5, 108.0, 103.4, 106.0),
    (106.0, 106.1, 99.5, 99.8),
    (99.8, 100.6, 99.0, 99.3),
    (99.3, 99.4, 97.5, 97.8),
)
SWEEP: tuple[Ohlc, ...] = (
    (102.4, 106.0, 102.3, 103.4),
    (103.4, 103.6, 101.8, 102.0),
    (102.0, 102.2, 100.9, 101.0),
)
LEAP: tuple[Ohlc, ...] = (
    (100.0, 101.0, 99.9, 100.9),
    (100.9, 103.0, 100.4, 102.9),
    (102.9, 103.5, 102.0, 103.2),
    (103.2, 103.3, 101.5, 101.8),
    (101.8, 102.4, 101.6, 102.2),
    (102.2, 102.3, 100.8, 101.1),
)

POINTS = frozenset({Kind.INTERNAL_POINT})
BREAKS = frozenset({Kind.BOS, Kind.CHOCH, Kind.MSB})
LIFE = frozenset({Kind.BOS, Kind.BLOCK, Kind.BLOCK_RETESTED})
LIQUIDITY = frozenset({Kind.POOL, Kind.SWEEP})
FAILED = frozenset({Kind.BLOCK, Kind.BLOCK_BROKEN, Kind.BREAKER, Kind.SWEEP})
GAPS = frozenset({Kind.GAP, Kind.GAP_FILLED})

PICTURES = (
    Picture(name="swings", title="Swing points", candles=RALLY, kinds=POINTS),
    Picture(name="structure", title="BOS, MSB and a turn", candles=(*RALLY, *FALL), kinds=BREAKS),
    Picture(name="block", title="Order block and its return", candles=(*RALLY, *RETEST), kinds=LIFE),
    Picture(name="breaker", title="Breaker", candles=(*RALLY, *FAILURE), kinds=FAILED),
    Picture(name="liquidity", title="Pool and sweep", candles=(*RALLY[:7], *SWEEP), kinds=LIQUIDITY),
    Picture(name="gap", title="Fair value gap", candles=LEAP, kinds=GAPS),
)


def main() -> None:
    mpl.use("Agg")
    for picture in PICTURES:
        draw(picture, FOLDER / "pictures" / f"strategy-{picture.name}.png")


def events_of(picture: Picture) -> list[MarketEvent]:
    """Let the kernel read quiet candles with an ATR of 1, then the picture's."""
    kernel = MarketKernel(["PICTURE"], SMALL)
    events: list[MarketEvent] = []
    for minute, candle in enumerate([(100.0, 100.5, 99.5, 100.0)] * QUIET + list(picture.candles)):
        row = np.array([*candle, 1.0])[:, np.newaxis]
        kernel.step(START_MS + minute * MINUTE_MS, row, np.ones(1, dtype=np.bool_))
        events += kernel.events()
    wanted = [event for event in events if event.kind in picture.kinds and event.timeframe_ms == MINUTE_MS]
    return [event for event in wanted if place(event.label) >= 0]


def place(at_ms: int) -> int:
    return (at_ms - START_MS) // MINUTE_MS - QUIET


def draw(picture: Picture, path: Path) -> None:
    from matplotlib import pyplot as plt
    from matplotlib.ticker import MaxNLocator

    figure, axes = plt.subplots(figsize=(7.2, 3.4), dpi=110)
    draw_candles(axes, picture.candles)
    for event in events_of(picture):
        DRAWINGS[event.kind](axes, event)
    axes.set_title(picture.title, loc="left", color=INK)
    axes.set_xlabel("candle; orange marks when it is known")
    axes.set_xlim(-0.8, len(picture.candles) + 0.6)
    axes.use_sticky_edges = False
    axes.margins(y=0.12)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)


def draw_candles(axes: Any, candles: Sequence[Ohlc]) -> None:
    for at, (open_, high, low, close) in enumerate(candles):
        colour = UP if close >= open_ else DOWN
        axes.vlines(at, low, high, color=colour, linewidth=1)
        axes.bar(at, max(abs(close - open_), 0.04), bottom=min(open_, close), width=0.6, color=colour)


def draw_point(axes: Any, event: MarketEvent) -> None:
    label, known, offset = place(event.label), place(event.known), 0.35 * event.side
    axes.plot(label, event.high + offset, marker="v" if event.side > 0 else "^", color=INK)
    axes.annotate(
        "high" if event.side > 0 else "low",
        (label, event.high + 2 * offset),
        ha="center",
        va="bottom" if event.side > 0 else "top",
        color=INK,
    )
    axes.hlines(event.high, label, known, color=KNOWN, linestyle=":")
    axes.plot(known, event.high, marker="o", markersize=4, color=KNOWN)


def draw_break(axes: Any, event: MarketEvent) -> None:
    label, known = place(event.label), place(event.known)
    level = event.low if event.side > 0 else event.high
    axes.hlines(level, label, known, color=INK, linewidth=1)
    axes.plot(known, level, marker="o", markersize=4, color=KNOWN)
    strong = " (strong: MSB)" if event.value >= 1 else " (weak)"
    if event.kind is not Kind.MSB:
        name = "BOS" if event.kind is Kind.BOS else "CHoCH"
        axes.annotate(name + strong, ((label + known) / 2, level), ha="center", va="bottom", color=INK)


def draw_block(axes: Any, event: MarketEvent) -> None:
    label, known = place(event.label), place(event.known)
    axes.fill_between([label - 0.4, known + 4], event.low, event.high, color=ZONE, alpha=0.18, linewidth=0)
    axes.vlines(known, event.low, event.high, color=KNOWN, linestyle=":")
    axes.annotate("order block", (label - 0.4, event.low), va="top", color=ZONE)


def draw_breaker(axes: Any, event: MarketEvent) -> None:
    known = place(event.known)
    axes.fill_between([known, known + 2.5], event.low, event.high, color=DOWN, alpha=0.18, linewidth=0)
    axes.annotate("breaker", (known + 0.5, event.high), va="bottom", color=DOWN)


def draw_mark(text: str) -> Any:
    def mark(axes: Any, event: MarketEvent) -> None:
        known = place(event.known)
        axes.annotate(text, (known, event.low), ha="center", va="top", color=KNOWN, weight="bold")

    return mark


def draw_pool(axes: Any, event: MarketEvent) -> None:
    label, known = place(event.label), place(event.known)
    axes.hlines(event.low, label, known + 3, color=ZONE, linestyle="--", linewidth=1)
    axes.plot(known, event.low, marker="o", markersize=4, color=KNOWN)
    axes.annotate("pool", (label, event.low), va="bottom", ha="right", color=ZONE)


def draw_sweep(axes: Any, event: MarketEvent) -> None:
    known = place(event.known)
    tip = event.high + event.side * event.value
    axes.annotate("sweep", (known, tip), ha="center", va="bottom", color=KNOWN, weight="bold")


def draw_gap(axes: Any, event: MarketEvent) -> None:
    label, known = place(event.label), place(event.known)
    axes.fill_between([label, known + 3], event.low, event.high, color=ZONE, alpha=0.18, linewidth=0)
    axes.vlines(known, event.low, event.high, color=KNOWN, linestyle=":")
    axes.annotate("gap", (label + 0.1, event.high), va="top", color=ZONE)


DRAWINGS = {
    Kind.INTERNAL_POINT: draw_point,
    Kind.BOS: draw_break,
    Kind.CHOCH: draw_break,
    Kind.MSB: draw_break,
    Kind.BLOCK: draw_block,
    Kind.BLOCK_RETESTED: draw_mark("return"),
    Kind.BLOCK_BROKEN: draw_mark("broken"),
    Kind.BREAKER: draw_breaker,
    Kind.POOL: draw_pool,
    Kind.SWEEP: draw_sweep,
    Kind.GAP: draw_gap,
    Kind.GAP_FILLED: draw_mark("filled"),
}

if __name__ == "__main__":
    main()
