"""Several fronts behind one notifier."""

from collections.abc import Iterable

from core.notices import Notice
from core.ports import Notifier


class Notifiers:
    """Tells every front; each promises neither to block nor to raise."""

    def __init__(self, fronts: Iterable[Notifier]) -> None:
        self._fronts = tuple(fronts)

    def notify(self, notice: Notice) -> None:
        for front in self._fronts:
            front.notify(notice)
