"""One circuit breaker for each class of endpoints: that one is silent says nothing of the others."""

from enum import StrEnum

from core.clock import Clock
from exchange.limits.breaker import CircuitBreaker, CircuitState


class EndpointClass(StrEnum):
    """What is asked of the exchange; the values name the circuits to people."""

    MARKET = "market reads"
    ACCOUNT = "account reads"
    LISTEN_KEYS = "listen keys"
    SETTINGS = "leverage and margin"
    CLOCK = "server time"
    QUERIES = "order queries"
    ORDERS = "orders"
    CONDITIONALS = "conditional orders"

    @property
    def is_vital(self) -> bool:
        """Whether it opens, closes, protects or finds out about positions: no breaker stands before that."""
        return self in _VITAL


_VITAL = frozenset(
    {EndpointClass.CLOCK, EndpointClass.QUERIES, EndpointClass.ORDERS, EndpointClass.CONDITIONALS}
)
_ENTRY_COOLDOWN = 30.0
"""Seconds without an entry after orders were silent: the next one may be one that nothing protects."""


class Circuits:
    """The breakers of one venue; those of vital endpoints bar nothing but new entries."""

    def __init__(self, clock: Clock) -> None:
        self._breakers = {
            each: CircuitBreaker(f"binance {each}", clock, cooldown=_cooldown(each)) for each in EndpointClass
        }

    def __getitem__(self, kind: EndpointClass) -> CircuitBreaker:
        return self._breakers[kind]

    def check(self, kind: EndpointClass) -> None:
        """Raise ``ExchangeUnavailable`` while ``kind`` is silent, unless it is vital."""
        if not kind.is_vital:
            self._breakers[kind].check()

    @property
    def any_open(self) -> bool:
        return any(each.state is CircuitState.OPEN for each in self._breakers.values())


def _cooldown(kind: EndpointClass) -> float:
    return _ENTRY_COOLDOWN if kind in {EndpointClass.ORDERS, EndpointClass.CONDITIONALS} else 5.0
