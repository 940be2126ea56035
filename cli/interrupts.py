"""Ctrl-C and SIGTERM: the first ends a run in good order, the second at once."""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_SHOW_CURSOR = "\x1b[?25h"


def end_on_interrupt(task: asyncio.Task[Any]) -> None:
    """Cancel ``task`` at the first signal. Whoever sends another will not wait for anything.

    Leaving at once is safe: stops rest at the exchange, and the next start takes up what is open.
    """
    loop = asyncio.get_running_loop()

    def first() -> None:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
            signal.signal(number, _leave)
        task.cancel()

    with suppress(NotImplementedError):  # Windows: asyncio cancels at Ctrl-C, and leaves at the second
        for number in _SIGNALS:
            loop.add_signal_handler(number, first)


def _leave(number: int, _: FrameType | None) -> None:
    if sys.stderr.isatty():
        os.write(sys.stderr.fileno(), _SHOW_CURSOR.encode())
    os._exit(128 + number)
