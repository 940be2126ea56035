"""Small notes from one process to the next in an account's folder: whose it is, and how often it began."""

import logging
from pathlib import Path

from core.clock import Clock
from core.errors import JournalError

log = logging.getLogger(__name__)

CRASH_WINDOW_MS = 10 * 60 * 1000
MOST_CRASHES = 5
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0


class ExchangeNote:
    """The address of the exchange that a folder's journal is about. Written once, with the first run."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def owner(self) -> str:
        """Return whose the folder is, empty while it is nobody's."""
        try:
            return self._path.read_text(encoding="utf-8").strip() if self._path.exists() else ""
        except (OSError, UnicodeDecodeError) as error:
            raise JournalError(f"The note {self._path} can not be read: {error}.") from error

    def claim(self, address: str) -> None:
        """Make the folder this exchange's, unless it is one's already."""
        if self.owner():
            return
        try:
            _replace(self._path, f"{address}\n")
        except OSError as error:
            raise JournalError(f"The note {self._path} can not be written: {error.strerror}.") from error


class BootNote:
    """When the last runs began that did not end in good order: many of them in a row are a crash loop.

    A note that can not be read or written is only worth a warning.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock

    def crashes(self) -> int:
        """Return how many runs of the last ten minutes did not end in good order."""
        return len(self._recent())

    def pause(self) -> float:
        """Return how many seconds to wait before beginning again: after a second crash, and ever longer."""
        crashes = self.crashes()
        return min(_FIRST_PAUSE * 2.0 ** (crashes - 2), _LONGEST_PAUSE) if crashes >= 2 else 0.0

    def began(self) -> None:
        """Note that a run begins, which counts as a crash until it has ended."""
        self._write([*self._recent(), self._clock.wire_ms()])

    def ended(self) -> None:
        """Note that all is well: this run ended in good order."""
        self._write([])

    def _recent(self) -> list[int]:
        try:
            times = [int(line) for line in self._path.read_text(encoding="ascii").split()]
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as fault:
            log.warning("the note of earlier starts can not be read: %s", fault)
            return []
        return [each for each in times if each > self._clock.wire_ms() - CRASH_WINDOW_MS]

    def _write(self, times: list[int]) -> None:
        try:
            _replace(self._path, "".join(f"{each}\n" for each in times))
        except OSError as fault:
            log.warning("the note of earlier starts can not be written: %s", fault)


def _replace(path: Path, text: str) -> None:
    """Write a note whole or not at all: half an address would be another exchange's."""
    draft = path.with_suffix(".tmp")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
