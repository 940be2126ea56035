"""The trader dies at every step of its life, and nothing is lost, doubled or left without a stop."""

import pytest

from tests.faults.stories import STORIES, Story
from tests.faults.sweep import crash, steps_of, sweep

NAMES = [story.name for story in STORIES]


def points(story: Story, *, offset: int, every: int) -> list[tuple[int, ...]]:
    return [(point,) for point in range(1 + offset, len(steps_of(story)) + 1, every)]


@pytest.mark.parametrize("story", STORIES, ids=NAMES)
def test_a_story_without_a_crash_ends_as_it_is_told(story: Story) -> None:
    expected = {"move stop": "stop", "short stop": "stop"}.get(story.name, story.name)
    outcome = crash(story)
    assert outcome.exits == (expected,)
    assert outcome.lives == 1


@pytest.mark.fault(34, 87)
@pytest.mark.parametrize("story", STORIES, ids=NAMES)
def test_a_crash_at_every_tenth_step_breaks_no_invariant(story: Story) -> None:
    offset = NAMES.index(story.name)  # so that not all stories are struck at the same steps
    assert list(sweep(story, points(story, offset=offset, every=10))) == []


@pytest.mark.fault(87)
@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("story", STORIES, ids=NAMES)
def test_a_crash_at_any_step_breaks_no_invariant(story: Story) -> None:
    assert list(sweep(story, points(story, offset=0, every=1))) == []


@pytest.mark.fault(88)
@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("story", STORIES, ids=NAMES)
def test_a_crash_while_recovering_from_a_crash_breaks_no_invariant(story: Story) -> None:
    twice = [(*first, second) for first in points(story, offset=3, every=12) for second in (5, 17, 31, 46)]
    assert list(sweep(story, twice)) == []
