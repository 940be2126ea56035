"""The picture of a trade: right size, readable labels, any price, any thread."""

import struct
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.charts import draw_trade
from bot.layout import UpColour
from bot.trade_chart import TradeChart, price_decimals, signed, spread_out
from core.market import MINUTE_MS, Floats
from core.positions import ExitReason
from core.signals import Side, Zone
from tests.builders import T0, closed_position, position

START = T0 - 30 * MINUTE_MS


def walk(bars: int = 120, *, price: float = 100.0, seed: int = 7) -> Floats:
    """Make a seeded random walk of candles."""
    steps = np.random.default_rng(seed).normal(0, price * 0.001, (bars, 4)).cumsum().reshape(bars, 4) + price
    highs, lows = steps.max(axis=1), steps.min(axis=1)
    return np.stack([steps[:, 0], highs, lows, steps[:, 3], np.ones(bars)])


def chart(**changes: object) -> TradeChart:
    times = START + MINUTE_MS * np.arange(120)
    drawn = TradeChart.of(closed_position(costs="1.5"), candles=walk(), open_times=times)
    return replace(drawn, **changes)  # type: ignore[arg-type]


def size_of(png: bytes) -> tuple[int, int]:
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def test_a_chart_is_a_png_of_the_promised_size() -> None:
    png = draw_trade(chart())
    assert size_of(png) == (1280, 720)
    assert len(png) < 500_000


def test_the_same_trade_gives_the_same_picture_in_any_thread() -> None:
    with ThreadPoolExecutor(2) as pool:
        pictures = set(pool.map(draw_trade, [chart()] * 4))
    assert len(pictures) == 1


def test_colours_follow_the_readers_convention() -> None:
    assert draw_trade(chart(), up=UpColour.GREEN) != draw_trade(chart(), up=UpColour.RED)


@pytest.mark.parametrize("price", [1e-8, 0.0123, 1.0, 104_000.0, 1e6])
def test_any_magnitude_of_price_can_be_drawn(price: float) -> None:
    levels = {"entry": price, "stop": price * 0.99, "target": price * 1.02, "exit": price * 1.01}
    assert draw_trade(chart(candles=walk(price=price), **levels))


def test_titles_that_no_font_or_formula_knows_are_harmless() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        zone = Zone(kind="塊$x$", low=99.8, high=100.1, labelled_at=START, known_at=T0)
        assert draw_trade(chart(title="幣安人生USDT $\\frac$", note="$", zones=(zone,)))


def test_gaps_flat_prices_and_single_candles_are_drawn() -> None:
    gapped = walk()
    gapped[:, 20:40] = np.nan
    assert draw_trade(chart(candles=gapped))
    levels = dict.fromkeys(("entry", "stop", "target", "exit"), 100.0)
    assert draw_trade(chart(candles=np.full((5, 120), 100.0), **levels))
    assert draw_trade(chart(candles=walk(1), open_times=np.array([T0])))


def test_an_open_position_has_no_exit_and_no_result() -> None:
    times = START + MINUTE_MS * np.arange(120)
    drawn = TradeChart.of(position(), candles=walk(), open_times=times)
    assert drawn.exit is None
    assert drawn.net_r is None
    assert drawn.note == "open"
    assert draw_trade(drawn)


def test_without_candles_there_is_no_picture() -> None:
    with pytest.raises(ValueError, match="no candles"):
        draw_trade(chart(candles=np.full((5, 120), np.nan)))


def test_the_numbers_of_a_chart_are_the_positions_own() -> None:
    drawn = chart()
    assert (drawn.entry, drawn.stop, drawn.target, drawn.exit) == (100.0, 99.0, 101.0, 101.0)
    assert drawn.net_r == pytest.approx(0.85)
    assert drawn.note == "+8.50 USDT  target"
    assert drawn.in_r(98.5) == pytest.approx(-1.5)
    short = replace(drawn, side=Side.SHORT, stop=102.0, risk_a_unit=None)
    assert short.in_r(98.5) == pytest.approx(0.75)


def test_an_entry_that_slipped_to_its_stop_is_still_measured_by_its_plan() -> None:
    slipped = closed_position(reason=ExitReason.SLIPPED_ENTRY)
    fills = (replace(slipped.fills[0], price=slipped.plan.stop), slipped.fills[1])
    times = START + MINUTE_MS * np.arange(120)
    drawn = TradeChart.of(replace(slipped, fills=fills), candles=walk(), open_times=times)
    assert drawn.in_r(float(slipped.plan.entry)) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("low", "high", "decimals"),
    [(94_000, 95_400, 0), (99.0, 101.0, 3), (0.28, 0.30, 5), (1.00e-8, 1.02e-8, 13), (100, 100, 3)],
)
def test_prices_have_the_decimals_that_tell_them_apart(low: float, high: float, decimals: int) -> None:
    assert price_decimals(low, high) == min(decimals, 12)


@pytest.mark.parametrize(
    ("value", "written"), [(1.5, "+1.50"), (-1234.5, "-1,234.50"), (0.001, "0.00"), (-0.001, "0.00")]
)
def test_signs_are_written_and_zero_has_none(value: float, written: str) -> None:
    assert signed(value) == written


@given(st.lists(st.floats(0, 1), max_size=6))
def test_labels_keep_their_order_and_never_overlap_nor_leave_the_picture(wanted: list[float]) -> None:
    placed = spread_out(wanted, gap=0.1, low=0.0, high=1.0)
    assert all(-1e-9 <= height <= 1 + 1e-9 for height in placed)
    ordered = sorted(range(len(wanted)), key=lambda index: (wanted[index], index))
    heights = [placed[index] for index in ordered]
    assert all(above - below >= 0.1 - 1e-9 for below, above in pairwise(heights))
