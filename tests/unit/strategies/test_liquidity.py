"""Liquidity pools: where they gather, how they are swept, broken and forgotten."""

from dataclasses import replace

import numpy as np

from strategies.kernel.events import Kind
from tests.unit.strategies.markets import (
    RALLY,
    SMALL,
    Ohlc,
    hand_made,
    new_kernel,
    of,
    play,
    random_walk,
    story,
    told,
)

POOLS = (Kind.POOL, Kind.SWEEP, Kind.POOL_BROKEN, Kind.POOL_EXPIRED)
REST: Ohlc = (103.5, 104.0, 103.0, 103.5)


def test_a_pool_gathers_at_a_swing_high_when_it_is_known() -> None:
    assert (Kind.POOL, 1, 2, 5) in story(*RALLY[:6])


def test_a_wick_through_and_a_close_back_inside_sweeps_it_once() -> None:
    wick: Ohlc = (102.4, 106.0, 102.3, 104.0)
    events = of(POOLS, story(*RALLY[:7], wick, wick))
    assert (Kind.SWEEP, 1, 2, 7) in events
    assert len(of([Kind.SWEEP], events)) == 1


def test_a_close_beyond_breaks_it() -> None:
    assert of([Kind.SWEEP, Kind.POOL_BROKEN], story(*RALLY[:9])) == [(Kind.POOL_BROKEN, 1, 2, 8)]


def test_a_touch_of_the_level_takes_nothing() -> None:
    touch: Ohlc = (102.4, 105.0, 102.3, 104.0)
    assert of([Kind.SWEEP, Kind.POOL_BROKEN], story(*RALLY[:7], touch)) == []


def test_equal_highs_share_a_pool_at_the_outer_of_them() -> None:
    kernel = new_kernel(1, replace(SMALL, equal_level_atr=0.2))
    second_high: Ohlc = (102.4, 104.9, 102.3, 104.0)
    down = [(104.0, 104.1, 103.0, 103.1), (103.1, 103.2, 102.0, 102.1), (102.1, 102.2, 101.0, 101.1)]
    play(hand_made([(100.0, 100.5, 99.5, 100.0)] * 20 + [*RALLY[:7], second_high, *down]), kernel=kernel)
    chart = kernel.minute[0]
    above = [pool for pool in chart.pools[: chart.pools_open] if pool.side > 0]
    assert [(pool.level, pool.points) for pool in above] == [(105.0, 2)]
    assert chart.pool_above == 105.0


def test_the_depth_of_a_sweep_is_remembered() -> None:
    kernel = new_kernel(1, SMALL)
    wick: Ohlc = (102.4, 106.0, 102.3, 104.0)
    play(hand_made([(100.0, 100.5, 99.5, 100.0)] * 20 + [*RALLY[:7], wick]), kernel=kernel)
    assert kernel.minute[0].swept_above_depth == 1.0
    assert kernel.minute[0].swept_above_at == kernel.minute[0].number


def test_live_pools_always_lie_beyond_price_and_the_nearest_is_known() -> None:
    rows = random_walk(8, minutes=600)
    for minutes in range(60, 600, 20):
        kernel = new_kernel()
        play(rows[:minutes], kernel=kernel)
        chart = kernel.minute[0]
        pools = chart.pools[: chart.pools_open]
        above, below = pools["level"][pools["side"] > 0], pools["level"][pools["side"] < 0]
        assert (above >= chart.close).all()
        assert (below <= chart.close).all()
        assert chart.pools_above == len(above)
        assert not len(above) or chart.pool_above == above.min()
        assert not len(below) or chart.pool_below == below.max()


def test_more_pools_than_there_is_room_for_expire_the_oldest() -> None:
    rows = random_walk(6, minutes=2500)
    rows[:, :4] += 0.02 * np.arange(2500)[:, np.newaxis, np.newaxis]  # rising, so that lows are left alone
    events = told(play(rows, parameters=SMALL), *POOLS)
    expired = [event[2] for event in of([Kind.POOL_EXPIRED], events)]
    assert expired
    assert expired == sorted(expired)
