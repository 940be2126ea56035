"""The picture of structures: all the kernel knows, in any price range, with labels that can be read."""

import struct
import warnings
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from bot.canvas import blank_picture, set_scales
from bot.labels import Box, Labels
from bot.layout import UpColour
from bot.rule_pictures import PARAMETERS, told_of
from bot.rule_stories import CANDIDATE, START_MS
from bot.structure_chart import draw_structure
from bot.structures import BARS, Band, Break, Note, Plan, Point, Pool, Range, StructureChart
from core.market import MINUTE_MS, Field
from core.signals import Side
from services.chronicle import Chronicle
from strategies.ict_smc.explanation import explain
from strategies.kernel.events import Kind


@pytest.fixture(scope="module")
def told() -> Chronicle:
    return told_of(CANDIDATE.candles, quarters=CANDIDATE.quarters)


@pytest.fixture(scope="module")
def chart(told: Chronicle) -> StructureChart:
    sides = [explain(told.kernel, 0, side, PARAMETERS) for side in Side]
    return StructureChart.of(told, sides)


def crowded(chart: StructureChart) -> StructureChart:
    """Return a chart with more labels than there is room for, all at one place."""
    at = int(chart.open_times[-40])
    price = float(chart.candles[Field.CLOSE, -40])
    return replace(
        chart,
        breaks=tuple(Break("CHoCH MSB", 1, price, at, at + 9 * MINUTE_MS, 2.0) for _ in range(30)),
        bands=tuple(Band("OB", 1, price - 1, price, at, "fresh") for _ in range(16)),
        pools=tuple(Pool(-1, price, at, 2) for _ in range(16)),
    )


def size_of(png: bytes) -> tuple[int, int]:
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def test_it_is_a_png_of_the_promised_size(chart: StructureChart) -> None:
    png = draw_structure(chart)
    assert size_of(png) == (1280, 720)
    assert len(png) < 300_000
    assert draw_structure(chart) == png
    assert draw_structure(chart, up=UpColour.RED) != png


def test_it_shows_what_the_kernel_knows(told: Chronicle, chart: StructureChart) -> None:
    minute = told.kernel.minute[0]
    blocks = [band for band in chart.bands if band.is_block]
    assert [(band.low, band.high, band.state) for band in blocks] == [(100.3, 101.15, "touched")]
    assert len([pool for pool in chart.pools if pool.swept_at is None]) == minute.pools_open
    assert chart.swing_range is not None
    assert chart.swing_range.high == pytest.approx(105.68, abs=0.01)
    assert chart.ema_200_15m == pytest.approx(float(told.kernel.quarter[0].ema_200))
    assert chart.plan is not None
    assert chart.plan.stop < chart.plan.entry < chart.plan.target
    assert chart.note.startswith("LONG 8")
    assert chart.candles.shape == (5, BARS)


def test_a_strong_break_is_told_once(told: Chronicle, chart: StructureChart) -> None:
    strong = [each for each in told.events if each.kind is Kind.MSB and each.known >= chart.open_times[0]]
    assert [each.name for each in chart.breaks if each.strength >= 1] == ["BOS MSB"] * len(strong)


def test_a_point_of_both_scales_is_drawn_once(chart: StructureChart) -> None:
    places = [(point.at, point.side) for point in chart.points]
    assert len(places) == len(set(places))
    assert any(point.is_swing for point in chart.points)


@pytest.mark.parametrize("scale", [1e-10, 1e-4, 1e4])
def test_any_magnitude_of_price_can_be_drawn(chart: StructureChart, scale: float) -> None:
    assert chart.swing_range is not None
    assert chart.plan is not None
    swing, plan = chart.swing_range, chart.plan
    scaled = replace(
        chart,
        candles=chart.candles * scale,
        points=tuple(each._replace(price=each.price * scale) for each in chart.points),
        breaks=tuple(each._replace(price=each.price * scale) for each in chart.breaks),
        bands=tuple(each._replace(low=each.low * scale, high=each.high * scale) for each in chart.bands),
        pools=tuple(each._replace(price=each.price * scale, wick=each.wick * scale) for each in chart.pools),
        swing_range=Range(swing.low * scale, swing.high * scale, swing.since),
        ema_200_15m=1.0 * scale,
        plan=Plan(plan.side, plan.entry * scale, plan.stop * scale, plan.target * scale),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert size_of(draw_structure(scaled)) == (1280, 720)


def test_a_young_and_flat_market_can_be_drawn() -> None:
    flat = np.full((5, 3), 100.0)
    chart = StructureChart.of(told_of(flat))
    assert chart.swing_range is None
    assert chart.ema_200_15m is None
    assert size_of(draw_structure(chart)) == (1280, 720)


def test_without_candles_there_is_no_picture(chart: StructureChart) -> None:
    with pytest.raises(ValueError, match="no candles"):
        draw_structure(replace(chart, candles=np.full_like(chart.candles, np.nan)))


def test_a_crowded_picture_leaves_labels_out(chart: StructureChart) -> None:
    assert size_of(draw_structure(crowded(chart))) == (1280, 720)


def labels_on(chart: StructureChart) -> Labels:
    _, axes = blank_picture()
    set_scales(axes, chart.open_times, chart.price_range())
    return Labels(axes, chart.open_times, chart.candles)


def test_labels_never_overlap_nor_leave_the_plot(chart: StructureChart) -> None:
    labels = labels_on(chart)
    placed = 0
    for bar in range(0, BARS, 3):
        at, price = float(chart.open_times[bar]), float(chart.candles[Field.HIGH, bar])
        placed += labels.place("CHoCH weak", at, price, colour="white", is_above=True)
    assert 10 < placed <= len(labels.taken)
    assert not any(one.overlaps(other) for one, other in combinations(labels.taken, 2))
    assert all(box.is_within(labels.plot) for box in labels.taken)


def test_a_label_of_something_outside_the_plot_is_left_out(chart: StructureChart) -> None:
    labels = labels_on(chart)
    assert not labels.place("far", float(chart.open_times[5]), 1e6, colour="white", is_above=True)
    assert labels.taken == []


def test_notes_are_written_before_all_else(chart: StructureChart) -> None:
    at, price = int(chart.open_times[-30]), float(chart.candles[Field.HIGH, -30])
    noted = replace(chart, notes=(Note(at, price, "look here", is_above=True),))
    assert draw_structure(noted) != draw_structure(chart)


def test_boxes_that_only_touch_do_not_overlap() -> None:
    box = Box(0, 0, 10, 10)
    assert not box.overlaps(Box(10, 0, 20, 10))
    assert box.overlaps(Box(9, 9, 20, 20))
    assert Box(1, 1, 9, 9).is_within(box)
    assert not Box(1, 1, 11, 9).is_within(box)


def test_points_stay_where_the_kernel_put_them(told: Chronicle, chart: StructureChart) -> None:
    for point in chart.points:
        bar = (point.at - START_MS) // MINUTE_MS
        field = Field.HIGH if point.side > 0 else Field.LOW
        assert point == Point(point.at, float(told.candles[field, bar]), point.side, point.is_swing)
