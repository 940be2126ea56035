"""The picture of a running trader that people are shown."""

from collections.abc import Sequence

from core.clock import Clock
from core.market import MinuteClosed
from core.positions import Position, Source
from core.risk import barred_for_a_while
from core.risk_state import Ban
from core.signals import RankedSignal
from core.views import PositionView, ScanView, TraderView
from services.book import Book
from services.books import Books
from services.risk_desk import RiskDesk


class Portrait:
    """Remembers the last scan, and draws it together with books and account when asked."""

    def __init__(self, books: Books, desk: RiskDesk, *, mode: str, clock: Clock) -> None:
        self._books = books
        self._desk = desk
        self._mode = mode
        self._clock = clock
        self._minute: MinuteClosed | None = None
        self._scan: ScanView | None = None

    def scanned(
        self,
        minute: MinuteClosed,
        ranked: Sequence[RankedSignal],
        *,
        candidates: int,
        ready: int,
        seconds: float,
    ) -> None:
        """Remember a scan: how many symbols were ready, how many candidates, how long it took."""
        self._minute = minute
        self._scan = ScanView(
            at=minute.at,
            symbols=len(minute.symbols),
            ready=ready,
            absent=int((~minute.present).sum()),
            candidates=candidates,
            elapsed_ms=seconds * 1000,
            ranked=tuple(ranked),
        )

    def view(self, *, loaded: int, universe: int) -> TraderView:
        """Draw it now; ``loaded`` of ``universe`` symbols have their history."""
        desk = self._desk
        return TraderView(
            at=self._minute.at if self._minute else self._clock.market_ms(),
            mode=self._mode,
            loaded=loaded,
            universe=universe,
            scan=self._scan,
            real=self._positions(self._books.real),
            virtual=self._positions(self._books.virtual),
            balance=desk.balance(self._books.real.positions.values()),
            performance=desk.closed_trades.performance(Source.REAL),
            virtual_performance=desk.closed_trades.performance(Source.VIRTUAL),
            twin_gap=desk.closed_trades.twin_gap,
            halted=desk.halted,
            halted_until=desk.state.halted_until,
            barred=self._barred(),
            is_cut_off=desk.is_cut_off,
        )

    def _barred(self) -> Ban | None:
        desk = self._desk
        if desk.equity is None:
            return None
        at = self._clock.market_ms()
        return barred_for_a_while(desk.state, desk.equity, at=at, parameters=desk.parameters.risk)

    def _positions(self, book: Book) -> tuple[PositionView, ...]:
        return tuple(self._position(position) for position in book.positions.values())

    def _position(self, position: Position) -> PositionView:
        candle = self._minute.candle(position.symbol) if self._minute else None
        mark = candle.close if candle else position.entry_price
        pnl = position.unrealised_pnl(mark)
        margin = position.entry_price * position.quantity / position.plan.leverage
        roi = float(pnl / margin) if margin else 0.0
        return PositionView(position=position, mark=mark, unrealised_pnl=pnl, roi=roi)
