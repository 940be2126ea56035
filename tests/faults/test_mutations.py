"""Each safeguard is needed: without it, a storm finds the harm it prevents."""

import pytest

from tests.faults.invariants import Violation
from tests.faults.mutations import MUTATIONS
from tests.faults.scenario import storm

STORMS_ENOUGH = 300


def first_violation(seeds: range) -> str | None:
    for seed in seeds:
        try:
            storm(seed)
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
    assert first_violation(range(1, STORMS_ENOUGH + 1)) is not None
