"""Order blocks: triple validation, the states of a block's life, breakers."""

from dataclasses import replace

import numpy as np
import pytest

from strategies.kernel.events import Kind
from tests.unit.strategies.markets import RALLY, SMALL, Ohlc, Told, of, play, random_walk, story, told

LIFE = (
    Kind.BLOCK,
    Kind.BLOCK_REJECTED,
    Kind.BLOCK_TOUCHED,
    Kind.BLOCK_RETESTED,
    Kind.BLOCK_MITIGATED,
    Kind.BLOCK_BROKEN,
    Kind.BLOCK_EXPIRED,
    Kind.BREAKER,
)


def life(*candles: Ohlc, label: int = 5) -> list[Told]:
    """Return what becomes of the block of one candle."""
    return [event for event in of(LIFE, story(*candles)) if event[2] == label]


def replaced(place: int, candle: Ohlc) -> tuple[Ohlc, ...]:
    return (*RALLY[:place], candle, *RALLY[place + 1 :])


def test_the_last_opposite_candle_is_a_block_once_five_candles_have_validated_it() -> None:
    assert life(*RALLY) == [(Kind.BLOCK, 1, 5, 10)]


def test_a_block_whose_break_comes_later_is_known_at_the_break() -> None:
    pause: Ohlc = (103.8, 104.2, 103.0, 103.9)
    late = (*RALLY[:8], *[pause] * 5, RALLY[8])
    assert life(*late) == [(Kind.BLOCK, 1, 5, 13)]


@pytest.mark.parametrize(("close", "kind"), [(101.37, Kind.BLOCK), (101.35, Kind.BLOCK_REJECTED)])
def test_the_next_body_must_be_a_fifth_larger(close: float, kind: Kind) -> None:
    small = replaced(6, (100.4, 102.5, 100.4, close))  # 1.2 × 0.8 = 0.96 above 100.4
    assert life(*small) == [(kind, 1, 5, 10)]


@pytest.mark.parametrize(("low", "kind"), [(100.2, Kind.BLOCK), (100.1, Kind.BLOCK_REJECTED)])
def test_nothing_may_trade_beyond_the_far_side_while_it_is_validated(low: float, kind: Kind) -> None:
    deep = (*RALLY[:10], (106.5, 106.8, low, 106.0))
    assert life(*deep)[0] == (kind, 1, 5, 10)


def test_a_touch_before_the_block_is_known_is_replayed_and_not_traded() -> None:
    early = replaced(9, (107.0, 107.5, 101.0, 106.5))
    assert life(*early) == [(Kind.BLOCK, 1, 5, 10), (Kind.BLOCK_TOUCHED, 1, 5, 10)]


def test_a_block_mitigated_before_it_is_known_is_said_to_be() -> None:
    early = replaced(9, (107.0, 107.5, 100.3, 100.5))
    assert life(*early[:10], (100.5, 106.8, 100.4, 106.0)) == [
        (Kind.BLOCK, 1, 5, 10),
        (Kind.BLOCK_MITIGATED, 1, 5, 10),
        (Kind.BLOCK_RETESTED, 1, 5, 10),
    ]


def test_states_follow_price_through_the_block() -> None:
    touch: Ohlc = (103.5, 103.6, 101.2, 101.8)
    mitigate: Ohlc = (101.8, 101.9, 100.5, 100.7)
    through: Ohlc = (100.7, 100.8, 99.5, 99.8)
    assert life(*RALLY, touch, mitigate, through)[1:] == [
        (Kind.BLOCK_TOUCHED, 1, 5, 12),
        (Kind.BLOCK_RETESTED, 1, 5, 12),
        (Kind.BLOCK_MITIGATED, 1, 5, 13),
        (Kind.BLOCK_BROKEN, 1, 5, 14),
    ]


def test_only_the_first_return_counts_as_a_retest() -> None:
    touch: Ohlc = (103.5, 103.6, 101.2, 101.8)
    away: Ohlc = (101.8, 103.6, 101.7, 103.5)
    events = life(*RALLY, touch, away, touch)
    assert of([Kind.BLOCK_RETESTED], events) == [(Kind.BLOCK_RETESTED, 1, 5, 12)]


def test_a_block_that_took_liquidity_before_it_broke_flips_side() -> None:
    sweep: Ohlc = (103.5, 108.0, 103.4, 106.0)  # above the swing high of 107.5 at 8, and back
    through: Ohlc = (106.0, 106.1, 99.5, 99.8)
    pause: Ohlc = (103.5, 104.0, 103.0, 103.5)
    events = life(*RALLY, pause, sweep, through)
    assert events[-2:] == [(Kind.BLOCK_BROKEN, 1, 5, 14), (Kind.BREAKER, -1, 5, 14)]


def test_an_untouched_block_expires() -> None:
    far: Ohlc = (106.0, 106.5, 105.5, 106.0)
    aged = story(*RALLY[:11], *[far] * 30, parameters=replace(SMALL, ob_max_age=20))
    assert (Kind.BLOCK_EXPIRED, 1, 5, 26) in aged


def test_a_candle_is_made_a_block_once_and_every_state_has_a_block() -> None:
    events = told(play(random_walk(5, minutes=4000)), *LIFE)
    made = [event[2] for event in of([Kind.BLOCK, Kind.BLOCK_REJECTED], events)]
    assert len(made) > 100
    assert len(made) == len(set(made))
    assert {event[2] for event in events} == set(made)


def test_more_blocks_than_there_is_room_for_expire_the_oldest() -> None:
    parameters = replace(SMALL, ob_max_age=10_000, ob_min_displacement=0.0)
    rows = random_walk(6, minutes=3000)
    rows[:, :4] += 0.05 * np.arange(3000)[:, np.newaxis, np.newaxis]  # rising: old blocks are left alone
    events = told(play(rows, parameters=parameters), Kind.BLOCK, Kind.BLOCK_EXPIRED)
    expired = [event[2] for event in of([Kind.BLOCK_EXPIRED], events)]
    assert expired
    assert expired == sorted(expired)
