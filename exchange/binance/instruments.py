"""Contracts out of exchangeInfo and leverageBracket."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal

import msgspec

from core.instruments import Instrument, InstrumentStatus, LeverageBracket
from exchange.limits.orders import OrderLimit

HOUR_MS = 3_600_000
_SECONDS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86_400}


class _Filter(msgspec.Struct, rename="camel"):
    filter_type: str
    tick_size: Decimal = Decimal(0)
    step_size: Decimal = Decimal(0)
    min_qty: Decimal = Decimal(0)
    max_qty: Decimal = Decimal(0)
    notional: Decimal = Decimal(0)
    multiplier_up: Decimal = Decimal(0)
    multiplier_down: Decimal = Decimal(0)


_USUAL_PERCENT_PRICE = _Filter(
    filter_type="PERCENT_PRICE", multiplier_up=Decimal("1.05"), multiplier_down=Decimal("0.95")
)


class _Symbol(msgspec.Struct, rename="camel"):
    """A contract of any kind; those of other kinds may lack what ours have."""

    symbol: str
    base_asset: str = ""
    quote_asset: str = ""
    contract_type: str = ""
    status: str = ""
    price_precision: int = 0
    quantity_precision: int = 0
    filters: list[_Filter] = []
    onboard_date: int = 0
    delivery_date: int = 4_133_404_800_000
    trigger_protect: Decimal = Decimal("0.05")
    market_take_bound: Decimal = Decimal("0.05")
    liquidation_fee: Decimal = Decimal("0.0125")


class RateLimit(msgspec.Struct, rename="camel"):
    rate_limit_type: str
    interval: str
    interval_num: int
    limit: int


class ExchangeInfo(msgspec.Struct, rename="camel"):
    """Reply of /fapi/v1/exchangeInfo, as far as we read it."""

    symbols: list[_Symbol]
    rate_limits: list[RateLimit] = []

    def weight_limit(self) -> int | None:
        """Return the request weight allowed a minute, ``None`` when it is not told."""
        for each in self.rate_limits:
            if (each.rate_limit_type, each.interval, each.interval_num) == ("REQUEST_WEIGHT", "MINUTE", 1):
                return each.limit
        return None

    def order_limits(self) -> tuple[OrderLimit, ...]:
        """Return how many orders an account may send, in which times; empty when it is not told."""
        return tuple(
            OrderLimit(orders=each.limit, seconds=each.interval_num * _SECONDS[each.interval])
            for each in self.rate_limits
            if each.rate_limit_type == "ORDERS" and each.interval in _SECONDS
        )


class _Bracket(msgspec.Struct, rename="camel"):
    initial_leverage: int
    notional_cap: Decimal
    notional_floor: Decimal
    maint_margin_ratio: Decimal
    cum: Decimal


class SymbolBrackets(msgspec.Struct):
    """One element of the reply of /fapi/v1/leverageBracket."""

    symbol: str
    brackets: list[_Bracket]


class FundingTerms(msgspec.Struct, rename="camel"):
    """One element of the reply of /fapi/v1/fundingInfo, which leaves out who settles every eight hours."""

    symbol: str
    funding_interval_hours: int


def with_funding(
    instruments: Mapping[str, Instrument], terms: Iterable[FundingTerms]
) -> Mapping[str, Instrument]:
    """Return the contracts with intervals of their own."""
    hours = {each.symbol: each.funding_interval_hours for each in terms if each.funding_interval_hours > 0}
    return {
        symbol: replace(each, funding_interval_ms=hours[symbol] * HOUR_MS) if symbol in hours else each
        for symbol, each in instruments.items()
    }


def instruments_of(info: ExchangeInfo, brackets: Iterable[SymbolBrackets]) -> Mapping[str, Instrument]:
    """Return the perpetuals in USDT with ASCII names, whatever their status, sorted by symbol.

    Stocks and metals (TRADIFI_PERPETUAL), dated contracts and those margined in coins are left out.
    """
    by_symbol = {each.symbol: _brackets(each) for each in brackets}
    wanted = sorted((each for each in info.symbols if _is_ours(each)), key=lambda each: each.symbol)
    return {each.symbol: _instrument(each, by_symbol.get(each.symbol, ())) for each in wanted}


def _is_ours(symbol: _Symbol) -> bool:
    return (
        symbol.quote_asset == "USDT"
        and symbol.contract_type == "PERPETUAL"
        and symbol.symbol.isascii()
        and symbol.status in _STATUSES
    )


_STATUSES: Mapping[str, InstrumentStatus] = {
    "TRADING": InstrumentStatus.TRADING,
    "PENDING_TRADING": InstrumentStatus.PENDING,
    "PRE_SETTLE": InstrumentStatus.SETTLING,
    "PRE_DELIVERING": InstrumentStatus.SETTLING,
    "SETTLING": InstrumentStatus.SETTLING,
    "DELIVERING": InstrumentStatus.SETTLING,
    "DELIVERED": InstrumentStatus.CLOSED,
    "CLOSE": InstrumentStatus.CLOSED,
}


def _instrument(symbol: _Symbol, brackets: tuple[LeverageBracket, ...]) -> Instrument:
    filters = {each.filter_type: each for each in symbol.filters}
    lot, market_lot = filters["LOT_SIZE"], filters.get("MARKET_LOT_SIZE", filters["LOT_SIZE"])
    percent = filters.get("PERCENT_PRICE", _USUAL_PERCENT_PRICE)
    return Instrument(
        symbol=symbol.symbol,
        base=symbol.base_asset,
        tick_size=filters["PRICE_FILTER"].tick_size.normalize(),
        step_size=lot.step_size.normalize(),
        min_quantity=max(lot.min_qty, market_lot.min_qty),
        max_quantity=lot.max_qty,
        max_market_quantity=market_lot.max_qty,
        min_notional=filters["MIN_NOTIONAL"].notional,
        price_precision=symbol.price_precision,
        quantity_precision=symbol.quantity_precision,
        percent_up=percent.multiplier_up,
        percent_down=percent.multiplier_down,
        trigger_protect=symbol.trigger_protect,
        market_take_bound=symbol.market_take_bound,
        liquidation_fee=symbol.liquidation_fee,
        status=_STATUSES[symbol.status],
        contract_type=symbol.contract_type,
        onboard_ms=symbol.onboard_date,
        delivery_ms=symbol.delivery_date,
        brackets=brackets,
    )


def _brackets(symbol: SymbolBrackets) -> tuple[LeverageBracket, ...]:
    rows = sorted(symbol.brackets, key=lambda each: each.notional_floor)
    return tuple(
        LeverageBracket(
            floor=each.notional_floor,
            cap=each.notional_cap,
            maintenance_margin_rate=each.maint_margin_ratio,
            max_leverage=each.initial_leverage,
            cum=each.cum,
        )
        for each in rows
    )
