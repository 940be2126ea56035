"""Listen keys: the tickets to user-data streams, good for an hour of machine time.

Machine time, because clients renew them by their own timers: at 60 × speed a market hour is a minute.
"""

import hashlib
from collections.abc import Iterable

from core.clock import Clock
from exchange.sim.server import refusals

LIFE_SECONDS = 3600.0


class ListenKeys:
    """One key an account; asking again returns the same and extends it."""

    def __init__(self, clock: Clock, *, life_seconds: float = LIFE_SECONDS) -> None:
        self._clock = clock
        self._life = life_seconds
        self._issued = 0
        self._key_of: dict[str, str] = {}
        self._account_of: dict[str, str] = {}
        self._ends: dict[str, float] = {}

    def issue(self, account: str) -> str:
        key = self._key_of.get(account)
        if key is None:
            self._issued += 1
            key = hashlib.sha256(f"{account} {self._issued}".encode()).hexdigest()
            self._key_of[account], self._account_of[key] = key, account
        self._ends[key] = self._clock.monotonic() + self._life
        return key

    def extend(self, account: str) -> str:
        """Give the account's key another hour. Raises ``Refusal`` -1125 when it has none."""
        if account not in self._key_of:
            raise refusals.no_listen_key()
        return self.issue(account)

    def close(self, account: str) -> None:
        key = self._key_of.pop(account, None)
        if key is not None:
            del self._account_of[key], self._ends[key]

    def account_of(self, key: str) -> str | None:
        return self._account_of.get(key)

    def key_of(self, account: str) -> str | None:
        return self._key_of.get(account)

    def expire(self, early: Iterable[str] = ()) -> list[str]:
        """Take back the keys whose hour is over, and ``early`` ones; return them for their listeners."""
        now, struck = self._clock.monotonic(), set(early)
        over = [key for key, end in self._ends.items() if end <= now or key in struck]
        for key in over:
            self.close(self._account_of[key])
        return over
