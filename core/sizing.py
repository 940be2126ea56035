"""How large a position may be: confidence sets the margin, caps and steps may only make it smaller.

This is where a strategy's floats become money, once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite

from core.instruments import Instrument
from core.leverage import liquidation_distance
from core.parameters import CostParameters, Parameters, SizingParameters
from core.positions import PositionPlan, Source
from core.signals import Candidate, RankedSignal, Side, Target
from core.symbols import SymbolContext
from core.verdicts import Reason, Refused

_SIGNIFICANT_DIGITS = 12  # more than any price Binance quotes, fewer than the noise of a float64


def to_decimal(value: float) -> Decimal:
    """Turn a float into the decimal that was meant by it: 0.1 + 0.2 is 0.3."""
    return Decimal(f"{value:.{_SIGNIFICANT_DIGITS}g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Entry, stop and target on an instrument's ticks."""

    entry: Decimal
    stop: Decimal
    target: Decimal

    @property
    def stop_distance(self) -> Decimal:
        """The way to the stop as a fraction of the entry."""
        return abs(self.entry - self.stop) / self.entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """A size on the instrument's steps; ``loss_at_stop`` is in quote units, costs included."""

    prices: Prices
    quantity: Decimal
    leverage: int
    loss_at_stop: Decimal

    @property
    def notional(self) -> Decimal:
        return self.quantity * self.prices.entry

    @property
    def margin(self) -> Decimal:
        return self.notional / self.leverage


def margin_fraction(confidence: float, parameters: SizingParameters) -> Decimal:
    """Return the part of equity to put up as margin: linear in confidence, level beyond its range."""
    low, high = parameters.confidence_low, parameters.confidence_high
    share = (min(max(to_decimal(confidence), low), high) - low) / (high - low)
    return parameters.margin_low + share * (parameters.margin_high - parameters.margin_low)


def is_sound(candidate: Candidate) -> bool:
    """Tell whether a candidate's own numbers allow a trade."""
    return candidate.refusal is None and has_numbers(candidate)


def has_numbers(candidate: Candidate) -> bool:
    """Tell whether a candidate's numbers describe a trade, wanted or not: finite, a stop at some distance."""
    numbers = (candidate.price, candidate.stop, candidate.target, candidate.confidence)
    return all(map(isfinite, numbers)) and candidate.stop_distance > 0


def prices_on_ticks(candidate: Candidate, instrument: Instrument) -> Prices | None:
    """Round the stop away from the entry and the target toward it; ``None`` where ticks are too coarse."""
    long = candidate.side is Side.LONG
    rounded = instrument.price_at_or_below if long else instrument.price_at_or_above
    entry = instrument.price_nearest(to_decimal(candidate.price))
    stop, target = rounded(to_decimal(candidate.stop)), rounded(to_decimal(candidate.target))
    if not (stop - entry) * candidate.side < 0 < (target - entry) * candidate.side or min(stop, target) <= 0:
        return None
    return Prices(entry=entry, stop=stop, target=target)


def loss_a_unit(*, entry: Decimal, stop: Decimal, spread: Decimal, costs: CostParameters) -> Decimal:
    """Return what one unit loses at the stop: the move, both fees, half the spread and slippage."""
    fees = costs.taker_fee * (entry + stop)
    slip = (costs.slippage + spread / 2) * entry
    return abs(entry - stop) + fees + slip


def loss_of_plan(plan: PositionPlan, context: SymbolContext, parameters: Parameters) -> Decimal:
    """Return what a planned position loses at its stop, costs included, in USDT."""
    spread = to_decimal(context.spread_at_worst(parameters.universe))
    return plan.quantity * loss_a_unit(
        entry=plan.entry, stop=plan.stop, spread=spread, costs=parameters.costs
    )


def size(
    candidate: Candidate,
    context: SymbolContext,
    *,
    equity: Decimal,
    leverage: int,
    parameters: Parameters,
) -> Size | Refused:
    """Return the size at the highest leverage, up to ``leverage``, to which nothing objects.

    Objections: the exchange's bracket or minimum, liquidation too near, too much lost at the stop.
    """
    instrument = context.instrument
    if not is_sound(candidate):
        return Refused(reasons=(Reason.GEOMETRY,))
    if not instrument.brackets:
        return Refused(reasons=(Reason.BRACKETS_UNKNOWN,))
    prices = prices_on_ticks(candidate, instrument)
    if prices is None:
        return Refused(reasons=(Reason.PRICE_TOO_COARSE,))
    spread = to_decimal(context.spread_at_worst(parameters.universe))
    unit_loss = loss_a_unit(entry=prices.entry, stop=prices.stop, spread=spread, costs=parameters.costs)
    margin = equity * margin_fraction(candidate.confidence, parameters.sizing)
    lowest = parameters.leverage.lowest
    reasons: tuple[Reason, ...] = ()
    for multiple in range(max(leverage, lowest), lowest - 1, -1):
        quantity = _tradable_quantity(margin * multiple / prices.entry, instrument)
        sized = Size(prices=prices, quantity=quantity, leverage=multiple, loss_at_stop=quantity * unit_loss)
        reasons = tuple(_objections(sized, candidate.side, instrument, equity=equity, parameters=parameters))
        if not reasons:
            return sized
    return Refused(reasons=reasons)


def plan_position(
    signal: RankedSignal,
    context: SymbolContext,
    *,
    source: Source,
    at: int,
    equity: Decimal,
    parameters: Parameters,
) -> PositionPlan | Refused:
    """Size a ranked signal for the book of ``source``; its leverage is an upper bound here."""
    sized = size(signal.candidate, context, equity=equity, leverage=signal.leverage, parameters=parameters)
    if isinstance(sized, Refused):
        return sized
    return PositionPlan(
        source=source,
        signal=signal,
        instrument=context.instrument,
        quantity=sized.quantity,
        leverage=sized.leverage,
        margin=sized.margin,
        entry=sized.prices.entry,
        stop=sized.prices.stop,
        targets=(Target(price=sized.prices.target),),
        planned_at=at,
    )


def _tradable_quantity(quantity: Decimal, instrument: Instrument) -> Decimal:
    most = min(instrument.max_quantity, instrument.max_market_quantity)
    return instrument.round_quantity(min(quantity, most))


def _objections(
    sized: Size, side: Side, instrument: Instrument, *, equity: Decimal, parameters: Parameters
) -> Iterator[Reason]:
    """Yield what forbids this size, in the order of ``Reason``."""
    if sized.notional > instrument.max_notional(sized.leverage):
        yield Reason.BRACKET
    if _liquidation_is_near(sized, side, instrument, parameters=parameters):
        yield Reason.LIQUIDATION_NEAR
    if sized.loss_at_stop > equity * parameters.sizing.max_loss:
        yield Reason.LOSS_TOO_LARGE
    least = instrument.min_notional * parameters.sizing.min_notional_headroom
    if sized.notional < least or sized.quantity < instrument.min_quantity:
        yield Reason.BELOW_MINIMUM


def _liquidation_is_near(sized: Size, side: Side, instrument: Instrument, *, parameters: Parameters) -> bool:
    if sized.notional <= 0:
        return False
    distance = liquidation_distance(instrument, side, leverage=sized.leverage, notional=sized.notional)
    return distance < parameters.leverage.liquidation_to_stop * sized.prices.stop_distance
