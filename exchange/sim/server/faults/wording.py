"""A fault rule as /sim/v1/faults words it."""

from collections.abc import Mapping
from difflib import get_close_matches
from math import isfinite

from exchange.sim.server import refusals
from exchange.sim.server.faults.catalogue import ALL
from exchange.sim.server.faults.plan import Rule

_KNOWN = frozenset({"fault", "rate", "at", "match", "times", "seconds", "code", "executed"})
_LONGEST_SECONDS = 3600.0


def rule_of(params: Mapping[str, str]) -> Rule:
    """Read a rule: ``fault`` by name, ``at`` as numbers between commas, ``executed`` true or false.

    Raises ``Refusal`` that names the parameter which makes no sense.
    """
    for name in params:
        if name not in _KNOWN:
            raise refusals.malformed(name)
    if params.get("fault") not in ALL:
        raise _no_such_fault(params.get("fault", ""))
    numbers = [part for part in params.get("at", "").split(",") if part]
    return Rule(
        fault=ALL[params["fault"]],
        rate=_number(params, "rate", 0.0, most=1.0),
        at=frozenset(_whole(part, "at") for part in numbers),
        match=params.get("match", ""),
        times=_whole(params["times"], "times") if params.get("times") else None,
        seconds=_number(params, "seconds", 1.0, most=_LONGEST_SECONDS),
        code=-_whole(params.get("code", "-1000").removeprefix("-"), "code"),
        executed=params.get("executed", "true") == "true",
    )


def _no_such_fault(name: str) -> refusals.Refusal:
    """Say which fault may have been meant, or where all of them are listed."""
    nearest = get_close_matches(name, ALL, n=1)
    hint = f"did you mean '{nearest[0]}'?" if nearest else "docs/simulator.md lists them."
    return refusals.Refusal(-1130, f"Data sent for parameter 'fault' is not valid: {hint}")


def _number(params: Mapping[str, str], name: str, default: float, *, most: float) -> float:
    try:
        value = float(params.get(name, default))
    except ValueError:
        raise refusals.malformed(name) from None
    if not (isfinite(value) and 0 <= value <= most):
        raise refusals.malformed(name)
    return value


def _whole(text: str, name: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise refusals.malformed(name)
    return int(text)
