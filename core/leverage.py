"""How much leverage a record of closed trades earns, and how far away liquidation then is."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import floor

from core.instruments import Instrument
from core.parameters import LeverageParameters, OutcomeParameters
from core.positions import Source
from core.signals import Side
from core.trades import TradeRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackRecord:
    """What the last real trades say: how many closed, how often they win, and how often they must.

    Rates are fractions of decided trades, scratches ignored, drawn to the priors of
    ``LeverageParameters``. ``break_even`` is the rate of wins at which net profit is zero.
    """

    closed: int
    win_rate: float
    break_even: float


def track_record(
    trades: Sequence[TradeRecord], *, outcome: OutcomeParameters, parameters: LeverageParameters
) -> TrackRecord:
    """Summarise the last real trades of ``trades``, which are in the order of closing."""
    real = [each.net_r for each in trades if each.source is Source.REAL][-parameters.trades :]
    wins = [net_r for net_r in real if net_r > outcome.win_above_r]
    losses = [-net_r for net_r in real if net_r < outcome.loss_below_r]
    prior = parameters.prior_wins + parameters.prior_losses
    mean_win, mean_loss = _shrunk_mean(wins, parameters), _shrunk_mean(losses, parameters)
    return TrackRecord(
        closed=len(real),
        win_rate=(len(wins) + parameters.prior_wins) / (len(wins) + len(losses) + prior),
        break_even=mean_loss / (mean_win + mean_loss),
    )


def earned_leverage(record: TrackRecord, parameters: LeverageParameters) -> int:
    """Return the lowest leverage up to break-even, the highest ``full_margin`` above it, linear between."""
    if record.closed < parameters.min_trades:
        return parameters.lowest
    above = (record.win_rate - record.break_even) / parameters.full_margin
    span = parameters.highest - parameters.lowest
    # A rate of exactly 20 points above must not fall short of it by a rounding error of 1e-16.
    return parameters.lowest + floor(span * min(max(above, 0.0), 1.0) + 1e-9)


def liquidation_distance(instrument: Instrument, side: Side, *, leverage: int, notional: Decimal) -> Decimal:
    """Return how far price may move against an isolated position before liquidation, as a fraction.

    Binance liquidates where margin = notional × mmr − cum, with the bracket of the entry's notional:
    (1/L − mmr + cum/notional) ÷ (1 ∓ mmr), − for a long, + for a short.
    Raises ``LookupError`` when no brackets are known.
    """
    bracket = instrument.bracket_of(notional)
    rate = bracket.maintenance_margin_rate
    return (1 / Decimal(leverage) - rate + bracket.cum / notional) / (1 - side * rate)


def liquidation_is_far(
    *, entry: Decimal, stop: Decimal, liquidation: Decimal, parameters: LeverageParameters
) -> bool:
    """Tell whether the venue's own liquidation price leaves the stop room enough; 0 is none at all."""
    if liquidation <= 0:
        return True
    return abs(entry - liquidation) >= parameters.liquidation_to_stop * abs(entry - stop)


def _shrunk_mean(sizes: Sequence[float], parameters: LeverageParameters) -> float:
    """Return the mean of R multiples, drawn to the prior: few trades say little."""
    weight = parameters.prior_r_trades
    return (sum(sizes) + parameters.prior_r * weight) / (len(sizes) + weight)
