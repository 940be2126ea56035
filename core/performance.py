"""What closed trades add up to, and whether they show anything."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from enum import StrEnum
from math import sqrt
from statistics import fmean, stdev

from core.parameters import OutcomeParameters
from core.positions import ExitReason
from core.trades import TradeRecord
from core.views import Performance, TwinGap

_ZERO = Decimal(0)
_BY_RULE = frozenset({ExitReason.STOP, ExitReason.TARGET, ExitReason.THESIS, ExitReason.TIME})
_NORMAL_975 = 1.959964
_STUDENT_975 = (
    12.70620,
    4.30265,
    3.18245,
    2.77645,
)  # for 1 to 4 degrees of freedom, where the series is poor


class Evidence(StrEnum):
    """What the confidence interval of the mean net R says; message keys."""

    EDGE = "evidence_of_edge"
    NONE = "no_evidence_of_edge"
    LOSS = "evidence_of_loss"


def performance_of(trades: Iterable[TradeRecord], outcome: OutcomeParameters) -> Performance:
    """Sum up closed trades of one source.

    A win, loss or scratch is told by net R; the profit factor is money won ÷ money lost, ``None``
    without losses. The bounds of the mean are Student's at 95 % and take trades as independent, which
    trades of the same hour are not: read them as the least doubt there is.
    """
    closed = list(trades)
    if not closed:
        return Performance()
    net_rs = [trade.net_r for trade in closed]
    wins = sum(net_r > outcome.win_above_r for net_r in net_rs)
    losses = sum(net_r < outcome.loss_below_r for net_r in net_rs)
    low, high = mean_interval(net_rs)
    return Performance(
        closed=len(closed),
        wins=wins,
        losses=losses,
        scratches=len(closed) - wins - losses,
        net_pnl=sum((trade.position.net_pnl for trade in closed), _ZERO),
        gross_pnl=sum((trade.position.gross_pnl for trade in closed), _ZERO),
        fees=sum((trade.position.fees for trade in closed), _ZERO),
        funding=sum((trade.position.funding for trade in closed), _ZERO),
        win_rate=wins / (wins + losses) if wins + losses else None,
        profit_factor=_profit_factor([trade.position.net_pnl for trade in closed]),
        mean_net_r=fmean(net_rs),
        net_r_low=low,
        net_r_high=high,
        best_r=max(net_rs),
        worst_r=min(net_rs),
    )


def twin_gap(real: Iterable[TradeRecord], twins: Iterable[TradeRecord]) -> TwinGap:
    """Compare each real position with its twin on paper; see ``TwinGap``."""
    on_paper = {_signal(each): each.net_r for each in twins if each.exit_reason in _BY_RULE}
    gaps = [
        each.net_r - on_paper[_signal(each)]
        for each in real
        if each.exit_reason in _BY_RULE and _signal(each) in on_paper
    ]
    low, high = mean_interval(gaps)
    return TwinGap(pairs=len(gaps), mean_r=fmean(gaps) if gaps else None, low=low, high=high)


def _signal(trade: TradeRecord) -> str:
    return trade.position.plan.candidate.signal_id


def evidence(performance: Performance) -> Evidence:
    """Say whether zero lies inside the bounds of the mean net R; without bounds it does."""
    low, high = performance.net_r_low, performance.net_r_high
    if low is not None and low > 0:
        return Evidence.EDGE
    if high is not None and high < 0:
        return Evidence.LOSS
    return Evidence.NONE


def mean_interval(values: Sequence[float]) -> tuple[float, float] | tuple[None, None]:
    """Return Student's 95 % interval of the mean, nothing below two values."""
    if len(values) < 2:
        return None, None
    half = student_975(len(values) - 1) * stdev(values) / sqrt(len(values))
    middle = fmean(values)
    return middle - half, middle + half


def student_975(degrees: int) -> float:
    """Return the 97.5 % quantile of Student's t, to 0.1 % and better.

    From five degrees of freedom on by its expansion about the normal quantile (Abramowitz and Stegun,
    26.7.5).
    """
    if degrees <= len(_STUDENT_975):
        return _STUDENT_975[degrees - 1]
    z = _NORMAL_975
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / degrees + second / degrees**2 + third / degrees**3


def _profit_factor(results: Sequence[Decimal]) -> float | None:
    won = sum((each for each in results if each > 0), _ZERO)
    lost = -sum((each for each in results if each < 0), _ZERO)
    return float(won / lost) if lost else None
