"""Plans for signals that nobody opens, so that what would have become of them can be measured."""

from decimal import Decimal

from core.instruments import Instrument
from core.positions import PositionPlan, Source
from core.signals import RankedSignal, Target
from core.sizing import prices_on_ticks

NOTIONAL = Decimal(1000)
"""USDT. What is measured is R, which no size changes: it only has to be many steps."""


def shadow_plan(signal: RankedSignal, instrument: Instrument, *, at: int) -> PositionPlan | None:
    """Plan what no account could refuse; ``None`` where the ticks are too coarse for the signal's prices."""
    prices = prices_on_ticks(signal.candidate, instrument)
    if prices is None:
        return None
    quantity = max(instrument.round_quantity(NOTIONAL / prices.entry), instrument.min_quantity)
    leverage = max(signal.leverage, 1)
    return PositionPlan(
        source=Source.SHADOW,
        signal=signal,
        instrument=instrument,
        quantity=quantity,
        leverage=leverage,
        margin=quantity * prices.entry / leverage,
        entry=prices.entry,
        stop=prices.stop,
        targets=(Target(price=prices.target),),
        planned_at=at,
    )
