"""Each safeguard is needed: without it, a storm finds the harm it prevents."""

from collections.abc import Callable

import pytest

from tests.faults.invariants import Violation
from tests.faults.mutations import AIMED, MUTATIONS
from tests.faults.plan import Weather, draw_weather
from tests.faults.scenario import live_through

STORMS_ENOUGH = 300


def first_violation(storms: Callable[[int], Weather], seeds: range) -> str | None:
    for seed in seeds:
        try:
            live_through(storms(seed))
        except Violation as violation:
            return f"seed {seed}: {violation}"
    return None


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("safeguard", MUTATIONS)
def test_a_storm_misses_a_safeguard_that_was_taken_away(
    safeguard: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    MUTATIONS[safeguard](monkeypatch)
    storms = AIMED.get(safeguard, draw_weather)
    assert first_violation(storms, range(1, STORMS_ENOUGH + 1)) is not None


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("aim", AIMED)
def test_with_its_safeguard_in_place_an_aimed_storm_breaks_nothing(aim: str) -> None:
    assert first_violation(AIMED[aim], range(1, 6)) is None
