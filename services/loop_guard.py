"""Ends a process whose loop has stopped for good, because nothing inside that loop could any more."""

import logging
import sys
import traceback
from collections.abc import Callable
from threading import Event, Thread, main_thread

from core.clock import Clock

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
STUCK_LOOKS = 180


class LoopGuard:
    """A thread that counts its looks between two beats of the loop.

    It counts looks and not seconds: of a machine that sleeps or a process that was stopped, the thread
    sleeps too, and accuses nobody of it. ``leave`` ends the process without asking the loop.
    """

    def __init__(self, leave: Callable[[], None]) -> None:
        self._leave = leave
        self._looks = 0
        self._is_over = Event()

    async def run(self, clock: Clock) -> None:
        """Guard the running loop until cancelled."""
        Thread(target=lambda: self.watch(self._is_over.wait), name="loop guard", daemon=True).start()
        try:
            while True:
                self.beat()
                await clock.sleep(LOOK_SECONDS)
        finally:
            self._is_over.set()

    def beat(self) -> None:
        """The loop turns."""
        self._looks = 0

    def watch(self, wait: Callable[[float], bool]) -> None:
        """Look until ``wait``, which gets the seconds between two looks, says that it is over."""
        while not wait(LOOK_SECONDS):
            self._looks += 1
            if self._looks > STUCK_LOOKS:
                log.critical("the loop stands still, at\n%s", _place_of_the_loop())
                self._leave()
                return


def _place_of_the_loop() -> str:
    frame = sys._current_frames().get(main_thread().ident or 0)
    return "".join(traceback.format_stack(frame))
