"""When faults strike: at a rate drawn from a seed, or at exact calls."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from core.rng import seeded
from exchange.sim.server.faults.catalogue import Fault, MarketFault, MinuteFault, RestFault, StreamFault

Group = TypeVar("Group", RestFault, StreamFault, MarketFault, MinuteFault)


_REMEMBERED = 10_000  # strikes


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One fault and when it strikes.

    ``match`` is a part of what it may happen to ("POST /fapi/v1/order", "ORDER_TRADE_UPDATE", "BTCUSDT").
    Of what matches, the calls numbered ``at`` (from 1) are struck, or each with probability ``rate``; at
    most ``times``. ``seconds`` (machine time) and ``code`` mean what the catalogue says; ``executed``
    whether a call of unknown outcome had its effect.
    """

    fault: Fault
    rate: float = 0.0
    at: frozenset[int] = frozenset()
    match: str = ""
    times: int | None = None
    seconds: float = 1.0
    code: int = -1000
    executed: bool = True


@dataclass(slots=True)
class ActiveRule:
    """A rule at work: how often it was asked, how often it struck."""

    rule: Rule
    seen: int = 0
    struck: int = 0


@dataclass(frozen=True, slots=True)
class Strike:
    """One fault that happened, for the record: what struck what, and as which of its matches."""

    fault: Fault
    subject: str
    number: int


@dataclass(slots=True)
class FaultPlan:
    """The rules in force. The same seed, rules and order of calls strike the same calls."""

    seed: int = 0
    active: list[ActiveRule] = field(default_factory=list)
    strikes: deque[Strike] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    _draw: Callable[[], float] = field(init=False)

    def __post_init__(self) -> None:
        self._draw = seeded(self.seed).random

    def add(self, rules: Iterable[Rule]) -> None:
        self.active += [ActiveRule(rule) for rule in rules]

    def clear(self) -> None:
        self.active.clear()

    def has(self, group: type[Group]) -> bool:
        """Whether any rule could strike; without one, the hot paths need not ask."""
        return any(isinstance(each.rule.fault, group) for each in self.active)

    def strike(self, group: type[Group], subject: str) -> tuple[Group, Rule] | None:
        """Return the first fault of a group that strikes ``subject`` now, and its rule."""
        for each in self.active:
            fault = each.rule.fault
            if isinstance(fault, group) and each.rule.match in subject and self._strikes(each):
                self.strikes.append(Strike(fault, subject, each.seen))
                return fault, each.rule
        return None

    def _strikes(self, each: ActiveRule) -> bool:
        each.seen += 1
        if each.rule.times is not None and each.struck >= each.rule.times:
            return False
        hit = each.seen in each.rule.at or (each.rule.rate > 0 and self._draw() < each.rule.rate)
        each.struck += hit
        return hit


def usual_mix() -> tuple[Rule, ...]:
    """Return what ``--faults SEED`` switches on: a bad day, with some of everything a client must survive."""
    return (
        *(Rule(fault=fault, rate=0.004) for fault in _OFTEN),
        Rule(fault=RestFault.ERROR_1001, rate=0.004, executed=False),
        Rule(fault=RestFault.LATE_REPLY, rate=0.01, seconds=0.5),
        Rule(fault=RestFault.CLOCK_SKEW, rate=0.001),
        Rule(fault=RestFault.NOT_FOUND_YET, rate=0.05, match="GET /fapi/v1/algoOrder"),
        Rule(fault=StreamFault.EVENT_TWICE, rate=0.02),
        Rule(fault=StreamFault.EVENT_MISSING, rate=0.01),
        Rule(fault=StreamFault.EVENT_LATE, rate=0.02, seconds=0.3),
        Rule(fault=StreamFault.EVENTS_SWAPPED, rate=0.02),
        Rule(fault=MarketFault.CANDLE_MISSING, rate=0.0005),
        Rule(fault=MarketFault.CANDLE_TWICE, rate=0.0005),
        Rule(fault=MarketFault.CANDLE_REVISED, rate=0.0002),
        Rule(fault=MinuteFault.PRICE_SPIKE, rate=0.05),
        Rule(fault=MinuteFault.STREAMS_CUT, rate=0.01),
        Rule(fault=MinuteFault.CONDITIONAL_CANCELLED, rate=0.01),
    )


_OFTEN = (
    RestFault.LOSE_REQUEST,
    RestFault.LOSE_REPLY,
    RestFault.ERROR_1007,
    RestFault.UNKNOWN_503,
    RestFault.GATEWAY_HTML,
    RestFault.OVERLOADED_1008,
)
