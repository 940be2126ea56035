"""Symbols without candles are left alone for a while, longer each time, and never for good."""

from core.clock import ManualClock
from services.set_aside import FIRST_MS, LONGEST_MS, SetAside


def test_who_is_set_aside_is_due_when_its_time_is_over_and_not_before() -> None:
    clock = ManualClock(1_000)
    left_out = SetAside(clock)
    left_out.put("AUSDT", "gone")
    clock.advance_to(1_000 + FIRST_MS - 1)
    assert left_out.due() == []
    clock.advance_to(1_000 + FIRST_MS)
    assert left_out.due() == ["AUSDT"]
    assert left_out.all["AUSDT"].reason == "gone"


def test_each_failure_doubles_the_time_up_to_a_bound() -> None:
    clock = ManualClock(0)
    left_out = SetAside(clock)
    pauses = []
    for _ in range(40):
        left_out.put("AUSDT", "gone")
        pauses.append(left_out.all["AUSDT"].until_ms)
    assert pauses[:3] == [FIRST_MS, 2 * FIRST_MS, 4 * FIRST_MS]
    assert pauses[-1] == LONGEST_MS


def test_who_is_released_begins_anew() -> None:
    left_out = SetAside(ManualClock(0))
    left_out.put("AUSDT", "gone")
    left_out.put("AUSDT", "gone")
    left_out.release("AUSDT")
    assert left_out.all == {}
    left_out.put("AUSDT", "gone")
    assert left_out.all["AUSDT"].failures == 1
