"""Every number of the strategy that money depends on, named, with its default.

What meets money is ``Decimal``, what meets indicators is ``float``, times are milliseconds. All fractions
are ratios: 0.02 is 2 %. The why of each number stands in docs/strategy.md.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from core.market import DAY_MS, MINUTE_MS

_HOUR_MS = 60 * MINUTE_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class UniverseParameters:
    """Which contracts may be entered at all, and how thin a market may be."""

    quote_asset: str = "USDT"
    contract_type: str = "PERPETUAL"
    max_spread: float = 0.0005
    min_quote_volume_24h: float = 5_000_000.0
    min_trigger_protect: Decimal = Decimal("0.01")
    delivery_guard_ms: int = DAY_MS  # no entry into a contract that is delivered within this time


@dataclass(frozen=True, slots=True, kw_only=True)
class CostParameters:
    """What a round trip costs, as fractions of notional, half the spread aside.

    A position is expected to be held for a quarter of a funding interval; where its rate is not known,
    we expect to pay ``unknown_funding_rate``.
    """

    taker_fee: Decimal = Decimal("0.0005")
    slippage: Decimal = Decimal("0.0002")
    expected_fundings: float = 0.25
    unknown_funding_rate: float = 0.0001


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingParameters:
    """How candidates compete; ``prior_trades`` is the weight of our belief that there is no edge."""

    confidence_threshold: float = 70.0
    bin_points: float = 3.0
    prior_trades: float = 30.0
    min_expected_net_r: float | None = None
    real_ranks: int = 3
    max_virtual: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class SizingParameters:
    """How much margin a confidence earns, linear in between, and what rounding must leave."""

    confidence_low: Decimal = Decimal(70)
    confidence_high: Decimal = Decimal(100)
    margin_low: Decimal = Decimal("0.03")
    margin_high: Decimal = Decimal("0.13")
    min_notional_headroom: Decimal = Decimal("1.02")
    max_loss: Decimal = Decimal("0.02")


@dataclass(frozen=True, slots=True, kw_only=True)
class LeverageParameters:
    """What leverage a record of closed trades earns.

    A rate of wins is drawn to one half by ``prior_wins`` and ``prior_losses``, a mean win or loss to
    ``prior_r`` with the weight of ``prior_r_trades``; ``full_margin`` is how far above break-even the
    rate of wins must be for the highest leverage.
    """

    lowest: int = 3
    highest: int = 20
    trades: int = 100
    min_trades: int = 20
    prior_wins: float = 10.0
    prior_losses: float = 10.0
    prior_r: float = 1.25
    prior_r_trades: float = 20.0
    full_margin: float = 0.20
    liquidation_to_stop: Decimal = Decimal(2)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeParameters:
    """Beyond which net R a closed trade is a win or a loss; in between it is a scratch."""

    win_above_r: float = 0.1
    loss_below_r: float = -0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskParameters:
    """The limits of the risk gate; fractions are of equity, or of what the name says."""

    max_positions: int = 3
    max_day_loss: Decimal = Decimal("0.05")
    drawdown_halt: Decimal = Decimal("0.10")
    drawdown_alert: Decimal = Decimal("0.05")
    drawdown_rearm: Decimal = Decimal("0.04")
    max_total_margin: Decimal = Decimal("0.50")
    max_gross_notional: Decimal = Decimal(4)
    entry_capacity: int = 3
    entry_interval_ms: int = 85 * MINUTE_MS
    cooldown_ms: int = 30 * MINUTE_MS
    stop_below_r: float = -0.5
    max_stops: int = 3
    stops_window_ms: int = _HOUR_MS
    pause_ms: int = 30 * MINUTE_MS
    max_correlation: float = 0.8
    max_correlated: int = 2
    correlation_bars: int = 96
    max_equity_age_ms: int = 5 * MINUTE_MS
    max_signal_age_ms: int = MINUTE_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitoringParameters:
    """What moves or ends an open position; trailing distances are in R and in ATR(1m)."""

    time_stop_ms: int = 4 * _HOUR_MS
    break_even_after_r: float = 1.0
    trail_atr: float = 2.0
    trail_r: float = 1.0
    min_move_r: float = 0.1
    backstop_r: float = 0.1
    equity_log_change: Decimal = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """All of them together, as the trader carries them and the journal records them."""

    universe: UniverseParameters = field(default_factory=UniverseParameters)
    costs: CostParameters = field(default_factory=CostParameters)
    ranking: RankingParameters = field(default_factory=RankingParameters)
    sizing: SizingParameters = field(default_factory=SizingParameters)
    leverage: LeverageParameters = field(default_factory=LeverageParameters)
    outcome: OutcomeParameters = field(default_factory=OutcomeParameters)
    risk: RiskParameters = field(default_factory=RiskParameters)
    monitoring: MonitoringParameters = field(default_factory=MonitoringParameters)
