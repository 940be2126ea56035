"""Notices that wait to be sent: bounded, so that a silent Discord can not fill the memory."""

from collections.abc import Iterable, Mapping
from itertools import islice

from core.notices import Alert, Notice, PositionEnded, PositionOpened, Severity
from core.positions import Source

_PRECEDENCE = (Severity.INFO, Severity.WARNING, Severity.CRITICAL)


class Outbox:
    """A queue in order of arrival that, when full, gives up the oldest of the least severe.

    Every notice gets a number on arrival, because the same one may wait twice.
    """

    def __init__(self, capacity: int = 256) -> None:
        self._capacity = capacity
        self._waiting: dict[int, Notice] = {}
        self._last = 0
        self._dropped = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def dropped(self) -> int:
        """How many were given up and not yet confessed to."""
        return self._dropped

    def put(self, notice: Notice) -> None:
        self._last += 1
        self._waiting[self._last] = notice
        if len(self._waiting) > self._capacity:
            self._give_up_one()

    def head(self, count: int) -> Mapping[int, Notice]:
        """Return the oldest ``count`` notices by number; they stay until ``taken``."""
        return dict(islice(self._waiting.items(), count))

    def taken(self, numbers: Iterable[int], *, confessed: int = 0) -> None:
        """Remove what was sent; any of it may have been given up meanwhile."""
        for number in numbers:
            self._waiting.pop(number, None)
        self._dropped -= confessed

    def _give_up_one(self) -> None:
        del self._waiting[min(self._waiting, key=self._precedence)]
        self._dropped += 1

    def _precedence(self, number: int) -> int:
        return _PRECEDENCE.index(severity_of(self._waiting[number]))


def severity_of(notice: Notice) -> Severity:
    """Say how much a notice matters: money moved matters more than news, and less than an alarm."""
    match notice:
        case Alert():
            return notice.severity
        case PositionOpened() | PositionEnded() if notice.position.plan.source is Source.REAL:
            return Severity.WARNING
        case _:
            return Severity.INFO
