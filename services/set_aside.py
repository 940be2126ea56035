"""Symbols the exchange would not give the candles of: why, until when, and when to ask again."""

from collections.abc import Mapping
from dataclasses import dataclass

from core.clock import Clock
from core.market import MINUTE_MS

FIRST_MS = 15 * MINUTE_MS
LONGEST_MS = 240 * MINUTE_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """One symbol left out: ``failures`` fetches in a row came to nothing; the next is at ``until_ms``."""

    reason: str
    until_ms: int
    failures: int


class SetAside:
    """Each failure doubles how long a symbol is left alone: 15 minutes at first, four hours at most."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._left_out: dict[str, Exclusion] = {}

    def put(self, symbol: str, reason: str) -> None:
        before = self._left_out.get(symbol)
        failures = before.failures + 1 if before else 1
        pause_ms = min(FIRST_MS * 2 ** min(failures - 1, 16), LONGEST_MS)
        until_ms = self._clock.market_ms() + pause_ms
        self._left_out[symbol] = Exclusion(reason=reason, until_ms=until_ms, failures=failures)

    def release(self, symbol: str) -> None:
        """Forget a symbol, because its candles came or nobody wants them any more."""
        self._left_out.pop(symbol, None)

    def due(self) -> list[str]:
        """Return who may be asked for again."""
        now = self._clock.market_ms()
        return [symbol for symbol, each in self._left_out.items() if each.until_ms <= now]

    @property
    def all(self) -> Mapping[str, Exclusion]:
        return dict(self._left_out)
