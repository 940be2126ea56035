"""The trader in storms: whatever goes wrong, nothing is lost, doubled, forgotten or left without a stop."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from exchange.sim.server.faults.catalogue import ALL, StreamFault
from tests.e2e.program import ROOT, environment
from tests.faults.campaign import campaign, how_to_repeat
from tests.faults.deeds import Deed
from tests.faults.invariants import Violation
from tests.faults.plan import draw_weather
from tests.faults.scenario import Outcome, storm

PLAIN_SEEDS = range(1, 51)
LONG_SEEDS = range(1, 301)


@cache
def lived_through(seed: int) -> Outcome:
    """Return how a storm ended; a violation says how to see it again."""
    try:
        return storm(seed)
    except Violation as violation:
        raise AssertionError(f"{violation}\n{how_to_repeat(seed)}") from violation


@pytest.mark.parametrize("seed", PLAIN_SEEDS)
def test_a_storm_breaks_no_invariant(seed: int) -> None:
    lived_through(seed)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_three_hundred_storms_break_no_invariant() -> None:
    assert campaign(LONG_SEEDS).violations == ()


def test_the_same_seed_tells_the_same_story_to_the_last_byte() -> None:
    assert lived_through(7) == storm(7)


def test_another_process_tells_the_same_story(tmp_path: Path) -> None:
    """Sets of names have another order there. With streamed candles there is most to order."""
    told = subprocess.run(
        [sys.executable, "-m", "tests.faults", "--seeds", "2", "--start", "7", "--json"],
        env=environment(tmp_path, {"PYTHONHASHSEED": "4"}),
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    assert json.loads(told.stdout)["sha256"] == campaign(range(7, 9)).sha256


def test_three_hundred_storms_have_everything_in_store_that_can_go_wrong() -> None:
    drawn = [draw_weather(seed) for seed in LONG_SEEDS]
    assert {each.deed for weather in drawn for each in weather.deeds} == set(Deed)
    struck = {rule.fault for weather in drawn for rule in weather.rules}
    too_much_of_it = {StreamFault.EVENT_NOT_TEXT, StreamFault.EVENT_HUGE}  # see test_one_fault.py
    assert set(ALL.values()) - struck == too_much_of_it


def test_storms_are_not_idle() -> None:
    """Without faults, entries and every kind of exit, a storm would prove nothing."""
    outcomes = [lived_through(seed) for seed in range(1, 13)]
    exits = {reason for each in outcomes for reason in each.exits}
    assert sum(each.strikes for each in outcomes) > 100
    assert {"stop", "target", "thesis", "time", "operator"} <= exits
