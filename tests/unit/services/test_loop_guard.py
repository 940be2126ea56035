"""The guard beside the loop: patient while it turns, short with one that stands."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from core.clock import SystemClock
from services.loop_guard import STUCK_LOOKS, LoopGuard


def looks(most: int, then: Callable[[], None]) -> Callable[[float], bool]:
    """Return who waits for nothing, does ``then`` before each look, and has enough after ``most``."""
    done = 0

    def wait(_seconds: float) -> bool:
        nonlocal done
        done += 1
        then()
        return done > most

    return wait


@pytest.mark.fault(90, 91)
def test_a_loop_that_stands_for_three_minutes_ends_the_process_and_the_log_says_where(
    caplog: pytest.LogCaptureFixture,
) -> None:
    left: list[str] = []
    seen: list[int] = []
    guard = LoopGuard(lambda: left.append("left"))
    guard.watch(looks(10 * STUCK_LOOKS, lambda: seen.append(1)))
    assert left == ["left"]
    assert len(seen) == STUCK_LOOKS + 1
    assert "test_loop_guard.py" in caplog.text


@pytest.mark.fault(91)
def test_a_loop_that_turns_now_and_then_is_left_alone() -> None:
    left: list[str] = []
    seen: list[int] = []
    guard = LoopGuard(lambda: left.append("left"))

    def turn() -> None:
        seen.append(1)
        if len(seen) % STUCK_LOOKS == 0:
            guard.beat()

    guard.watch(looks(10 * STUCK_LOOKS, turn))
    assert left == []


async def test_it_guards_beside_the_loop_and_goes_with_it() -> None:
    guarding = asyncio.create_task(LoopGuard(lambda: None).run(SystemClock()))
    await asyncio.sleep(0)  # noqa: TID251 - lets it begin
    (thread,) = [each for each in threading.enumerate() if each.name == "loop guard"]
    guarding.cancel()
    await asyncio.gather(guarding, return_exceptions=True)
    await asyncio.to_thread(thread.join, 10)
    assert not thread.is_alive()
