"""Nothing known is ever rewritten: prefixes, restarts and other futures change no event, state or feature."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.features import FEATURE_NAMES
from core.market import MINUTE_MS, Floats
from core.signals import Candidate
from strategies.ict_smc import IctSmc
from strategies.kernel.events import Kind
from strategies.kernel.market import MarketEvent, MarketKernel
from strategies.kernel.parameters import KernelParameters
from tests.unit.strategies.markets import START_MS, new_kernel, play, random_walk, recorded

YOUNG = KernelParameters(min_bars_1m=60, min_bars_15m=20)

Seen = list[MarketEvent | Candidate]


def watch(rows: Floats, *, kernel: MarketKernel | None = None, start: int = 0) -> Seen:
    """Return everything a run makes known: events and candidates with all their features."""
    kernel = kernel or new_kernel(rows.shape[2], YOUNG)
    strategy = IctSmc()
    seen: Seen = []
    for minute, row in enumerate(rows, start=start):
        kernel.step(START_MS + minute * MINUTE_MS, row, np.isfinite(row[3]))
        seen += kernel.events()
        seen += strategy.candidates(kernel, START_MS + minute * MINUTE_MS)
    return seen


def known_at(item: MarketEvent | Candidate) -> int:
    """Return the open time of the minute at whose close an item became known."""
    if isinstance(item, Candidate):
        return item.at - MINUTE_MS
    return item.known + item.timeframe_ms - MINUTE_MS


def before(seen: Seen, minutes: int) -> Seen:
    return [item for item in seen if known_at(item) < START_MS + minutes * MINUTE_MS]


def climbing() -> Floats:
    """Return a walk that climbs and leaves its lows alone, until there are more pools than are followed."""
    rows = random_walk(6, minutes=2500)
    rows[:, :4] += 0.02 * np.arange(2500)[:, np.newaxis, np.newaxis]
    return rows


def crowded() -> MarketKernel:
    """Return a kernel that sees many swing points."""
    return new_kernel(1, replace(YOUNG, internal_leg=2, swing_leg=3))


def test_a_prefix_of_days_gives_a_prefix_of_every_kind_of_event_and_of_every_feature() -> None:
    rows = random_walk(21, minutes=4000, symbols=6)
    whole, cut = watch(rows), 3000
    assert {item.kind for item in whole if isinstance(item, MarketEvent)} >= set(Kind) - {Kind.POOL_EXPIRED}
    candidates = [item for item in before(whole, cut) if isinstance(item, Candidate)]
    is_moving = np.ptp([each.features.values for each in candidates], axis=0) > 0
    assert not set(np.array(FEATURE_NAMES)[~is_moving])
    assert watch(rows[:cut]) == before(whole, cut)


def test_a_prefix_of_a_crowded_market_gives_a_prefix_of_what_is_known() -> None:
    rows, cut = climbing(), 2401
    whole = watch(rows, kernel=crowded())
    assert any(isinstance(item, MarketEvent) and item.kind is Kind.POOL_EXPIRED for item in whole)
    assert watch(rows[:cut], kernel=crowded()) == before(whole, cut)


@settings(max_examples=6)
@given(seed=st.integers(0, 2**32), cut=st.integers(1, 700))
def test_a_prefix_of_the_candles_gives_a_prefix_of_what_is_known(seed: int, cut: int) -> None:
    rows = random_walk(seed, minutes=700, symbols=2)
    assert watch(rows[:cut]) == before(watch(rows), cut)


@pytest.mark.parametrize("cut", [700, 1333, 2000])
def test_a_prefix_of_recorded_candles_gives_a_prefix_of_what_is_known(cut: int) -> None:
    rows = recorded("LAYERUSDT", 2500)
    whole = watch(rows)
    assert {item.kind for item in whole if isinstance(item, MarketEvent)} >= set(Kind) - {Kind.POOL_EXPIRED}
    assert any(isinstance(item, Candidate) for item in whole)
    assert watch(rows[:cut]) == before(whole, cut)


@settings(max_examples=6)
@given(seed=st.integers(0, 2**32), cut=st.integers(1, 699))
def test_another_future_changes_nothing_that_was_known(seed: int, cut: int) -> None:
    rows = random_walk(seed, minutes=700)
    other = rows.copy()
    other[cut:] = np.random.default_rng(seed).permutation(other[cut:])
    assert before(watch(rows), cut) == before(watch(other), cut)


@settings(max_examples=6)
@given(seed=st.integers(0, 2**32), cut=st.integers(1, 699))
def test_a_restart_from_a_snapshot_goes_on_as_if_nothing_had_happened(seed: int, cut: int) -> None:
    rows = random_walk(seed, minutes=700, symbols=2)
    first, second = new_kernel(2, YOUNG), new_kernel(1, YOUNG)
    seen = watch(rows[:cut], kernel=first)
    second.restore(first.snapshot())
    assert seen + watch(rows[cut:], kernel=second, start=cut) == watch(rows)


def test_restarts_and_other_futures_of_recorded_candles_change_nothing_either() -> None:
    rows, cut = recorded("LAYERUSDT", 2000), 1333
    whole = watch(rows)
    first, second = new_kernel(1, YOUNG), new_kernel(1, YOUNG)
    seen = watch(rows[:cut], kernel=first)
    second.restore(first.snapshot())
    assert seen + watch(rows[cut:], kernel=second, start=cut) == whole
    other = rows.copy()
    other[cut:] = np.random.default_rng(cut).permutation(other[cut:])
    assert before(watch(other), cut) == before(whole, cut)
    assert watch(other) != whole


def test_history_tells_the_kernel_what_living_through_it_would_have() -> None:
    rows = random_walk(11, minutes=1200)
    lived, warmed = new_kernel(1, YOUNG), new_kernel(1, YOUNG)
    play(rows, kernel=lived)
    times = START_MS + np.arange(1200) * MINUTE_MS
    warmed.warm_up_1m(0, rows[:, :, 0].T, times)
    same = lived.state.minute.events_used, warmed.state.minute.events_used
    assert same[0] == same[1]
    assert lived.snapshot() == warmed.snapshot()


@pytest.mark.parametrize("damage", [lambda b: b[:-9], lambda b: b"x" + b[1:], lambda _: b""])
def test_a_damaged_snapshot_is_refused(damage: Callable[[bytes], bytes]) -> None:
    kernel = new_kernel()
    with pytest.raises(ValueError, match="snapshot"):
        kernel.restore(damage(kernel.snapshot()))


def test_a_snapshot_made_under_other_rules_is_refused() -> None:
    snapshot = new_kernel(1, KernelParameters(internal_leg=4)).snapshot()
    with pytest.raises(ValueError, match="other rules"):
        new_kernel().restore(snapshot)
