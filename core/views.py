"""Immutable pictures of the trader for people: all that chat, terminal and dashboard read."""

from dataclasses import dataclass
from decimal import Decimal

from core.positions import Position
from core.risk_state import Ban
from core.signals import RankedSignal


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionView:
    """A live position and its mark; ``unrealised_pnl`` in USDT, ``roi`` as a fraction of margin."""

    position: Position
    mark: Decimal
    unrealised_pnl: Decimal
    roi: float


def resting_stop(position: Position) -> Decimal | None:
    """Return where the stop stands that the exchange has confirmed, ``None`` while none is known to rest."""
    return position.stop_price if position.is_protected else None


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceView:
    """The account at ``at``; ``drawdown`` is the fraction below the highest equity seen."""

    wallet: Decimal
    equity: Decimal
    available: Decimal
    margin_used: Decimal
    peak_equity: Decimal
    drawdown: float
    day_pnl: Decimal
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """Closed positions of one source. Rates are fractions, ``None`` where nothing can be said yet.

    ``net_r_low`` and ``net_r_high`` bound the mean net R at 95 %.
    """

    closed: int = 0
    wins: int = 0
    losses: int = 0
    scratches: int = 0
    net_pnl: Decimal = Decimal(0)
    gross_pnl: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    funding: Decimal = Decimal(0)
    win_rate: float | None = None
    profit_factor: float | None = None
    mean_net_r: float | None = None
    net_r_low: float | None = None
    net_r_high: float | None = None
    best_r: float | None = None
    worst_r: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TwinGap:
    """How much better (or, negative, worse) real positions did than their twins on paper, in net R.

    Only pairs count that both ended by a rule of the strategy. ``low`` and ``high`` bound the mean at 95 %.
    """

    pairs: int = 0
    mean_r: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanView:
    """The last scan: how many symbols were seen, and what ranked. ``elapsed_ms`` is close to ranked list."""

    at: int
    symbols: int
    ready: int
    absent: int
    candidates: int
    elapsed_ms: float
    ranked: tuple[RankedSignal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TraderView:
    """Everything a front may show, taken at one moment.

    ``loaded`` of ``universe`` symbols have their history. ``halted_until`` (ms) is 0 while there is no
    halt, and where the halt has no end; ``barred`` is what else takes no real entries, for a while. While
    ``is_cut_off`` the exchange does not answer, and all of this is as old as ``heard_at``.
    """

    at: int
    mode: str
    loaded: int
    universe: int
    scan: ScanView | None
    real: tuple[PositionView, ...]
    virtual: tuple[PositionView, ...]
    balance: BalanceView | None
    performance: Performance
    virtual_performance: Performance
    twin_gap: TwinGap = TwinGap()
    halted: str = ""
    halted_until: int = 0
    barred: Ban | None = None
    is_cut_off: bool = False

    @property
    def heard_at(self) -> int:
        """When (ms) the exchange told something last, 0 before it did."""
        return max(self.scan.at if self.scan else 0, self.balance.at if self.balance else 0)
