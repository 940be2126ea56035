"""Which candidates come first: what past trades like them brought, less what a trade costs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from math import isfinite

from core.parameters import Parameters, RankingParameters
from core.ports import Scorer
from core.positions import Source
from core.signals import Candidate, RankedSignal
from core.sizing import has_numbers, is_sound, size
from core.symbols import SymbolContext
from core.trades import TradeResult
from core.verdicts import Refused

_COUNTED = frozenset({Source.REAL, Source.VIRTUAL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Experience:
    """Gross R of closed trades by confidence, in fixed bins from the threshold up; a ``core.ports.Scorer``.

    Real and virtual trades count alike; a twin would count its real position twice, and a shadow was never
    meant to be opened.
    """

    parameters: RankingParameters = field(default_factory=RankingParameters)
    sums: Mapping[int, float] = field(default_factory=dict)
    counts: Mapping[int, int] = field(default_factory=dict)

    def learned(self, trade: TradeResult) -> "Experience":
        """Return the experience that one more closed trade makes."""
        if trade.source not in _COUNTED or trade.confidence < self.parameters.confidence_threshold:
            return self
        place = self._bin(trade.confidence)
        return replace(
            self,
            sums={**self.sums, place: self.sums.get(place, 0.0) + trade.gross_r},
            counts={**self.counts, place: self.counts.get(place, 0) + 1},
        )

    def expected_gross_r(self, candidate: Candidate) -> float:
        """Return Σ gross R ÷ (n + prior): without trades, no edge is expected."""
        place = self._bin(candidate.confidence)
        return self.sums.get(place, 0.0) / (self.counts.get(place, 0) + self.parameters.prior_trades)

    def _bin(self, confidence: float) -> int:
        """Number the bins from 0; confidence 100 belongs to the last one, not to one of its own."""
        width, bottom = self.parameters.bin_points, self.parameters.confidence_threshold
        return int(min((confidence - bottom) // width, (100.0 - bottom) / width - 1))


def expected_cost(candidate: Candidate, context: SymbolContext, parameters: Parameters) -> float:
    """Return what a round trip is expected to cost, as a fraction of notional.

    Fees both ways, half the spread, slippage, and funding, which may also be earned. What an exit slips
    is already in the gross R of past trades.
    """
    costs = parameters.costs
    rate = context.funding_rate * candidate.side
    funding = (rate if isfinite(rate) else costs.unknown_funding_rate) * costs.expected_fundings
    spread = context.spread_at_worst(parameters.universe)
    return 2 * float(costs.taker_fee) + spread / 2 + float(costs.slippage) + funding


def is_tradable(candidate: Candidate, parameters: RankingParameters) -> bool:
    """Tell whether a candidate reaches the threshold and its own geometry does not forbid it."""
    return candidate.confidence >= parameters.confidence_threshold and is_sound(candidate)


def barred(candidates: Iterable[Candidate], parameters: RankingParameters) -> tuple[RankedSignal, ...]:
    """Return the candidates above the threshold that forbid themselves: of rank 0, expecting nothing."""
    return tuple(
        RankedSignal(
            candidate=each,
            rank=0,
            expected_gross_r=0.0,
            expected_net_r=0.0,
            expected_roi=0.0,
            leverage=0,
        )
        for each in candidates
        if each.refusal is not None
        and has_numbers(each)
        and each.confidence >= parameters.confidence_threshold
    )


def rank(
    candidates: Iterable[Candidate],
    contexts: Mapping[str, SymbolContext],
    *,
    equity: Decimal,
    leverage: int,
    scorer: Scorer,
    parameters: Parameters,
) -> tuple[RankedSignal, ...]:
    """Order the tradable candidates by max(expected ROI, 0), confidence, 24 h volume and symbol.

    ``contexts`` knows the symbol of each. ``leverage`` is what the track record earns: each signal gets
    what its size allows of it, 0 where it allows none. A score that is not finite counts as no edge.
    """

    def judged(candidate: Candidate) -> RankedSignal:
        context = contexts[candidate.symbol]
        sized = size(candidate, context, equity=equity, leverage=leverage, parameters=parameters)
        allowed = 0 if isinstance(sized, Refused) else sized.leverage
        score = scorer.expected_gross_r(candidate)
        gross = score if isfinite(score) else 0.0
        net = gross - expected_cost(candidate, context, parameters) / candidate.stop_distance
        return RankedSignal(
            candidate=candidate,
            rank=0,
            expected_gross_r=gross,
            expected_net_r=net,
            expected_roi=net * candidate.stop_distance * allowed,
            leverage=allowed,
        )

    def place(signal: RankedSignal) -> tuple[float, float, float, str, str]:
        candidate = signal.candidate
        volume = contexts[candidate.symbol].quote_volume_24h
        known_volume = volume if isfinite(volume) else 0.0
        worth = max(signal.expected_roi, 0.0)
        return (-worth, -candidate.confidence, -known_volume, candidate.symbol, candidate.signal_id)

    signals = sorted(
        (judged(each) for each in candidates if is_tradable(each, parameters.ranking)), key=place
    )
    return tuple(replace(signal, rank=number) for number, signal in enumerate(signals, start=1))
