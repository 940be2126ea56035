"""Builders of pictures of the trader, as chat commands see them."""

from decimal import Decimal

from core.positions import Position
from core.views import BalanceView, Performance, PositionView, ScanView, TraderView
from tests.builders import T0, position


def position_view(held: Position | None = None, *, mark: str = "100.50") -> PositionView:
    held = held or position()
    pnl = held.unrealised_pnl(Decimal(mark))
    return PositionView(
        position=held, mark=Decimal(mark), unrealised_pnl=pnl, roi=float(pnl / held.plan.margin)
    )


def balance_view(*, equity: str = "9876.50", peak: str = "10000") -> BalanceView:
    return BalanceView(
        wallet=Decimal("9870.00"),
        equity=Decimal(equity),
        available=Decimal("9500.25"),
        margin_used=Decimal("376.25"),
        peak_equity=Decimal(peak),
        drawdown=float(1 - Decimal(equity) / Decimal(peak)),
        day_pnl=Decimal("-12.30"),
        at=T0,
    )


def performance(*, closed: int = 12, low: float | None = -0.31, high: float | None = 0.22) -> Performance:
    """Make results with an interval of the mean net R from ``low`` to ``high``."""
    return Performance(
        closed=closed,
        wins=5,
        losses=6,
        scratches=1,
        net_pnl=Decimal("-12.34"),
        gross_pnl=Decimal("-4.04"),
        fees=Decimal("8.10"),
        funding=Decimal("-0.20"),
        win_rate=5 / 11,
        profit_factor=0.87,
        mean_net_r=-0.045,
        net_r_low=low,
        net_r_high=high,
        best_r=1.62,
        worst_r=-1.08,
    )


def scan_view() -> ScanView:
    return ScanView(at=T0, symbols=650, ready=640, absent=3, candidates=7, elapsed_ms=1.84, ranked=())


def trader_view(
    *,
    real: tuple[PositionView, ...] = (),
    virtual: tuple[PositionView, ...] = (),
    balance: BalanceView | None = None,
    results: Performance | None = None,
    scan: ScanView | None = None,
    halted: str = "",
) -> TraderView:
    """Make a picture of a trader that has done nothing yet but what is told here."""
    return TraderView(
        at=T0,
        mode="sim",
        loaded=640,
        universe=650,
        scan=scan,
        real=real,
        virtual=virtual,
        balance=balance,
        performance=results or Performance(),
        virtual_performance=Performance(),
        halted=halted,
    )
