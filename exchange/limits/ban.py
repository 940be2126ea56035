"""Until when an exchange wants to hear nothing of us, in a file: a restart must not ask too early."""

import logging
from math import ceil
from pathlib import Path

from core.clock import Clock

_log = logging.getLogger(__name__)


class BanNote:
    """A note from one process to the next. One that can not be read or written is only worth a warning."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock

    def left(self) -> float:
        """Return for how many seconds the ban still lasts, 0 when there is none."""
        try:
            until_ms = int(self._path.read_text(encoding="ascii"))
        except FileNotFoundError:
            return 0.0
        except (OSError, ValueError) as fault:
            _log.warning("the note of a ban can not be read: %s", fault)
            return 0.0
        return max(0.0, (until_ms - self._clock.wire_ms()) / 1000)

    def write(self, seconds: float) -> None:
        """Note that the ban lasts so long from now, unless a longer one is noted already."""
        if seconds <= self.left():
            return
        draft = self._path.with_suffix(".tmp")
        try:
            draft.write_text(str(self._clock.wire_ms() + ceil(seconds * 1000) + 1), encoding="ascii")
            draft.replace(self._path)
        except OSError as fault:
            _log.warning("the note of a ban can not be written: %s", fault)
