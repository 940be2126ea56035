"""The trader dies before and after every step of I/O of a story, and comes back."""

from collections.abc import Iterator, Sequence

from tests.faults.invariants import Violation
from tests.faults.plan import Weather
from tests.faults.scenario import Outcome, live_through
from tests.faults.stories import Story

_SEED = 1


def steps_of(story: Story) -> Sequence[str]:
    """Return the steps of I/O that a life without a crash takes."""
    return live_through(Weather(seed=_SEED), story).steps


def crash(story: Story, *steps: int) -> Outcome:
    """Play a story in which one life after the other ends at the given step. Raises ``Violation``."""
    return live_through(Weather(seed=_SEED, crashes=steps), story)


def sweep(story: Story, points: Sequence[tuple[int, ...]]) -> Iterator[str]:
    """Yield a line for each point whose crash broke an invariant."""
    for point in points:
        try:
            crash(story, *point)
        except Violation as violation:
            yield f"{story.name}, crash at {point}: {violation}"
