"""All the books of a run: real money, what is followed on paper, and the twins of what is real."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from core.clock import Clock
from core.lifecycle import LifecycleParameters
from core.market import MinuteClosed
from core.ports import Execution, Recorder
from core.positions import ExitReason, Position, Source, Stage
from services.book import Book, BookListener, MinuteDriven

_UNSETTLED = {Stage.INTENDED, Stage.ENTERING, Stage.UNKNOWN, Stage.PROTECTING}


class PaperVenue(Execution, MinuteDriven, Protocol):
    """A venue made of closed candles that takes orders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Venues:
    """Where the books trade; ``*_driver`` is given where the venue is made of closed candles.

    ``twin`` is where every real position is also held on paper; without it there are no twins. ``shadow``
    makes empty paper accounts for what nobody opens; without it that is not followed.
    """

    real: Execution
    virtual: Execution
    real_driver: MinuteDriven | None = None
    virtual_driver: MinuteDriven | None = None
    twin: PaperVenue | None = None
    shadow: Callable[[], PaperVenue] | None = None


class Books:
    """One book a source, kept by the same rules; iterates over all of them.

    The real one comes last: what is decided on paper must not wait for it.
    """

    def __init__(
        self,
        venues: Venues,
        listener: Callable[[Source], BookListener],
        *,
        journal: Recorder,
        clock: Clock,
        parameters: LifecycleParameters,
    ) -> None:
        """``listener`` gives the ears of each book."""

        def book(source: Source, execution: Execution, driver: MinuteDriven | None) -> Book:
            return Book(
                source,
                execution,
                journal=journal,
                clock=clock,
                parameters=parameters,
                listener=listener(source),
                venue=driver,
            )

        self._clock = clock
        self.real = book(Source.REAL, venues.real, venues.real_driver)
        self.virtual = book(Source.VIRTUAL, venues.virtual, venues.virtual_driver)
        self.twins = book(Source.TWIN, venues.twin, venues.twin) if venues.twin else None

    def __iter__(self) -> Iterator[Book]:
        yield self.virtual
        if self.twins is not None:
            yield self.twins
        yield self.real

    def of(self, source: Source) -> Book:
        """Return the book in which people and signals open and close positions of ``source``."""
        return self.real if source is Source.REAL else self.virtual

    def restore(self, positions: Sequence[Position], known_ids: Sequence[str]) -> None:
        """Take up what an earlier run left open, each book its own; the real one's questions come first.

        ``known_ids`` are those of the positions that changed last, the newest first.
        """
        for book in reversed(tuple(self)):
            theirs = [each for each in positions if each.plan.source is book.source]
            book.restore(theirs, () if book is self.twins else known_ids)

    def tick(self, marks: Mapping[str, Decimal]) -> None:
        """Look at every deadline, those of real money first; ``marks`` are about it."""
        for book in reversed(tuple(self)):
            book.tick(marks if book is self.real else None)

    def advance(self, minute: MinuteClosed) -> None:
        """Let the candle-made venues live through the minute."""
        for book in self:
            book.advance(minute)

    def close_everywhere(self, symbol: str, reason: ExitReason) -> None:
        """Leave a symbol in every book."""
        for book in self:
            book.request_close(symbol, reason)

    def close_real(self) -> int:
        """Ask every real position to close at market; returns how many will."""
        held = list(self.real.positions)
        return sum(self.real.request_close(symbol, ExitReason.OPERATOR) for symbol in held)

    @property
    def is_unsettled(self) -> bool:
        """Whether real money is on its way in, or held without a confirmed stop."""
        return any(position.stage in _UNSETTLED for position in self.real.positions.values())

    def unprotected_seconds_max(self) -> float:
        """Return the longest that a live real position has been held without a confirmed stop."""
        mono = self._clock.monotonic()
        live = (
            max(each.unprotected_seconds, mono - each.exposed_mono if each.exposed_mono is not None else 0.0)
            for each in self.real.positions.values()
        )
        return max(live, default=0.0)
