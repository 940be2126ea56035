"""Candles in: gaps, damage, overlapping histories, listings; and markets at the edge of arithmetic."""

import numpy as np
import pytest

from core.market import MINUTE_MS, QUARTER_MS, Floats
from strategies.ict_smc import IctSmc
from strategies.kernel.market import MarketKernel
from strategies.kernel.parameters import KernelParameters
from tests.unit.strategies.markets import START_MS, new_kernel, play, random_walk

YOUNG = KernelParameters(min_bars_1m=60, min_bars_15m=4)


def quarters_of(rows: Floats) -> Floats:
    """Join minutes [15 n, 5, 1] into 15m candles [5, n]."""
    parts = rows[:, :, 0].reshape(-1, 15, 5)
    columns = (
        parts[:, 0, 0],
        parts[:, :, 1].max(1),
        parts[:, :, 2].min(1),
        parts[:, -1, 3],
        parts[:, :, 4].sum(1),
    )
    return np.stack(columns)


def times(count: int, step_ms: int, *, first: int = 0) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    return START_MS + (first + np.arange(count)) * step_ms


def test_overlapping_histories_count_no_bar_twice() -> None:
    rows = random_walk(1, minutes=900)
    lived, warmed = new_kernel(1, YOUNG), new_kernel(1, YOUNG)
    play(rows, kernel=lived)
    warmed.warm_up_15m(0, quarters_of(rows[:750]), times(50, QUARTER_MS))
    warmed.warm_up_1m(0, rows[437:, :, 0].T, times(463, MINUTE_MS, first=437))
    assert warmed.quarter.bars[0] == lived.quarter.bars[0] == 60
    assert warmed.quarter.ema_200[0] == pytest.approx(lived.quarter.ema_200[0], rel=1e-12)
    assert warmed.is_ready(0)


def test_a_fifteen_minute_candle_counts_from_its_close_on() -> None:
    kernel = new_kernel(1, YOUNG)
    rows = random_walk(2, minutes=15)
    play(rows[:14], kernel=kernel)
    assert kernel.quarter.bars[0] == 0
    kernel.step(START_MS + 14 * MINUTE_MS, rows[14], np.ones(1, dtype=np.bool_))
    assert kernel.quarter.bars[0] == 1


def test_a_quarter_joined_half_way_never_counts() -> None:
    kernel = new_kernel(1, YOUNG)
    kernel.warm_up_1m(0, random_walk(3, minutes=60)[:, :, 0].T, times(60, MINUTE_MS, first=7))
    assert kernel.quarter.bars[0] == 3


@pytest.mark.parametrize(
    "damaged",
    [
        [np.nan, np.nan, np.nan, np.nan, np.nan],
        [100.0, 99.0, 98.0, 98.5, 1.0],
        [0.0, 1.0, 0.0, 1.0, 1.0],
        [100.0, np.inf, 99.0, 100.0, 1.0],
        [100.0, 101.0, 99.0, 100.0, -1.0],
        [np.nan, 101.0, 99.0, 100.0, 1.0],
    ],
)
def test_an_impossible_candle_makes_the_symbol_unready_until_history_heals_it(
    damaged: list[float],
) -> None:
    rows = random_walk(4, minutes=100)
    kernel, other = new_kernel(1, YOUNG), new_kernel(1, YOUNG)
    broken = rows.copy()
    broken[90, :, 0] = damaged
    for minute, row in enumerate(broken):
        kernel.step(START_MS + minute * MINUTE_MS, row, np.ones(1, dtype=np.bool_))
    assert not kernel.is_ready(0)
    assert kernel.minute.close[0] == rows[89, 3, 0]

    kernel.warm_up_1m(0, rows[90:, :, 0].T, times(10, MINUTE_MS, first=90))
    play(rows, kernel=other)
    assert kernel.is_ready(0)
    assert kernel.snapshot() == other.snapshot()


def test_a_missing_minute_makes_only_its_symbol_unready() -> None:
    rows = random_walk(5, minutes=100, symbols=3)
    rows[70, :, 1] = np.nan
    kernel, whole = new_kernel(3, YOUNG), new_kernel(2, YOUNG)
    play(rows, kernel=kernel)
    play(rows[:, :, [0, 2]], kernel=whole)
    assert list(kernel.ready()) == [True, False, True]
    assert np.array_equal(kernel.minute[[0, 2]], whole.minute)


def test_a_symbol_whose_last_candle_is_late_is_not_ready() -> None:
    rows = random_walk(6, minutes=100, symbols=2)
    rows[99, :, 0] = np.nan
    kernel = new_kernel(2, YOUNG)
    play(rows, kernel=kernel)
    assert list(kernel.ready()) == [False, True]
    assert not IctSmc().candidates(kernel, START_MS + 99 * MINUTE_MS)


def test_history_behind_a_hole_starts_the_chart_anew() -> None:
    kernel = new_kernel(1, YOUNG)
    rows = random_walk(7, minutes=200)
    kernel.warm_up_1m(0, rows[:50, :, 0].T, times(50, MINUTE_MS))
    kernel.warm_up_1m(0, rows[80:, :, 0].T, times(120, MINUTE_MS, first=80))
    assert kernel.minute.bars[0] == 120


