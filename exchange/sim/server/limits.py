"""Request weight by address and order counts by account, in fixed windows of market time.

Windows follow market time, so that a market at 60 × speed lets a client ask 60 times as often; what a client
is told to wait (Retry-After, "banned until") is in machine time, because that is the time it will wait in.
"""

from collections import defaultdict
from dataclasses import dataclass

from core.market import DAY_MS, MINUTE_MS
from exchange.sim.server import refusals
from exchange.sim.server.stepper import MarketTime

_PATIENCE = 10
"""Calls answered with 429 in one minute before a ban. Binance tells no number; this one is ours."""

_FIRST_BAN_MS = 2 * MINUTE_MS
_LONGEST_BAN_MS = 3 * DAY_MS
_TEN_SECONDS_MS = 10_000

ORDERS_PER_TEN_SECONDS = 300
ORDERS_PER_MINUTE = 1200


@dataclass(slots=True)
class _Usage:
    minute: int = -1
    weight: int = 0
    violations: int = 0
    bans: int = 0
    banned_until_ms: int = 0


class WeightLimiter:
    """Counts weight by address; the bans of one address grow from two market minutes to three days."""

    def __init__(self, time: MarketTime, *, limit: int) -> None:
        self.limit = limit
        self._time = time
        self._usage: defaultdict[str, _Usage] = defaultdict(_Usage)

    def charge(self, address: str, weight: int) -> int:
        """Count one call and return the minute's weight so far.

        Raises ``Refusal`` with status 429 beyond the limit, 418 during a ban.
        """
        usage, now_ms = self._usage[address], self._time.limiter_ms()
        if now_ms < usage.banned_until_ms:
            raise self._banned(address, usage, now_ms)
        if now_ms // MINUTE_MS != usage.minute:
            usage.minute, usage.weight, usage.violations = now_ms // MINUTE_MS, 0, 0
        usage.weight += weight
        if usage.weight > self.limit:
            raise self._violated(address, usage, now_ms)
        return usage.weight

    def used(self, address: str) -> int:
        usage = self._usage[address]
        return usage.weight if usage.minute == self._time.limiter_ms() // MINUTE_MS else 0

    def ban(self, address: str) -> None:
        """Ban an address now, for twice as long as the last time."""
        usage = self._usage[address]
        length = min(_FIRST_BAN_MS << usage.bans, _LONGEST_BAN_MS)
        usage.bans += 1
        usage.banned_until_ms = self._time.limiter_ms() + length

    def _violated(self, address: str, usage: _Usage, now_ms: int) -> refusals.Refusal:
        usage.violations += 1
        if usage.violations > _PATIENCE:
            self.ban(address)
            return self._banned(address, usage, now_ms)
        left = MINUTE_MS - now_ms % MINUTE_MS
        return refusals.too_much_weight(address, self.limit, self._time.machine_seconds(left))

    def _banned(self, address: str, usage: _Usage, now_ms: int) -> refusals.Refusal:
        wait = self._time.machine_seconds(usage.banned_until_ms - now_ms)
        return refusals.banned(address, self._time.wire_ms() + wait * 1000, wait)


class OrderCounter:
    """Counts the orders of one account in windows of ten seconds and of a minute."""

    def __init__(self, time: MarketTime) -> None:
        self._time = time
        self._counts: defaultdict[tuple[str, int], tuple[int, int]] = defaultdict(lambda: (-1, 0))

    def charge(self, account: str, *, ten_seconds: int, minute: int) -> None:
        """Count an order call. Raises ``Refusal`` -1015 when a window is full."""
        self._add(account, _TEN_SECONDS_MS, ten_seconds)
        self._add(account, MINUTE_MS, minute)
        if self.used(account, _TEN_SECONDS_MS) > ORDERS_PER_TEN_SECONDS:
            raise refusals.too_many_orders(ORDERS_PER_TEN_SECONDS, "TEN_SECONDS")
        if self.used(account, MINUTE_MS) > ORDERS_PER_MINUTE:
            raise refusals.too_many_orders(ORDERS_PER_MINUTE, "MINUTE")

    def used(self, account: str, window_ms: int) -> int:
        number, count = self._counts[account, window_ms]
        return count if number == self._time.limiter_ms() // window_ms else 0

    def headers(self, account: str) -> dict[str, str]:
        return {
            "X-MBX-ORDER-COUNT-10S": str(self.used(account, _TEN_SECONDS_MS)),
            "X-MBX-ORDER-COUNT-1M": str(self.used(account, MINUTE_MS)),
        }

    def _add(self, account: str, window_ms: int, count: int) -> None:
        used = self.used(account, window_ms)
        self._counts[account, window_ms] = self._time.limiter_ms() // window_ms, used + count
