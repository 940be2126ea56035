"""What a run has done so far, in numbers that its journal and trade log must confirm."""

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np

from core.positions import Position, Source

REMEMBERED_SCANS = 20_000


@dataclass(slots=True)
class BookTally:
    """Counts and sums of one book's positions that held something; money in USDT, closed ones only."""

    opened: int = 0
    closed: int = 0
    net_pnl: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    funding: Decimal = Decimal(0)


@dataclass(slots=True)
class Tally:
    """Everything counted since the run began; the trader's task alone writes it.

    Of ``signals`` those that are not ``refused`` were given a position, real or virtual. ``unlabelled`` are
    signals that nobody opened and for whose shadow there was no room.
    """

    scans: int = 0
    signals: int = 0
    refused: int = 0
    unprotected_seconds_max: float = 0.0
    real: BookTally = field(default_factory=BookTally)
    virtual: BookTally = field(default_factory=BookTally)
    twin: BookTally = field(default_factory=BookTally)
    shadow: BookTally = field(default_factory=BookTally)
    unlabelled: int = 0
    scan_seconds: deque[float] = field(default_factory=lambda: deque(maxlen=REMEMBERED_SCANS))

    def scanned(self, seconds: float) -> None:
        self.scans += 1
        self.scan_seconds.append(seconds)

    @property
    def unfilled(self) -> int:
        """How many signals were given a position that holds nothing: not yet, or its entry failed."""
        return max(0, self.signals - self.refused - self.real.opened - self.virtual.opened)

    def opened(self, source: Source) -> None:
        self._book(source).opened += 1

    def closed(self, position: Position) -> None:
        book = self._book(position.plan.source)
        book.closed += 1
        book.net_pnl += position.net_pnl
        book.fees += position.fees
        book.funding += position.funding
        if position.plan.source is Source.REAL:
            self.exposed(position.unprotected_seconds)

    def exposed(self, seconds: float) -> None:
        """Note how long a real position was held without a confirmed stop, in machine seconds."""
        self.unprotected_seconds_max = max(self.unprotected_seconds_max, seconds)

    def scan_ms(self, percentile: float) -> float | None:
        """Return a percentile of close-to-ranked-list times, ``None`` before the first scan."""
        if not self.scan_seconds:
            return None
        return float(np.percentile(self.scan_seconds, percentile)) * 1000

    def _book(self, source: Source) -> BookTally:
        books = {
            Source.REAL: self.real,
            Source.VIRTUAL: self.virtual,
            Source.TWIN: self.twin,
            Source.SHADOW: self.shadow,
        }
        return books[source]
