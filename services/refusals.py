"""Symbols that keep refusing: counted, so that they can be left alone for a while."""

from collections import defaultdict, deque

REFUSALS = 3
WINDOW_MS = 3_600_000
BAN_MS = 4 * 3_600_000


class Refusals:
    """Remembers when entries into a symbol were refused lately."""

    def __init__(self) -> None:
        self._at: defaultdict[str, deque[int]] = defaultdict(lambda: deque(maxlen=REFUSALS))

    def is_last_straw(self, symbol: str, at: int) -> bool:
        """Count one more refusal (ms); ``True`` when it is the third within an hour."""
        times = self._at[symbol]
        times.append(at)
        if len(times) < REFUSALS or at - times[0] > WINDOW_MS:
            return False
        del self._at[symbol]
        return True
