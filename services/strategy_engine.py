"""Hosts strategies on one shared kernel: closed minutes in, candidates and structure out."""

from collections.abc import Sequence

from core.market import MINUTE_MS, CandleHistory, MinuteClosed, SymbolAxis
from core.monitoring import Structure
from core.signals import Candidate, Side
from strategies.kernel.market import MarketKernel
from strategies.strategy import Strategy


class StrategyEngine:
    """Steps the kernel once a minute for all enabled strategies; live and replay call the same method."""

    def __init__(self, axis: SymbolAxis, strategies: Sequence[Strategy], kernel: MarketKernel) -> None:
        self.axis = axis
        self._kernel = kernel
        self._strategies = tuple(strategy for strategy in strategies if strategy.enabled)

    def arrange(self, axis: SymbolAxis) -> None:
        """Follow the symbols of ``axis``: who stays keeps what is known of it, who is new is blank."""
        self._kernel.arrange(axis.names)
        self.axis = axis

    def warm_up(self, history: CandleHistory) -> None:
        """Take in fetched candles of a known symbol."""
        index = self.axis.index_of(history.symbol)
        if index is None:
            raise KeyError(f"{history.symbol} is not followed")
        if history.starts_over:
            self._kernel.clear(index)
        if history.timeframe_ms == MINUTE_MS:
            self._kernel.warm_up_1m(index, history.candles, history.open_times)
        else:
            self._kernel.warm_up_15m(index, history.candles, history.open_times)

    def on_minute(self, minute: MinuteClosed) -> Sequence[Candidate]:
        """Step all symbols through the minute and collect what every strategy sees."""
        self._kernel.step(minute.open_time, minute.row, minute.present)
        return [
            candidate
            for strategy in self._strategies
            for candidate in strategy.candidates(self._kernel, minute.open_time)
        ]

    def ready(self) -> int:
        """Count the symbols whose history is long and whole enough to trade."""
        return int(self._kernel.ready().sum())

    def structure(self, symbol: str) -> Structure | None:
        """Return what a monitor of positions needs; ``None`` while the symbol is not ready."""
        index = self.axis.index_of(symbol)
        if index is None:
            return None
        reading = self._kernel.reading(index)
        if not reading.ready:
            return None
        return Structure(
            trend=_side(reading.trend),
            break_side=_side(reading.msb_side),
            break_at=reading.msb_at,
            atr_1m=reading.atr_1m,
        )


def _side(sign: int) -> Side | None:
    return Side(sign) if sign else None
