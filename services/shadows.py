"""Signals that nobody opened, followed on paper to their end: what they would have brought is their label.

They live by the same lifecycle, the same exits and the same fills as virtual positions, but take no slot,
teach the ranking nothing and are in no statistics. Only their rows in the trade log tell of them.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, zip_longest

from core.clock import Clock
from core.errors import JournalError
from core.instruments import Instrument
from core.journal import Entry, IntentRecorded, PositionChanged, PositionClosed, ending
from core.lifecycle import LifecycleParameters
from core.market import MinuteClosed
from core.ports import Recorder
from core.positions import ExitReason, Position, PositionPlan, Source
from core.signals import Candidate
from services.book import Book, BookListener, unheard
from services.bookkeeping import Bookkeeper
from services.books import PaperVenue
from services.monitoring import MonitoringService
from services.snapshots import Snapshots
from services.tally import Tally

log = logging.getLogger(__name__)

LAYERS = 8
"""Shadows of one symbol at once: a later signal need not wait until an earlier one has ended."""
MOST = 500
"""Shadows of all symbols at once; what comes on top is journalled as ever, but gets no label."""


class Shadows:
    """Paper books in layers, each with at most one shadow a symbol.

    Nothing that is sent can be lost here, so their changes are written once a minute, in one transaction.
    """

    def __init__(
        self,
        venue: Callable[[], PaperVenue] | None,
        *,
        journal: Recorder,
        snapshots: Snapshots,
        bookkeeper: Bookkeeper,
        monitoring: MonitoringService,
        tally: Tally,
        clock: Clock,
        parameters: LifecycleParameters,
    ) -> None:
        """``venue`` makes an empty paper account for a layer; without it nothing is followed."""
        self._venue = venue
        self._journal = journal
        self._snapshots = snapshots
        self._bookkeeper = bookkeeper
        self._monitoring = monitoring
        self._tally = tally
        self._clock = clock
        self._parameters = parameters
        self._layers: list[Book] = []
        self._contracts: Mapping[str, Instrument] | None = None
        self._changes = _Changes()

    def __len__(self) -> int:
        return sum(len(layer.positions) for layer in self._layers)

    @property
    def positions(self) -> Iterator[Position]:
        return chain.from_iterable(layer.positions.values() for layer in self._layers)

    def restore(self, positions: Iterable[Position]) -> None:
        """Take up the shadows that an earlier process followed."""
        by_symbol: defaultdict[str, list[Position]] = defaultdict(list)
        for position in positions:
            if position.plan.source is Source.SHADOW:
                by_symbol[position.symbol].append(position)
        for held in zip_longest(*by_symbol.values()):
            layer = self._new_layer()
            if layer is not None:
                layer.restore([each for each in held if each is not None])

    def live_through(self, minute: MinuteClosed) -> None:
        """Fill, stop, move stops and end what is over; then write down what has changed."""
        for layer in self._layers:
            layer.advance(minute)
            self._monitoring.look_after(layer, minute)
            layer.tick()
        if changes := self._changes.taken():
            self._journal.append(changes)

    def follow(self, plans: Sequence[PositionPlan]) -> None:
        """Follow these from the next candle on, as far as there is room."""
        new = [plan for plan in plans if not any(layer.knows(plan.position_id) for layer in self._layers)]
        room = max(MOST - len(self), 0)
        placed = self._placed(new[:room])
        self._tally.unlabelled += len(new) - len(placed)
        if not placed or not self._is_written([plan for _, plan in placed]):
            return
        for layer, plan in placed:
            self._snapshots.take(plan)
            layer.open(plan)

    def withdraw(self, candidate: Candidate) -> None:
        """Take back a shadow that waits for the next candle: its signal was opened after all."""
        for layer in self._layers:
            position = layer.positions.get(candidate.symbol)
            if position is not None and position.plan.candidate.signal_id == candidate.signal_id:
                layer.withdraw(candidate.symbol)

    def follow_contracts(self, instruments: Mapping[str, Instrument]) -> None:
        """Hold what is followed to its contract's newest terms."""
        self._contracts = instruments
        for layer in self._layers:
            layer.follow(instruments)

    def leave(self, symbol: str) -> None:
        """End what is followed of a contract that stops trading."""
        for layer in self._layers:
            layer.request_close(symbol, ExitReason.DELISTED)

    def _is_written(self, plans: Sequence[PositionPlan]) -> bool:
        seen_at = self._clock.market_ms()
        intents = [
            Entry(body=IntentRecorded(plan=plan), at=plan.planned_at, seen_at=seen_at) for plan in plans
        ]
        try:
            self._journal.append(intents)
        except JournalError:
            log.warning("%d shadows are not followed: they could not be written down", len(plans))
            return False
        return True

    def _placed(self, plans: Sequence[PositionPlan]) -> Sequence[tuple[Book, PositionPlan]]:
        """Find each the first layer in which its symbol has no shadow, as long as there may be another."""
        placed: list[tuple[Book, PositionPlan]] = []
        for plan in plans:
            taken = [layer for layer, each in placed if each.symbol == plan.symbol]
            free = (
                layer for layer in self._layers if plan.symbol not in layer.positions and layer not in taken
            )
            layer = next(free, None) or self._new_layer()
            if layer is not None:
                placed.append((layer, plan))
        return placed

    def _new_layer(self) -> Book | None:
        if self._venue is None or len(self._layers) >= LAYERS:
            return None
        venue = self._venue()
        layer = Book(
            Source.SHADOW,
            venue,
            journal=self._changes,
            clock=self._clock,
            parameters=self._parameters,
            listener=self._listener(),
            venue=venue,
        )
        if self._contracts is not None:
            layer.follow(self._contracts)
        self._layers.append(layer)
        return layer

    def _listener(self) -> BookListener:
        return BookListener(
            ending=self._ending,
            entered=lambda _: self._tally.opened(Source.SHADOW),
            opened=unheard,
            closed=self._closed,
            worried=unheard,
            account=unheard,
            stray=unheard,
        )

    def _ending(self, position: Position) -> Sequence[Entry]:
        if not position.fills:
            return ()
        return (ending(self._snapshots.record_of(position), seen_at=self._clock.market_ms()),)

    def _closed(self, position: Position) -> None:
        if position.fills:
            self._tally.closed(position)
            self._bookkeeper.keep(self._snapshots.record_of(position))
        self._snapshots.drop(position.position_id)


class _Changes:
    """What happened to shadows since it was last taken: of each the newest state alone, and every end."""

    def __init__(self) -> None:
        self._newest: dict[str, Entry] = {}

    def append(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if isinstance(entry.body, PositionChanged | PositionClosed):
                self._newest[entry.body.position.position_id] = entry

    def taken(self) -> Sequence[Entry]:
        entries = tuple(self._newest.values())
        self._newest.clear()
        return entries
