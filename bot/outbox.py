"""Notices that wait to be sent: bounded, so that a silent Discord can not fill the memory."""

from collections import deque
from collections.abc import Callable, Sequence

from core.notices import Alert, Notice, PositionEnded, PositionOpened, Severity
from core.positions import Source

_PRECEDENCE = (Severity.INFO, Severity.WARNING, Severity.CRITICAL)


class Outbox:
    """A queue in order of arrival that, when full, gives up the oldest of the least severe."""

    def __init__(self, capacity: int = 256) -> None:
        self._capacity = capacity
        self._waiting: deque[Notice] = deque()
        self._dropped = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, notice: Notice) -> None:
        self._waiting.append(notice)
        if len(self._waiting) > self._capacity:
            self._give_up_one()

    def head(self, count: int) -> Sequence[Notice]:
        """Return the oldest ``count`` notices, which stay until ``taken``."""
        return [self._waiting[index] for index in range(min(count, len(self._waiting)))]

    @property
    def dropped(self) -> int:
        """How many were given up and not yet confessed to."""
        return self._dropped

    def taken(self, notices: Sequence[Notice], *, confessed: int = 0) -> None:
        """Remove what was sent; any of it may have been given up meanwhile."""
        sent = {id(notice) for notice in notices}
        self._keep(lambda notice: id(notice) not in sent)
        self._dropped -= confessed

    def _give_up_one(self) -> None:
        least = min(self._waiting, key=lambda notice: _PRECEDENCE.index(severity_of(notice)))
        self._keep(lambda notice: notice is not least)
        self._dropped += 1

    def _keep(self, wanted: Callable[[Notice], bool]) -> None:
        self._waiting = deque(notice for notice in self._waiting if wanted(notice))


def severity_of(notice: Notice) -> Severity:
    """Say how much a notice matters: money moved matters more than news, and less than an alarm."""
    match notice:
        case Alert():
            return notice.severity
        case PositionOpened() | PositionEnded() if notice.position.plan.source is Source.REAL:
            return Severity.WARNING
        case _:
            return Severity.INFO
