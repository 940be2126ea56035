"""The answer of /fapi/v1/exchangeInfo."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from core.instruments import Instrument
from core.market import DAY_MS
from exchange.sim.server.limits import ORDERS_PER_MINUTE, ORDERS_PER_TEN_SECONDS
from exchange.sim.venue.filters import max_open_orders

PERPETUAL_DELIVERY_MS = 4_133_404_800_000
"""What Binance shows as the delivery date of a contract that has none."""

ANNOUNCED_MS = DAY_MS
"""A delisting shows its delivery date so long before it happens."""

_MOST_TICKS = 10_000_000
_ORDER_TYPES = (
    "LIMIT",
    "MARKET",
    "STOP",
    "STOP_MARKET",
    "TAKE_PROFIT",
    "TAKE_PROFIT_MARKET",
    "TRAILING_STOP_MARKET",
)


def exchange_info(
    contracts: Iterable[Instrument], *, now_ms: int, server_ms: int, weight_limit: int
) -> dict[str, Any]:
    """Return the whole answer. Listings follow ``now_ms``, market time; ``server_ms`` is the machine's."""
    return {
        "timezone": "UTC",
        "serverTime": server_ms,
        "futuresType": "U_MARGINED",
        "rateLimits": [
            _limit("REQUEST_WEIGHT", "MINUTE", 1, weight_limit),
            _limit("ORDERS", "MINUTE", 1, ORDERS_PER_MINUTE),
            _limit("ORDERS", "SECOND", 10, ORDERS_PER_TEN_SECONDS),
        ],
        "exchangeFilters": [],
        "assets": [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "0"}],
        "symbols": [_symbol(each, now_ms) for each in contracts],
    }


def shown_delivery_ms(contract: Instrument, now_ms: int) -> int:
    """Return the delivery date as clients see it: far away until a delisting is announced."""
    announced = now_ms >= contract.delivery_ms - ANNOUNCED_MS
    return contract.delivery_ms if announced else PERPETUAL_DELIVERY_MS


def _limit(kind: str, interval: str, number: int, limit: int) -> dict[str, Any]:
    return {"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": limit}


def _symbol(contract: Instrument, now_ms: int) -> dict[str, Any]:
    return {
        "symbol": contract.symbol,
        "pair": contract.symbol,
        "contractType": contract.contract_type,
        "deliveryDate": shown_delivery_ms(contract, now_ms),
        "onboardDate": contract.onboard_ms,
        "status": contract.status.value,
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": contract.base,
        "quoteAsset": "USDT",
        "marginAsset": "USDT",
        "pricePrecision": contract.price_precision,
        "quantityPrecision": contract.quantity_precision,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": [],
        "triggerProtect": f"{contract.trigger_protect:f}",
        "liquidationFee": f"{contract.liquidation_fee:f}",
        "marketTakeBound": f"{contract.market_take_bound:f}",
        "maxMoveOrderLimit": 10000,
        "filters": _filters(contract),
        "orderTypes": list(_ORDER_TYPES),
        "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
        "permissionSets": ["GRID", "COPY"],
    }


def _filters(contract: Instrument) -> list[dict[str, Any]]:
    tick = contract.tick_size
    return [
        {
            "filterType": "PRICE_FILTER",
            "maxPrice": _plain(tick * _MOST_TICKS),
            "minPrice": _plain(tick),
            "tickSize": _plain(tick),
        },
        _lot_size("LOT_SIZE", contract, contract.max_quantity),
        _lot_size("MARKET_LOT_SIZE", contract, contract.max_market_quantity),
        {"filterType": "MAX_NUM_ORDERS", "limit": max_open_orders(contract.symbol)},
        {"filterType": "MIN_NOTIONAL", "notional": _plain(contract.min_notional)},
        {
            "filterType": "PERCENT_PRICE",
            "multiplierUp": _plain(contract.percent_up),
            "multiplierDown": _plain(contract.percent_down),
            "multiplierDecimal": "4",
        },
        {
            "filterType": "POSITION_RISK_CONTROL",
            "positionControlSide": "NONE",
        },
    ]


def _lot_size(kind: str, contract: Instrument, most: Decimal) -> dict[str, str]:
    return {
        "filterType": kind,
        "maxQty": _plain(most),
        "minQty": _plain(contract.min_quantity),
        "stepSize": _plain(contract.step_size),
    }


def _plain(value: Decimal) -> str:
    return f"{value:f}"
