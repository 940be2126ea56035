"""Every strategy there is. A new one is a file of its own and a place in this list."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from strategies.ict_smc import IctSmc
from strategies.kernel.meanings import MEANINGS
from strategies.kernel.parameters import KernelParameters
from strategies.strategy import Strategy
from strategies.tuning import Described, describe, tuned

CATALOGUE: tuple[Strategy, ...] = (IctSmc(),)
KERNEL = "kernel"
"""The name under which the kernel's parameters are known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineUp:
    """The strategies of a run, disabled ones included, and how the market is read for all of them."""

    kernel: KernelParameters
    strategies: tuple[Strategy, ...]

    def described(self) -> Iterator[tuple[str, Iterator[Described]]]:
        """Yield the parameters of the kernel and of each strategy under its name."""
        yield KERNEL, describe(self.kernel, MEANINGS)
        for strategy in self.strategies:
            yield strategy.name, strategy.described()


def line_up(changes: Mapping[str, str], *, catalogue: Sequence[Strategy] = CATALOGUE) -> LineUp:
    """Set up every strategy; ``changes`` are values by ``kernel.PARAMETER`` or ``STRATEGY.PARAMETER``.

    Raises ``ValueError``, naming what it is about, for changes that can not be.
    """
    by_owner: dict[str, dict[str, str]] = defaultdict(dict)
    for name, text in changes.items():
        owner, _, parameter = name.partition(".")
        by_owner[owner][parameter] = text
    owners = [KERNEL, *(strategy.name for strategy in catalogue)]
    if unknown := [owner for owner in by_owner if owner not in owners]:
        raise ValueError(f"{unknown[0]} is no strategy: there are {', '.join(owners)}")
    with _about(KERNEL):
        kernel = tuned(KernelParameters(), by_owner[KERNEL])
    return LineUp(kernel=kernel, strategies=tuple(_tuned(each, by_owner[each.name]) for each in catalogue))


def _tuned(strategy: Strategy, changes: Mapping[str, str]) -> Strategy:
    with _about(strategy.name):
        return strategy.tuned(changes)


@contextmanager
def _about(owner: str) -> Iterator[None]:
    try:
        yield
    except ValueError as refusal:
        raise ValueError(f"{owner}: {refusal}") from None
