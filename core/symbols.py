"""One symbol as a decision sees it: its contract, its costs, and whether it may be entered at all."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isnan

from core.instruments import Instrument, InstrumentStatus
from core.market import MarketContext
from core.parameters import UniverseParameters
from core.verdicts import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolContext:
    """What is known of one symbol beside its candles, NaN where unknown.

    ``spread`` and ``funding_rate`` are fractions, ``quote_volume_24h`` is in USDT; ``gapped`` says that
    a candle its indicators need is missing: that of this minute, or one behind which it waits.
    """

    instrument: Instrument
    spread: float
    funding_rate: float
    quote_volume_24h: float
    gapped: bool = False

    @classmethod
    def of(
        cls, instrument: Instrument, context: MarketContext, *, column: int, gapped: bool = False
    ) -> "SymbolContext":
        """Take one symbol's column out of the market's context."""
        bid, ask = float(context.bid[column]), float(context.ask[column])
        return cls(
            instrument=instrument,
            spread=(ask - bid) / ((ask + bid) / 2),
            funding_rate=float(context.funding_rate[column]),
            quote_volume_24h=float(context.quote_volume_24h[column]),
            gapped=gapped,
        )

    def spread_at_worst(self, parameters: UniverseParameters) -> float:
        """Return the spread; an unknown one counts as the widest we would trade."""
        return parameters.max_spread if isnan(self.spread) else self.spread


def is_in_universe(instrument: Instrument, *, at: int, parameters: UniverseParameters) -> bool:
    """Tell whether a contract is of the kind we trade, is trading, and is not about to be delivered."""
    symbol = instrument.symbol
    return (
        symbol.isascii()
        and symbol.endswith(parameters.quote_asset)
        and instrument.contract_type == parameters.contract_type
        and instrument.status is InstrumentStatus.TRADING
        and at + parameters.delivery_guard_ms < instrument.delivery_ms
    )


def market_objections(context: SymbolContext, *, at: int, parameters: UniverseParameters) -> Iterator[Reason]:
    """Yield why this market is out of bounds; a bound that can not be checked is not kept."""
    if not context.spread <= parameters.max_spread:
        yield Reason.SPREAD
    if not context.quote_volume_24h >= parameters.min_quote_volume_24h:
        yield Reason.VOLUME
    if context.instrument.trigger_protect < parameters.min_trigger_protect:
        yield Reason.TRIGGER_PROTECT
    if not is_in_universe(context.instrument, at=at, parameters=parameters):
        yield Reason.NOT_IN_UNIVERSE
