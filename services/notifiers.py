"""Several fronts behind one notifier."""

import logging
from collections.abc import Iterable

from core.notices import Notice
from core.ports import Notifier

log = logging.getLogger(__name__)


class Notifiers:
    """Tells every front; each promises neither to block nor to raise."""

    def __init__(self, fronts: Iterable[Notifier]) -> None:
        self._fronts = tuple(fronts)

    def notify(self, notice: Notice) -> None:
        for front in self._fronts:
            try:
                front.notify(notice)
            except Exception:  # whatever a front does wrong, trading never ends with talking
                log.exception("%s could not be told of %s", type(front).__name__, type(notice).__name__)
