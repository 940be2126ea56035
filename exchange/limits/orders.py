"""How many orders an account may send: counted here before the exchange counts them."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from core.clock import Clock
from core.errors import RateLimited
from exchange.limits.weight import Priority

TOO_MANY_ORDERS = -1015


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLimit:
    """At most ``orders`` in any ``seconds`` of market time."""

    orders: int
    seconds: float


BINANCE_LIMITS = (OrderLimit(orders=300, seconds=10), OrderLimit(orders=1200, seconds=60))


class OrderLimiter:
    """Keeps orders inside every limit, whatever the phase of the exchange's own windows.

    What protects or closes waits for its turn. Anything else is refused at once, because an entry that
    comes late is worse than none; it also takes no more than ``share`` of each limit, so that what protects
    never stands behind it. ``period`` is the length of a market minute in machine seconds.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        limits: Sequence[OrderLimit] = BINANCE_LIMITS,
        period: float = 60.0,
        share: float = 0.45,
    ) -> None:
        self._clock = clock
        self._limits = tuple(limits)
        self._share = share
        self.period = period
        self._sent = deque[float](maxlen=_most(limits))

    def set_limits(self, limits: Sequence[OrderLimit]) -> None:
        """Take the limits that the exchange itself announces; none told leaves those we know."""
        if limits and tuple(limits) != self._limits:
            self._limits = tuple(limits)
            self._sent = deque(self._sent, maxlen=_most(limits))

    async def acquire(self, priority: Priority) -> None:
        """Count one order. Raises ``RateLimited`` where it may not leave now and need not leave at all."""
        while wait := self._wait(priority):
            if priority is not Priority.PROTECTIVE:
                raise RateLimited(TOO_MANY_ORDERS, "as many orders as may be were sent", retry_after=wait)
            await self._clock.sleep(wait)
        self._sent.append(self._clock.monotonic())

    def _wait(self, priority: Priority) -> float:
        """Return for how many seconds one more order would break a limit."""
        share = _SAFE if priority is Priority.PROTECTIVE else self._share
        return max(self._wait_for(each, max(int(each.orders * share), 1)) for each in self._limits)

    def _wait_for(self, limit: OrderLimit, allowed: int) -> float:
        if len(self._sent) < allowed:
            return 0.0
        window = limit.seconds * self.period / 60
        return max(0.0, self._sent[-allowed] + window - self._clock.monotonic())


_SAFE = 0.95
"""Of each limit: requests sent apart may arrive together."""


def _most(limits: Sequence[OrderLimit]) -> int:
    return max(each.orders for each in limits)
