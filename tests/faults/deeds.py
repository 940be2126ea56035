"""What people, machines and other traders do while it storms, each at its moment."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np


class Deed(StrEnum):
    """One thing that happens once."""

    REDUCES = "reduces"  # somebody sells a part of what we hold, or all
    ADDS = "adds"  # somebody adds to what we hold
    OPENS = "opens"  # somebody takes a position in a symbol of ours that is flat
    RESTS = "rests"  # somebody rests an order, and a stop, on a symbol of ours
    LIQUIDATED = "liquidated"  # the exchange liquidates a position of ours
    PAUSE = "pause"
    PANIC = "panic"
    RESUME = "resume"
    KILL = "kill"  # the process ends without a word
    STOP = "stop"  # the process is asked to end
    SUSPEND = "suspend"  # the machine sleeps
    SET_CLOCK = "set_clock"  # the machine's wall clock is set to another time
    FRONT_BREAKS = "front_breaks"  # whoever tells people fails from now on
    LOG_BREAKS = "log_breaks"  # the trade log can not be written for a while


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """A deed, ``at`` seconds after the storm begins; ``size`` from 0 to 1 is how much of it."""

    at: float
    deed: Deed
    size: float


_CALL_FOR_RESUME = {Deed.PAUSE, Deed.PANIC}
_STORM_SECONDS = 70.0


def draw_deeds(rng: np.random.Generator) -> Iterator[Appointment]:
    """Draw none to a handful; whatever stops entries is taken back after a while."""
    if rng.random() < 0.3:
        return
    kinds = [each for each in Deed if each is not Deed.RESUME]
    for _ in range(int(rng.integers(1, 5))):
        deed = kinds[int(rng.integers(len(kinds)))]
        at = float(rng.uniform(1, _STORM_SECONDS))
        yield Appointment(at=at, deed=deed, size=float(rng.random()))
        if deed in _CALL_FOR_RESUME:
            yield Appointment(at=at + float(rng.uniform(4, 25)), deed=Deed.RESUME, size=1.0)
