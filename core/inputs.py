"""What decisions read beside candles, as the journal keeps it: candles and this make a replay complete."""

from dataclasses import dataclass
from hashlib import sha256
from math import isfinite

import numpy as np

from core.instruments import Instrument
from core.market import Floats
from core.symbols import SymbolContext

_DIGITS = 16  # hexadecimal ones


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketRead:
    """One signal's contract and market as the ranking and the risk gate saw them, ``None`` where unknown.

    ``spread`` and ``funding_rate`` are fractions, ``quote_volume_24h`` is in USDT, ``mark`` a price.
    """

    instrument: Instrument
    spread: float | None
    funding_rate: float | None
    quote_volume_24h: float | None
    mark: float | None
    gapped: bool

    @classmethod
    def of(cls, context: SymbolContext, *, mark: float) -> "MarketRead":
        return cls(
            instrument=context.instrument,
            spread=_known(context.spread),
            funding_rate=_known(context.funding_rate),
            quote_volume_24h=_known(context.quote_volume_24h),
            mark=_known(mark),
            gapped=context.gapped,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUp:
    """Closed candles that a symbol was given outside the minutes: its history, or what came too late.

    ``first`` and ``last`` are open times (ms), 0 where there are no ``candles``; ``digest`` tells them apart
    from any others. ``starts_over`` as in ``core.market.CandleHistory``.
    """

    symbol: str
    timeframe_ms: int
    first: int
    last: int
    candles: int
    digest: str
    starts_over: bool


def digest_of(candles: Floats) -> str:
    """Return what tells these candles, float64 [5, n], from any others."""
    return sha256(np.ascontiguousarray(candles).tobytes()).hexdigest()[:_DIGITS]


def _known(value: float) -> float | None:
    return value if isfinite(value) else None
