"""Every closed minute, for every open position: is it over, and where does its stop belong?"""

from typing import Protocol

from core.market import MinuteClosed
from core.monitoring import Structure, exit_wanted, stop_wanted
from core.parameters import Parameters
from core.positions import Position
from services.book import Book


class StructureSource(Protocol):
    """Where the market's structure is read; see ``services.strategy_engine``."""

    def structure(self, symbol: str) -> Structure | None: ...


class MonitoringService:
    """Looks after books, real and paper alike: nothing here can tell one from the other."""

    def __init__(self, market: StructureSource, parameters: Parameters) -> None:
        self._market = market
        self._parameters = parameters

    def look_after(self, book: Book, minute: MinuteClosed) -> None:
        """Close what is over, and tighten the stops of the rest."""
        for symbol, position in list(book.positions.items()):
            structure = self._market.structure(symbol)
            reason = exit_wanted(position, structure, self._parameters.monitoring, now_ms=minute.at)
            if reason is not None:
                book.request_close(symbol, reason)
            else:
                self._tighten(book, position, structure, minute)

    def _tighten(
        self, book: Book, position: Position, structure: Structure | None, minute: MinuteClosed
    ) -> None:
        candle = minute.candle(position.symbol)
        if candle is None:
            return
        price = stop_wanted(
            position,
            candle.close,
            structure,
            parameters=self._parameters.monitoring,
            costs=self._parameters.costs,
        )
        if price is not None:
            book.tighten(position.symbol, price)
