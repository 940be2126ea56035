"""When a position has outlived its reason, and where its stop belongs."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.monitoring import Structure, exit_wanted, stop_wanted
from core.parameters import CostParameters, MonitoringParameters
from core.positions import ExitReason, Position, Stage
from core.signals import Side
from tests.builders import HOUR, T0, candidate, plan, position, ranked

PARAMETERS = MonitoringParameters()
COSTS = CostParameters()


def held(side: Side = Side.LONG, *, floor: str | None = None) -> Position:
    """Entry 100, 1 R is 1.00."""
    made = position(plan(ranked(candidate(side=side))))
    return replace(made, floor=Decimal(floor) if floor else None)


def structure(
    *, trend: Side | None = None, broke: Side | None = None, at: int = 0, atr: float = 0.1
) -> Structure:
    return Structure(trend=trend, break_side=broke, break_at=at, atr_1m=atr)


def wanted(each: Position, close: str, *, atr: float = 0.1) -> Decimal | None:
    return stop_wanted(each, Decimal(close), structure(atr=atr), parameters=PARAMETERS, costs=COSTS)


# --- leaving ------------------------------------------------------------------------------------------


def test_a_break_against_the_position_since_its_decision_ends_it() -> None:
    mine = held()
    broken = structure(broke=Side.SHORT, at=T0 + 60_000)
    assert exit_wanted(mine, broken, PARAMETERS, now_ms=T0 + 60_000) is ExitReason.THESIS
    known_before = structure(broke=Side.SHORT, at=T0)
    assert exit_wanted(mine, known_before, PARAMETERS, now_ms=T0 + 60_000) is None


def test_a_trend_that_turned_ends_it_and_a_neutral_one_does_not() -> None:
    assert exit_wanted(held(), structure(trend=Side.SHORT), PARAMETERS, now_ms=T0) is ExitReason.THESIS
    assert exit_wanted(held(), structure(trend=None), PARAMETERS, now_ms=T0) is None


def test_after_four_hours_it_is_over() -> None:
    assert exit_wanted(held(), None, PARAMETERS, now_ms=T0 + 4 * HOUR) is ExitReason.TIME
    assert exit_wanted(held(), None, PARAMETERS, now_ms=T0 + 4 * HOUR - 1) is None


# --- tightening ---------------------------------------------------------------------------------------


def test_below_one_r_the_stop_stays() -> None:
    assert wanted(held(), "100.99") is None


def test_at_one_r_the_stop_pays_for_the_trade() -> None:
    assert wanted(held(), "101.00") == Decimal("100.12")  # two fees of 0.05 % and 0.02 % slippage


def test_a_short_is_the_mirror() -> None:
    assert wanted(held(Side.SHORT), "99.00") == Decimal("99.88")


def test_from_there_it_trails_by_one_r_or_two_atr() -> None:
    assert wanted(held(floor="100.12"), "102.00") == Decimal("101.00")
    assert wanted(held(floor="100.12"), "102.00", atr=0.7) == Decimal("100.60")


def test_moves_below_a_tenth_of_r_are_not_worth_an_order() -> None:
    assert wanted(held(floor="100.50"), "101.59") is None
    assert wanted(held(floor="100.50"), "101.60") == Decimal("100.60")


def test_once_begun_a_pullback_below_one_r_moves_nothing_back() -> None:
    assert wanted(held(floor="100.12"), "100.50") is None


@pytest.mark.parametrize("stage", [Stage.PROTECTING, Stage.CLOSING, Stage.FROZEN])
def test_only_an_open_position_is_tightened(stage: Stage) -> None:
    assert wanted(replace(held(), stage=stage), "103.00") is None


@given(
    side=st.sampled_from(Side),
    closes=st.lists(st.decimals("95", "110", places=2), max_size=30),
    atr=st.floats(0.01, 2.0),
)
def test_a_stop_only_ever_tightens_and_stays_behind_the_price(
    side: Side, closes: list[Decimal], atr: float
) -> None:
    mine = held(side)
    for close in closes:
        price = close if side is Side.LONG else 200 - close
        moved = wanted(mine, str(price), atr=atr)
        if moved is None:
            continue
        assert (moved - mine.stop_level) * side >= Decimal("0.1")
        assert (price - moved) * side > 0
        assert (moved - mine.entry_price) * side > 0
        mine = replace(mine, floor=moved)