def test_only_the_unbroken_end_of_a_history_counts() -> None:
    kernel = new_kernel(1, YOUNG)
    rows = random_walk(8, minutes=200)[:, :, 0]
    rows[99] = np.nan
    kernel.warm_up_1m(0, rows.T, times(200, MINUTE_MS))
    assert kernel.minute.bars[0] == 100


def test_old_and_repeated_candles_are_passed_over() -> None:
    rows = random_walk(9, minutes=100)
    kernel, once = new_kernel(1, YOUNG), new_kernel(1, YOUNG)
    play(rows, kernel=once)
    play(rows, kernel=kernel)
    kernel.warm_up_1m(0, rows[:60, :, 0].T, times(60, MINUTE_MS))
    assert kernel.snapshot() == once.snapshot()


def test_a_new_universe_keeps_who_stays_blanks_who_is_new_and_forgets_who_left() -> None:
    rows = random_walk(10, minutes=200, symbols=3)
    kernel = MarketKernel(["A", "B", "C"], YOUNG)
    play(rows, kernel=kernel)
    kept = kernel.minute[2].copy()
    kernel.arrange(["C", "D", "A"])
    assert kernel.minute[0] == kept
    assert list(kernel.minute.bars) == [200, 0, 200]
    kernel.step(START_MS + 200 * MINUTE_MS, rows[0][:, [0, 1, 2]], np.ones(3, dtype=np.bool_))
    assert list(kernel.minute.bars) == [201, 1, 201]


def test_a_forgotten_symbol_is_as_new() -> None:
    rows = random_walk(11, minutes=100, symbols=2)
    kernel, fresh = new_kernel(2, YOUNG), new_kernel(1, YOUNG)
    play(rows, kernel=kernel)
    kernel.clear(1)
    kernel.warm_up_1m(1, rows[:, :, 1].T, times(100, MINUTE_MS))
    play(rows[:, :, [1]], kernel=fresh)
    assert kernel.minute[1] == fresh.minute[0]


def test_arrays_of_any_kind_will_do() -> None:
    rows = random_walk(12, minutes=80, symbols=2)
    plain, odd = new_kernel(2, YOUNG), new_kernel(2, YOUNG)
    play(rows, kernel=plain)
    strange = np.asfortranarray(rows)
    strange.setflags(write=False)
    play(strange, kernel=odd)
    assert plain.snapshot() == odd.snapshot()


@pytest.mark.parametrize("shape", [(4, 2), (5, 3)])
def test_a_row_that_does_not_fit_is_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        new_kernel(2).step(START_MS, np.ones(shape), np.ones(2, dtype=np.bool_))


def test_a_reading_says_what_a_monitor_needs() -> None:
    rows = random_walk(13, minutes=400)
    kernel = new_kernel(1, YOUNG)
    assert not kernel.reading(0).ready
    play(rows, kernel=kernel)
    reading = kernel.reading(0)
    assert reading.ready
    assert reading.close == rows[-1, 3, 0]
    assert reading.trend in {-1, 0, 1}
    assert reading.msb_at == (int(kernel.minute.msb_at[0]) + 1) * MINUTE_MS


@pytest.mark.parametrize("scale", [1e-10, 1e4])
def test_structure_does_not_depend_on_the_price_level(scale: float) -> None:
    rows = random_walk(14, minutes=1000)
    scaled = rows.copy()
    scaled[:, :4] *= scale  # prices around 1e-8 and 1e6
    named = [(event.kind, event.side, event.label, event.known) for event in play(rows)]
    assert [(event.kind, event.side, event.label, event.known) for event in play(scaled)] == named


@pytest.mark.parametrize(
    "candle",
    [(100.0, 100.0, 100.0, 100.0, 0.0), (100.0, 101.0, 99.0, 100.0, 0.0), (1e-8, 1e-8, 1e-8, 1e-8, 0.0)],
)
def test_a_dead_market_says_nothing_and_stays_finite(candle: tuple[float, ...]) -> None:
    kernel = new_kernel(1, YOUNG)
    rows = np.tile(np.array(candle)[np.newaxis, :, np.newaxis], (500, 1, 1))
    assert play(rows, kernel=kernel) == []
    numbers = [kernel.minute[0][name] for name in kernel.minute.dtype.names]
    assert all(np.isfinite(number) for number in numbers if np.ndim(number) == 0)


def test_a_market_that_wakes_from_death_is_read_as_any_other() -> None:
    dead = np.tile(np.array([100.0, 100.0, 100.0, 100.0, 0.0])[np.newaxis, :, np.newaxis], (300, 1, 1))
    kernel = new_kernel(1, YOUNG)
    events = play(np.concatenate([dead, random_walk(15, minutes=600)]), kernel=kernel)
    assert all(np.isfinite([event.low, event.high, event.value]).all() for event in events)
    assert len(events) > 100


def test_one_bar_of_history_is_taken_in_and_says_nothing() -> None:
    kernel = new_kernel(1, YOUNG)
    kernel.warm_up_15m(0, np.ones((5, 1)), times(1, QUARTER_MS))
    kernel.warm_up_1m(0, np.ones((5, 1)), times(1, MINUTE_MS))
    kernel.warm_up_1m(0, np.ones((5, 0)), times(0, MINUTE_MS))
    assert (kernel.minute.bars[0], kernel.quarter.bars[0]) == (1, 1)
    assert not list(kernel.events())
