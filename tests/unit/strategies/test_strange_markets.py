"""Markets at the edge: whatever the candles, every event has a reason in them and every number is finite."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from core.market import MINUTE_MS, Floats
from core.signals import Candidate
from strategies.ict_smc import IctSmc
from strategies.kernel.events import Kind
from strategies.kernel.market import MarketEvent
from strategies.kernel.parameters import KernelParameters
from tests.unit.strategies.markets import START_MS, minute_of, new_kernel, random_walk

YOUNG = KernelParameters(min_bars_1m=60, min_bars_15m=20)
MINUTES = 1500
Told = tuple[list[MarketEvent], list[Candidate]]
Key = tuple[Kind, int, int]
OPEN, HIGH, LOW, CLOSE, VOLUME = range(5)


# --- the markets ------------------------------------------------------------------------------------


def walk() -> Floats:
    return random_walk(31, minutes=MINUTES)


def without_volume() -> Floats:
    rows = walk()
    rows[:, VOLUME] = 0.0
    return rows


def standing_still() -> Floats:
    """A walk whose price does not move for hundreds of minutes."""
    rows = walk()
    close = rows[599, CLOSE, 0]
    rows[600:1000, : CLOSE + 1, 0] = close
    rows[600:1000, VOLUME] = 0.0
    rows[1000:, : CLOSE + 1] += close - rows[1000, OPEN]
    return rows


def under_a_ceiling() -> Floats:
    """Equal highs, hundreds of them."""
    rows = walk()
    rows[:, : CLOSE + 1] = np.minimum(rows[:, : CLOSE + 1], np.median(rows[:, CLOSE]))
    return rows


def in_coarse_ticks() -> Floats:
    return walk().round(1)


def of_points() -> Floats:
    """Every candle is one price: no bodies, no wicks, only leaps between them."""
    rows = walk()
    rows[:, : CLOSE + 1] = rows[:, CLOSE : CLOSE + 1].round(1)
    return rows


def leaping() -> Floats:
    """A hundredfold up, and down again."""
    rows = walk()
    rows[500:1000, : CLOSE + 1] *= 100.0
    return rows


def tiny() -> Floats:
    rows = walk()
    rows[:, : CLOSE + 1] *= 1e-10
    return rows


def huge() -> Floats:
    rows = walk()
    rows[:, : CLOSE + 1] *= 1e4
    rows[:, VOLUME] *= 1e12
    return rows


MARKETS = (
    walk,
    without_volume,
    standing_still,
    under_a_ceiling,
    in_coarse_ticks,
    of_points,
    leaping,
    tiny,
    huge,
)


def lived(rows: Floats) -> Told:
    kernel, strategy = new_kernel(1, YOUNG), IctSmc()
    events: list[MarketEvent] = []
    candidates: list[Candidate] = []
    for minute, row in enumerate(rows):
        kernel.step(START_MS + minute * MINUTE_MS, row, np.ones(1, dtype=np.bool_))
        events += kernel.events()
        candidates += strategy.candidates(kernel, START_MS + minute * MINUTE_MS)
    return events, candidates


# --- reasons, read from the rules -------------------------------------------------------------------

NEEDS: dict[Kind, tuple[Kind, ...]] = {
    Kind.BOS: (Kind.INTERNAL_POINT,),
    Kind.CHOCH: (Kind.INTERNAL_POINT,),
    Kind.MSB: (Kind.BOS, Kind.CHOCH),
    Kind.BLOCK_TOUCHED: (Kind.BLOCK, Kind.BREAKER),
    Kind.BLOCK_RETESTED: (Kind.BLOCK, Kind.BREAKER),
    Kind.BLOCK_MITIGATED: (Kind.BLOCK, Kind.BREAKER),
    Kind.BLOCK_BROKEN: (Kind.BLOCK, Kind.BREAKER),
    Kind.BLOCK_EXPIRED: (Kind.BLOCK, Kind.BREAKER),
    Kind.POOL: (Kind.SWING_POINT,),
    Kind.SWEEP: (Kind.POOL,),
    Kind.POOL_BROKEN: (Kind.POOL,),
    Kind.POOL_EXPIRED: (Kind.POOL,),
    Kind.GAP_FILLED: (Kind.GAP,),
    Kind.GAP_EXPIRED: (Kind.GAP,),
}
"""What must have been said before of the same candle and side."""


def without_reason(events: list[MarketEvent], rows: Floats) -> Iterator[MarketEvent]:
    """Yield the 1m events that no earlier event and no candle account for."""
    said: set[Key] = set()
    for event in events:
        if event.timeframe_ms != MINUTE_MS:
            continue
        needs = NEEDS.get(event.kind, ())
        is_announced = not needs or any((kind, event.side, event.label) in said for kind in needs)
        if event.kind is Kind.BREAKER:
            is_announced = (Kind.BLOCK_BROKEN, -event.side, event.label) in said
        if not is_announced or not is_shown(event, rows[:, :, 0]):
            yield event
        said.add((event.kind, event.side, event.label))


def is_shown(event: MarketEvent, candles: Floats) -> bool:
    """Do the candles show what the event says?"""
    label, known, side = minute_of(event.label), minute_of(event.known), event.side
    if not 0 <= label <= known or not event.low <= event.high:
        return False
    # What is above price in a rising market lies below it in the mirror.
    turned = candles[:, [LOW, HIGH] if side > 0 else [HIGH, LOW]] * side
    lows, highs = turned[:, 0], turned[:, 1]
    near, far = (event.high, event.low) if side > 0 else (-event.low, -event.high)
    close = side * candles[known, CLOSE]
    since = slice(label + 1, known + 1)
    shown: dict[Kind, Callable[[], bool]] = {
        Kind.BOS: lambda: close > side * (event.low if side > 0 else event.high),
        Kind.MSB: lambda: event.value >= 1.0,
        Kind.BLOCK_TOUCHED: lambda: bool((lows[since] <= near).any()),
        Kind.BLOCK_RETESTED: lambda: bool(lows[known] <= near),
        Kind.BLOCK_MITIGATED: lambda: bool((side * candles[since, CLOSE] < (near + far) / 2).any()),
        Kind.BLOCK_BROKEN: lambda: close < far,
        Kind.SWEEP: lambda: bool(highs[known] > near >= close),
        Kind.POOL_BROKEN: lambda: close > near,
        Kind.GAP: lambda: label == known - 1 and bool(lows[known] == near > far == highs[known - 2]),
        Kind.GAP_FILLED: lambda: bool(lows[known] <= far),
    }
    shown[Kind.CHOCH] = shown[Kind.BOS]
    return shown[event.kind]() if event.kind in shown else True


# --- the tests --------------------------------------------------------------------------------------


@pytest.mark.parametrize("market", MARKETS, ids=lambda market: market.__name__)
def test_every_event_has_a_reason_and_every_number_is_finite(market: Callable[[], Floats]) -> None:
    rows = market()
    events, candidates = lived(rows)
    assert len(events) > 50
    assert list(without_reason(events, rows)) == []
    assert all(np.isfinite([event.low, event.high, event.value]).all() for event in events)
    for candidate in candidates:
        assert np.isfinite(candidate.features.values).all()
        assert np.isfinite([candidate.stop, candidate.target, candidate.confidence]).all()
        assert candidate.side * (candidate.price - candidate.stop) > 0


def test_an_event_without_a_reason_would_be_noticed() -> None:
    rows = walk()
    events, _ = lived(rows)
    other = rows.copy()
    other[:, : CLOSE + 1] = 200.0 - other[:, [OPEN, LOW, HIGH, CLOSE]]
    assert len(list(without_reason(events, other))) > len(events) / 10
    orphans = [event for event in events if event.kind is not Kind.POOL]
    kinds = {event.kind for event in without_reason(orphans, rows)}
    assert {Kind.SWEEP, Kind.POOL_BROKEN} <= kinds


@pytest.mark.parametrize("exponent", [-33, 13])
def test_at_a_hundred_millionth_and_at_a_million_the_same_is_seen_to_the_last_bit(exponent: int) -> None:
    rows, scaled = walk(), walk()
    scaled[:, : CLOSE + 1] *= 2.0**exponent
    (_, plain), (_, other) = lived(rows), lived(scaled)
    assert len(plain) > 2
    assert [each.features for each in other] == [each.features for each in plain]
    assert [each.factors for each in other] == [each.factors for each in plain]


@pytest.mark.long
def test_a_million_minutes_are_read_as_the_first_few_were() -> None:
    """In pieces: two years of one symbol, every event with a reason, the last days as if they stood alone."""
    kernel, piece, pieces = new_kernel(1, YOUNG), 50_000, 20
    kept: list[MarketEvent] = []
    rows = random_walk(77, minutes=piece)
    rows[:, : CLOSE + 1] = np.maximum(rows[:, : CLOSE + 1], 20.0)
    for number in range(pieces):
        turn = rows[::-1][:, [CLOSE, HIGH, LOW, OPEN, VOLUME]] if number % 2 else rows  # there and back
        kept = []
        for minute, row in enumerate(turn, start=number * piece):
            kernel.step(START_MS + minute * MINUTE_MS, row, np.ones(1, dtype=np.bool_))
            kept += kernel.events()
        assert all(np.isfinite([event.low, event.high, event.value]).all() for event in kept)
    assert int(kernel.minute.bars[0]) == pieces * piece
    fresh = new_kernel(1, YOUNG)
    start = (pieces - 1) * piece
    alone: list[MarketEvent] = []
    for minute, row in enumerate(turn, start=start):
        fresh.step(START_MS + minute * MINUTE_MS, row, np.ones(1, dtype=np.bool_))
        alone += fresh.events()
    settled = START_MS + (start + 10_000) * MINUTE_MS
    structures = {Kind.INTERNAL_POINT, Kind.SWING_POINT}
    assert [each for each in kept if each.known > settled and each.kind in structures] == [
        each for each in alone if each.known > settled and each.kind in structures
    ]
    assert len(kept) > 20_000
