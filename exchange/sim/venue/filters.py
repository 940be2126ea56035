"""Binance's filters, each with its own code (binance.md §2.5)."""

from decimal import Decimal

from core.instruments import Instrument
from exchange.sim.venue.matching import within
from exchange.sim.venue.quotes import Quotes
from exchange.sim.venue.rejections import Reason, VenueRejection
from exchange.sim.venue.terms import Side

_MAX_OPEN_ORDERS = 200
_MAX_OPEN_ORDERS_OF = {"BTCUSDT": 10_000, "ETHUSDT": 10_000}
MAX_OPEN_CONDITIONALS = 200
"""In total, across all symbols, since 2025-12-29."""


def max_open_orders(symbol: str) -> int:
    """Return MAX_NUM_ORDERS, which counts one symbol's regular orders."""
    return _MAX_OPEN_ORDERS_OF.get(symbol, _MAX_OPEN_ORDERS)


def check_quantity(instrument: Instrument, quantity: Decimal, *, is_market: bool) -> None:
    """LOT_SIZE for limit orders, MARKET_LOT_SIZE for market orders."""
    largest = instrument.max_market_quantity if is_market else instrument.max_quantity
    _require(quantity > 0, Reason.QUANTITY_NOT_POSITIVE)
    _require(_digits(quantity) <= instrument.quantity_precision, Reason.PRECISION)
    _require(quantity >= instrument.min_quantity, Reason.QUANTITY_BELOW_MINIMUM)
    _require(quantity <= largest, Reason.QUANTITY_ABOVE_MAXIMUM)
    _require(quantity % instrument.step_size == 0, Reason.QUANTITY_OFF_STEP)


def check_price(instrument: Instrument, price: Decimal, *, is_trigger: bool = False) -> None:
    """PRICE_FILTER."""
    _require(price > 0, Reason.STOP_PRICE_NOT_POSITIVE if is_trigger else Reason.PRICE_NOT_POSITIVE)
    _require(_digits(price) <= instrument.price_precision, Reason.PRECISION)
    _require(price % instrument.tick_size == 0, Reason.PRICE_OFF_TICK)


def check_notional(instrument: Instrument, notional: Decimal) -> None:
    """MIN_NOTIONAL; reduce-only orders are exempt, which is the caller's to know."""
    _require(notional >= instrument.min_notional, Reason.MIN_NOTIONAL, instrument.min_notional)


def check_percent_price(instrument: Instrument, side: Side, price: Decimal, *, reference: Decimal) -> None:
    """PERCENT_PRICE for limit prices: a buy not above the band around the mark, a sell not below it."""
    bound = percent_bound(instrument, side, reference)
    if not within(side, price, bound):
        reason = Reason.PRICE_ABOVE_CAP if side is Side.BUY else Reason.PRICE_BELOW_FLOOR
        raise VenueRejection.because(reason, f"{bound:f}")


def check_counterparty(instrument: Instrument, quotes: Quotes, side: Side) -> None:
    """PERCENT_PRICE for market orders: the best price of the other side must lie in the band."""
    symbol = instrument.symbol
    best = quotes.best_ask(symbol) if side is Side.BUY else quotes.best_bid(symbol)
    bound = percent_bound(instrument, side, quotes.mark(symbol))
    _require(within(side, best, bound), Reason.COUNTERPARTY_PRICE)


def percent_bound(instrument: Instrument, side: Side, reference: Decimal) -> Decimal:
    """Return the last price of the band that is on the tick."""
    if side is Side.BUY:
        return instrument.price_at_or_below(reference * instrument.percent_up)
    return instrument.price_at_or_above(reference * instrument.percent_down)


def _require(holds: bool, reason: Reason, *facts: object) -> None:
    if not holds:
        raise VenueRejection.because(reason, *facts)


def _digits(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
