"""What a strategy is to those who host it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, Self

from core.signals import Candidate
from strategies.kernel.market import MarketKernel
from strategies.tuning import Described


class Strategy(Protocol):
    """One way to find candidates. Reads the kernel that all strategies share, keeps no state of its own."""

    @property
    def name(self) -> str: ...

    @property
    def enabled(self) -> bool:
        """Whether it is asked at all."""
        ...

    def candidates(self, kernel: MarketKernel, closed_minute_ms: int) -> Sequence[Candidate]:
        """Return this minute's set-ups; ``closed_minute_ms`` is the minute's open time."""
        ...

    def described(self) -> Iterator[Described]:
        """Yield every parameter, for people."""
        ...

    def tuned(self, changes: Mapping[str, str]) -> Self:
        """Return the strategy with other parameters. Raises ``ValueError`` for those that can not be."""
        ...
