"""Wishes left as files in a folder, for whoever has a shell on the machine and no chat.

``touch wishes/pause`` is all it takes; who may write there holds the keys as well.
"""

import asyncio
import difflib
import logging
import re
from pathlib import Path
from stat import S_ISREG
from typing import NamedTuple

from core.clock import Clock
from core.notices import Alert, Severity
from core.operation import LONGEST_PAUSE_MINUTES, OperatorAction
from core.ports import Notifier
from services.operator import Operator

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
REASON_LIMIT = 200
_LETTER = re.compile(r"(?P<action>[a-z]+)(?:-(?P<about>\w+))?", re.ASCII)
_FORMS = {
    "pause": "pause or pause-45 (minutes)",
    "halt": "halt",
    "resume": "resume",
    "panic": "panic",
    "close": "close-SOLUSDT",
}
_WHILE_AWAY = frozenset({OperatorAction.PAUSE, OperatorAction.HALT, OperatorAction.PANIC})


class Letter(NamedTuple):
    """One file: what is wanted, about what, by whom, and the words in it."""

    action: OperatorAction
    about: str
    by: str
    words: str

    @property
    def name(self) -> str:
        return f"{self.action}-{self.about}" if self.about else self.action.value


class Letterbox:
    """Takes files out of its folder and passes on what they are named for.

    ``pause``, ``pause-45`` (minutes), ``halt`` (the reason stands in it), ``resume``, ``panic``,
    ``close-SOLUSDT``. A letter is taken before it is obeyed, so that none is obeyed twice. Of those that lay
    there before the program started only the ones are obeyed that take risk away: who wrote ``resume``
    yesterday did not know of today.
    """

    def __init__(self, folder: Path, operator: Operator, *, notifier: Notifier, clock: Clock) -> None:
        self._folder = folder
        self._operator = operator
        self._notifier = notifier
        self._clock = clock
        self._ignored: set[str] = set()
        self._misread_names: list[str] = []

    async def run(self) -> None:
        """Look into the folder until cancelled."""
        is_first = True
        while True:
            for letter in await asyncio.to_thread(self._taken):
                if is_first and letter.action not in _WHILE_AWAY:
                    self._say("wish_too_old", letter.name)
                else:
                    self._obey(letter)
            while self._misread_names:
                self._say("wish_unknown", _with_nearest(self._misread_names.pop(0)))
            is_first = False
            await self._clock.sleep(LOOK_SECONDS)

    def _taken(self) -> list[Letter]:
        """Take what lies in the folder; a folder that can not be used is told once and holds nothing."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            paths = sorted(self._folder.iterdir())
        except OSError as fault:
            self._ignore("", f"Wishes can not be read from {self._folder}: {fault}")
            return []
        self._ignored.intersection_update(path.name for path in paths)
        return [letter for path in paths if (letter := self._take(path)) is not None]

    def _take(self, path: Path) -> Letter | None:
        """Take one file; one that can not be read or removed must not cost those beside it."""
        try:
            return self._opened(path)
        except OSError as fault:
            self._ignore(path.name, f"{path} can not be taken: {fault}")
            return None

    def _opened(self, path: Path) -> Letter | None:
        match, status = _LETTER.fullmatch(path.name), path.lstat()
        # Who leaves a link has not written what it leads to, and a reason is shown to everybody.
        if match is None or not _is_wish(match) or not S_ISREG(status.st_mode):
            self._misread(path)
            return None
        words = _words_in(path)
        path.unlink()
        action, about = OperatorAction(match["action"]), match["about"] or ""
        return Letter(action, about, f"file:{status.st_uid}", words)

    def _obey(self, letter: Letter) -> None:
        match letter.action:
            case OperatorAction.PAUSE:
                self._pause(letter)
            case OperatorAction.HALT:
                self._operator.halt(letter.by, letter.words)
            case OperatorAction.RESUME:
                self._operator.resume(letter.by)
            case OperatorAction.PANIC:
                self._operator.panic(letter.by)
            case OperatorAction.CLOSE:
                self._operator.close(letter.by, letter.about.upper())

    def _pause(self, letter: Letter) -> None:
        minutes = _minutes(letter.about)
        if letter.about and minutes is None:
            self._say("pause_endless", f"{letter.name}: minutes are 1 to {LONGEST_PAUSE_MINUTES}")
        self._operator.pause(letter.by, minutes=minutes)

    def _misread(self, path: Path) -> None:
        """Tell people, once for as long as it lies there."""
        if path.name not in self._ignored:
            self._ignored.add(path.name)
            log.warning("%s is no wish we know", path)
            if not path.name.startswith("."):  # editors keep such beside what is being written
                self._misread_names.append(path.name)

    def _say(self, key: str, text: str) -> None:
        at = self._clock.market_ms()
        self._notifier.notify(Alert(key=key, severity=Severity.WARNING, at=at, text=text))

    def _ignore(self, name: str, why: str) -> None:
        if name not in self._ignored:
            self._ignored.add(name)
            log.warning("%s", why)


def _is_wish(match: re.Match[str]) -> bool:
    is_about_nothing = match["action"] == OperatorAction.CLOSE and not match["about"]
    return match["action"] in set(OperatorAction) and not is_about_nothing


def _with_nearest(name: str) -> str:
    """Name a file that is no wish, and what may have been meant."""
    if name in _FORMS.values():
        return f"{name}; only a plain file counts"
    near = difflib.get_close_matches(name.lower().partition("-")[0], _FORMS, n=1)
    meant = f"the nearest is {_FORMS[near[0]]}" if near else f"known are {', '.join(_FORMS.values())}"
    return f"{name}; {meant}"


def _minutes(about: str) -> int | None:
    """Return how long a pause is to last; without a sensible number it lasts until somebody resumes."""
    minutes = int(about) if about.isdecimal() else 0
    return minutes if 1 <= minutes <= LONGEST_PAUSE_MINUTES else None


def _words_in(path: Path) -> str:
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.read(REASON_LIMIT).strip()
