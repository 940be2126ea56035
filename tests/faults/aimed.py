"""Storms of one kind: what else happens would only hide what this does."""

from collections.abc import Callable

from exchange.sim.server.faults.catalogue import MarketFault
from exchange.sim.server.faults.plan import Rule
from tests.faults.deeds import Appointment, Deed
from tests.faults.plan import Weather


def again_and_again(*deeds: Deed, beside: tuple[Rule, ...] = ()) -> Callable[[int], Weather]:
    """Return storms in which nothing else happens than these deeds, in turn, every four seconds.

    ``beside``: the faults that alone can hide them.
    """

    def weather(seed: int) -> Weather:
        moments = (
            Appointment(at=4.0 * turn, deed=deeds[turn % len(deeds)], size=(seed * turn % 10) / 10)
            for turn in range(1, 17)
        )
        return Weather(seed=seed, rules=beside, deeds=tuple(moments))

    return weather


def struck_by(*rules: Rule) -> Callable[[int], Weather]:
    """Return storms of these faults alone."""
    return lambda seed: Weather(seed=seed, rules=rules)


def streamed(*faults: MarketFault) -> Callable[[int], Weather]:
    """Return storms in which these faults strike candles on their way."""
    rules = tuple(Rule(fault=fault, rate=0.1) for fault in faults)
    return lambda seed: Weather(seed=seed, streams_candles=True, rules=rules)
