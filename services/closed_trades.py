"""What closed positions have taught: the newest of them whole, all of them in sums."""

from collections import deque
from itertools import takewhile

from core.leverage import earned_leverage, track_record
from core.orders import HeldPosition, OrderFilled
from core.parameters import Parameters
from core.performance import performance_of, twin_gap
from core.ports import Journal
from core.positions import Source
from core.ranking import Experience
from core.trades import TradeRecord
from core.views import Performance, TwinGap

REMEMBERED_TRADES = 2000
_SUMMED_UP = (Source.REAL, Source.VIRTUAL, Source.TWIN)


class ClosedTrades:
    """Follows every book; ``experience`` is what all of them say of signals to come."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters
        self.experience = Experience(parameters=parameters.ranking)
        self._newest: dict[Source, deque[TradeRecord]] = {
            source: deque(maxlen=REMEMBERED_TRADES) for source in Source
        }
        self._performance = dict.fromkeys(Source, Performance())
        self._twin_gap = TwinGap()

    def recall(self, journal: Journal) -> None:
        """Take up what earlier runs learned from all trades, and the newest of them."""
        for result in journal.results():
            self.experience = self.experience.learned(result)
        for source in _SUMMED_UP:
            self._newest[source].extend(journal.newest_trades(source, REMEMBERED_TRADES))
            self._sum_up(source)

    def learn(self, trade: TradeRecord) -> None:
        self._newest[trade.source].append(trade)
        self.experience = self.experience.learned(trade.result)
        self._sum_up(trade.source)

    def amend(self, trade: TradeRecord) -> None:
        """Put a real trade in the place of what was known of it."""
        trades = self._newest[Source.REAL]
        for index, each in enumerate(trades):
            if each.position.position_id == trade.position.position_id:
                trades[index] = trade
        self._sum_up(Source.REAL)

    def performance(self, source: Source) -> Performance:
        return self._performance[source]

    @property
    def twin_gap(self) -> TwinGap:
        """How real positions did against their twins on paper."""
        return self._twin_gap

    def earned_leverage(self) -> int:
        rules = self._parameters
        record = track_record(self._newest[Source.REAL], outcome=rules.outcome, parameters=rules.leverage)
        return earned_leverage(record, rules.leverage)

    # --- questions about real ones --------------------------------------------------------------------

    def that_held(self, symbol: str, at: int) -> TradeRecord | None:
        """Return the one that held ``symbol`` at that time (ms), ``None`` where none did."""
        closed = (each for each in reversed(self._newest[Source.REAL]) if each.symbol == symbol)
        return next((each for each in closed if each.position.held_at(at)), None)

    def has(self, fill: OrderFilled) -> bool:
        """Whether an execution told now is one of a closed position: the exchange may repeat itself."""
        trades = (each.position for each in self._newest[Source.REAL] if each.symbol == fill.symbol)
        return any(known.trade_id == fill.trade_id for each in trades for known in each.fills)

    def explain(self, held: HeldPosition, at: int) -> bool:
        """Whether all that a read of then (ms) shows on a symbol has left it since with a real position."""
        newest_first = reversed(self._newest[Source.REAL])
        left = takewhile(lambda trade: (trade.position.closed_at or 0) >= at, newest_first)
        ours = (trade.position for trade in left if trade.symbol == held.symbol)
        return any(0 <= each.side * held.quantity <= each.held_since(at) for each in ours)

    def _sum_up(self, source: Source) -> None:
        self._performance[source] = performance_of(self._newest[source], self._parameters.outcome)
        if source is not Source.VIRTUAL:
            self._twin_gap = twin_gap(self._newest[Source.REAL], self._newest[Source.TWIN])
