"""When a minute is told, and of whom."""

import numpy as np

from core.market import MINUTE_MS, Booleans
from services.minute_barrier import MinuteBarrier
from tests.builders import T0

T1 = T0 + MINUTE_MS


def test_an_arrival_that_was_taken_back_is_waited_for_again_and_absent_at_the_deadline() -> None:
    told: list[tuple[int, list[bool], list[bool]]] = []

    def publish(open_time: int, present: Booleans, dropped: Booleans) -> None:
        told.append((open_time, present.tolist(), dropped.tolist()))

    barrier = MinuteBarrier(2, publish=publish)
    barrier.begin(T0)
    barrier.live = np.array([True, True])
    barrier.arrive(0, T1)
    barrier.forget(0, T1)
    barrier.forget(0, T1)
    barrier.arrive(1, T1)
    assert told == []
    barrier.expire(T1)
    assert told == [(T1, [False, True], [True, False])]
