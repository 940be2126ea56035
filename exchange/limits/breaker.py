"""A circuit breaker: after repeated silence, stop asking for a while instead of piling up requests."""

import logging
from enum import StrEnum

from core.clock import Clock
from core.errors import ExchangeUnavailable

_log = logging.getLogger(__name__)


class CircuitState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class CircuitBreaker:
    """Opens after ``failures`` silences in a row; one request may try again after ``cooldown`` seconds.

    Never guards orders that protect or close: those must always be tried. That it opens, and that it closes
    again, is logged once each.
    """

    def __init__(self, name: str, clock: Clock, *, failures: int = 5, cooldown: float = 5.0) -> None:
        self.name = name
        self._clock = clock
        self._failures = failures
        self._cooldown = cooldown
        self._count = 0
        self._opened_at: float | None = None

    @property
    def state(self) -> CircuitState:
        if self._opened_at is None:
            return CircuitState.CLOSED
        cooled = self._clock.monotonic() - self._opened_at >= self._cooldown
        return CircuitState.HALF_OPEN if cooled else CircuitState.OPEN

    def check(self) -> None:
        """Raise ``ExchangeUnavailable`` while open; when half open let this one caller try."""
        state = self.state
        if state is CircuitState.OPEN:
            raise ExchangeUnavailable(f"{self.name}: not asked, after {self._count} failures in a row")
        if state is CircuitState.HALF_OPEN:
            self._opened_at = self._clock.monotonic()

    def succeeded(self) -> None:
        if self._opened_at is not None:
            _log.info("%s: answered again, after %d failures in a row", self.name, self._count)
        self._count = 0
        self._opened_at = None

    def failed(self) -> None:
        self._count += 1
        if self._count >= self._failures:
            if self._opened_at is None:
                _log.warning("%s: no answer %d times in a row", self.name, self._count)
            self._opened_at = self._clock.monotonic()
