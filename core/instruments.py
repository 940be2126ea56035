"""What one perpetual contract allows: steps, limits and leverage brackets."""

from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from enum import StrEnum


class InstrumentStatus(StrEnum):
    """Binance's contract status, reduced to what decides whether we may trade."""

    TRADING = "TRADING"
    PENDING = "PENDING_TRADING"
    SETTLING = "SETTLING"
    CLOSED = "CLOSE"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeverageBracket:
    """One row of /fapi/v1/leverageBracket: notional in ``(floor, cap]``, in quote units.

    Maintenance margin = notional × ``maintenance_margin_rate`` − ``cum``.
    """

    floor: Decimal
    cap: Decimal
    maintenance_margin_rate: Decimal
    max_leverage: int
    cum: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """One contract; every fraction (protections, fees, bands) is a ratio: 0.05 is 5 %.

    ``brackets`` is sorted by floor and may be empty where the exchange has not told us yet. Funding settles
    at the multiples of ``funding_interval_ms``, counted from midnight UTC.
    """

    symbol: str
    base: str
    tick_size: Decimal
    step_size: Decimal
    min_quantity: Decimal
    max_quantity: Decimal
    max_market_quantity: Decimal
    min_notional: Decimal
    price_precision: int
    quantity_precision: int
    percent_up: Decimal = Decimal("1.05")
    percent_down: Decimal = Decimal("0.95")
    trigger_protect: Decimal = Decimal("0.05")
    market_take_bound: Decimal = Decimal("0.05")
    liquidation_fee: Decimal = Decimal("0.0125")
    status: InstrumentStatus = InstrumentStatus.TRADING
    contract_type: str = "PERPETUAL"
    onboard_ms: int = 0
    delivery_ms: int = 4_133_404_800_000
    funding_interval_ms: int = 8 * 60 * 60 * 1000
    brackets: tuple[LeverageBracket, ...] = ()

    def round_quantity(self, quantity: Decimal) -> Decimal:
        """Round toward zero to the step: a size is never enlarged."""
        return _to_multiple(quantity, self.step_size, ROUND_DOWN)

    def quantity_at_or_above(self, quantity: Decimal) -> Decimal:
        """Round up to the step and the minimum, for orders that can only reduce: they take what is held."""
        return max(_to_multiple(quantity, self.step_size, ROUND_CEILING), self.min_quantity)

    def price_at_or_below(self, price: Decimal) -> Decimal:
        return _to_multiple(price, self.tick_size, ROUND_FLOOR)

    def price_at_or_above(self, price: Decimal) -> Decimal:
        return _to_multiple(price, self.tick_size, ROUND_CEILING)

    def price_nearest(self, price: Decimal) -> Decimal:
        return _to_multiple(price, self.tick_size, ROUND_HALF_EVEN)

    def bracket_of(self, notional: Decimal) -> LeverageBracket:
        """Return the bracket that holds ``notional``; beyond the last cap, the last bracket.

        Raises ``LookupError`` when no brackets are known: unknown is not unlimited.
        """
        if not self.brackets:
            raise LookupError(f"no leverage brackets known for {self.symbol}")
        return next((each for each in self.brackets if notional <= each.cap), self.brackets[-1])

    def max_notional(self, leverage: int) -> Decimal:
        """Largest position, in quote units, that the brackets allow at this leverage."""
        return max((each.cap for each in self.brackets if each.max_leverage >= leverage), default=Decimal(0))

    def with_brackets(self, brackets: tuple[LeverageBracket, ...]) -> "Instrument":
        return replace(self, brackets=brackets)


def _to_multiple(value: Decimal, unit: Decimal, rounding: str) -> Decimal:
    return (value / unit).quantize(Decimal(1), rounding=rounding) * unit
