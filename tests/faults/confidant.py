"""Reads all that is logged in a storm for what nobody may read."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Confidant(logging.Handler):
    """``overhear`` gets every line, its exception's text too."""

    def __init__(self, overhear: Callable[[str], None]) -> None:
        super().__init__()
        self._overhear = overhear

    def emit(self, record: logging.LogRecord) -> None:
        self._overhear(self.format(record))


@contextmanager
def listening(overhear: Callable[[str], None]) -> Iterator[None]:
    """Hear everything that is logged meanwhile."""
    confidant, root = Confidant(overhear), logging.getLogger()
    root.addHandler(confidant)
    try:
        yield
    finally:
        root.removeHandler(confidant)
