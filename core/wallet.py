"""The wallet, every change of which is accounted for: pure bookkeeping on the exchange's own records."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from core.income import Income
from core.market import MINUTE_MS

OVERLAP_MS = 10 * MINUTE_MS
"""How much later than it happened a change may appear among the exchange's records."""

ROUNDING = Decimal("0.0001")
"""USDT; a smaller difference is the exchange's rounding."""

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wallet:
    """What the wallet held when it was last accounted for, at ``at`` (market ms).

    ``balance`` is ``None`` before the first read. ``counted`` are the incomes that make it up and that may be
    listed again, with their times.
    """

    balance: Decimal | None = None
    at: int = 0
    counted: Mapping[str, int] = field(default_factory=dict)

    @property
    def asks_since(self) -> int:
        """From when on incomes must be asked for so that none is missed (ms)."""
        return max(self.at - OVERLAP_MS, 0)

    @property
    def is_known(self) -> bool:
        return self.balance is not None

    def news(self, incomes: Iterable[Income]) -> tuple[Income, ...]:
        """Return what has not been counted yet, each once, in the order in which it happened."""
        unknown = {
            each.income_id: each
            for each in incomes
            if each.at >= self.asks_since and each.income_id not in self.counted
        }
        return tuple(sorted(unknown.values(), key=lambda each: each.at))

    def leading_to(self, balance: Decimal, news: Sequence[Income]) -> tuple[Income, ...] | None:
        """Return the longest beginning of ``news`` that makes the wallet ``balance``, ``None`` if none does.

        News may be younger than the read of the balance, so that not all of them are in it.
        """
        reached, found = self._known, None
        for count in range(len(news) + 1):
            if count:
                reached += news[count - 1].amount
            if abs(reached - balance) <= ROUNDING:
                found = count
        return None if found is None else tuple(news[:found])

    def unexplained(self, balance: Decimal, news: Sequence[Income]) -> Decimal:
        """Return what is left of a change when all news are taken into account, in USDT."""
        return balance - self._known - sum((each.amount for each in news), _ZERO)

    def accounted(self, balance: Decimal, incomes: Sequence[Income], *, at: int) -> "Wallet":
        """Return the wallet that ``incomes`` have made, or begin with; the same where none has."""
        if self.balance == balance and not incomes:
            return self
        counted = {**self.counted, **{each.income_id: each.at for each in incomes}}
        recent = {name: when for name, when in counted.items() if when >= at - OVERLAP_MS}
        return Wallet(balance=balance, at=at, counted=recent)

    @property
    def _known(self) -> Decimal:
        return _ZERO if self.balance is None else self.balance
