"""What the strategy says in a storm: wishes and broken theses, on a schedule."""

from collections.abc import Callable, Sequence
from typing import Protocol

from core.market import MINUTE_MS, CandleHistory, Field, MinuteClosed, SymbolAxis
from core.monitoring import Structure
from core.signals import Candidate, Side
from tests.builders import candidate
from tests.faults.exchange import generator

_WISHES_A_MINUTE = 0.35  # a symbol
_BREAKS_A_MINUTE = 0.04  # a symbol


class Script(Protocol):
    """What the strategy says of a minute; of the same minute always the same, even after a restart."""

    def wishes(self, minute: MinuteClosed) -> Sequence[Candidate]: ...

    def breaks(self, minute: MinuteClosed, symbol: str) -> Side | None:
        """Return the side to which the market structure of a symbol breaks in this minute."""
        ...


class ScriptedEngine:
    """``services.trader.Engine`` that says what its script says."""

    def __init__(
        self,
        axis: SymbolAxis,
        script: Script,
        *,
        heard: Callable[[CandleHistory | MinuteClosed], None] = lambda _: None,
    ) -> None:
        """``heard`` gets what a strategy would have decided on."""
        self.axis = axis
        self._script = script
        self._heard = heard
        self._minute: MinuteClosed | None = None

    def arrange(self, axis: SymbolAxis) -> None:
        self.axis = axis

    def warm_up(self, history: CandleHistory) -> None:
        self._heard(history)

    def ready(self) -> int:
        return len(self.axis)

    def on_minute(self, minute: MinuteClosed) -> Sequence[Candidate]:
        self._heard(minute)
        self._minute = minute
        return self._script.wishes(minute)

    def structure(self, symbol: str) -> Structure | None:
        candle = self._minute.candle(symbol) if self._minute else None
        if self._minute is None or candle is None:
            return None
        side = self._script.breaks(self._minute, symbol)
        return Structure(
            trend=None,
            break_side=side,
            break_at=self._minute.at if side else 0,
            atr_1m=float(candle.high - candle.low),
        )


class RandomScript:
    """Wants entries often and has often changed its mind; silent from ``quiet_from`` (market ms) on."""

    def __init__(self, seed: int, *, quiet_from: int) -> None:
        self._seed = seed
        self._quiet_from = quiet_from

    def wishes(self, minute: MinuteClosed) -> Sequence[Candidate]:
        if minute.at >= self._quiet_from:
            return ()
        rng = generator(self._seed, 1, minute.open_time // MINUTE_MS)
        return [
            candidate(
                symbol,
                side=Side.LONG if rng.random() < 0.5 else Side.SHORT,
                at=minute.at,
                price=float(minute.row[Field.CLOSE, index]),
                stop_distance=float(rng.uniform(0.003, 0.015)),
                confidence=float(rng.uniform(70, 99)),
            )
            for index, symbol in enumerate(minute.symbols)
            if rng.random() < _WISHES_A_MINUTE and minute.present[index]
        ]

    def breaks(self, minute: MinuteClosed, symbol: str) -> Side | None:
        rng = generator(self._seed, 2, minute.open_time // MINUTE_MS, minute.symbols.index(symbol))
        if rng.random() >= _BREAKS_A_MINUTE:
            return None
        return Side.LONG if rng.random() < 0.5 else Side.SHORT
