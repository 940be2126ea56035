"""What each call costs: request weight a minute by address, and the two order counters by account."""

from collections.abc import Callable, Mapping

Params = Mapping[str, str]
_Weight = int | Callable[[Params], int]

KLINE_PATHS = frozenset(
    f"/fapi/v1/{name}"
    for name in ("klines", "continuousKlines", "indexPriceKlines", "markPriceKlines", "premiumIndexKlines")
)


def weight_of(method: str, path: str, params: Params) -> int:
    """Return the request weight; a call that Binance's table does not name costs 1."""
    weight = _BY_CALL.get((method, path), _BY_PATH.get(path, 1))
    return weight if isinstance(weight, int) else weight(params)


def order_counts_of(method: str, path: str) -> tuple[int, int]:
    """Return what the call adds to the order counters of ten seconds and of a minute."""
    return _ORDER_COUNTS.get((method, path), (0, 0))


def _by_limit(steps: Mapping[int, int], *, beyond: int, default: int) -> Callable[[Params], int]:
    def weight(params: Params) -> int:
        text = params.get("limit", "")
        limit = int(text) if text.isdecimal() else default
        return next((cost for most, cost in steps.items() if limit <= most), beyond)

    return weight


def _by_symbol(one: int, every: int) -> Callable[[Params], int]:
    return lambda params: one if params.get("symbol") else every


_KLINES = _by_limit({99: 1, 499: 2, 1000: 5}, beyond=10, default=500)
_DEPTH = _by_limit({50: 2, 100: 5, 500: 10}, beyond=20, default=500)

_BY_PATH: dict[str, _Weight] = {
    **dict.fromkeys(KLINE_PATHS, _KLINES),
    "/fapi/v1/depth": _DEPTH,
    "/fapi/v1/rpiDepth": 20,
    "/fapi/v1/trades": 5,
    "/fapi/v1/historicalTrades": 200,
    "/fapi/v1/aggTrades": 20,
    "/fapi/v1/premiumIndex": _by_symbol(1, 10),
    "/fapi/v1/fundingInfo": 0,
    "/fapi/v1/fundingRate": 0,
    "/fapi/v1/ticker/24hr": _by_symbol(1, 40),
    "/fapi/v1/ticker/price": _by_symbol(1, 2),
    "/fapi/v2/ticker/price": _by_symbol(1, 2),
    "/fapi/v1/ticker/bookTicker": _by_symbol(2, 5),
    "/fapi/v1/assetIndex": _by_symbol(1, 10),
    "/fapi/v1/constituents": 2,
    "/fapi/v1/openOrders": _by_symbol(1, 40),
    "/fapi/v1/openAlgoOrders": _by_symbol(1, 40),
    "/fapi/v1/forceOrders": _by_symbol(20, 50),
    "/fapi/v1/apiTradingStatus": _by_symbol(1, 10),
    "/fapi/v1/allOrders": 5,
    "/fapi/v1/allAlgoOrders": 5,
    "/fapi/v1/userTrades": 5,
    "/fapi/v1/income": 30,
    "/fapi/v1/commissionRate": 20,
    "/fapi/v1/symbolConfig": 5,
    "/fapi/v1/accountConfig": 5,
    "/fapi/v1/adlQuantile": 5,
    "/fapi/v1/countdownCancelAll": 10,
    "/fapi/v2/account": 5,
    "/fapi/v3/account": 5,
    "/fapi/v2/balance": 5,
    "/fapi/v3/balance": 5,
    "/fapi/v2/positionRisk": 5,
    "/fapi/v3/positionRisk": 5,
}

_BY_CALL: dict[tuple[str, str], _Weight] = {
    ("POST", "/fapi/v1/order"): 0,
    ("PUT", "/fapi/v1/order"): 0,
    ("POST", "/fapi/v1/order/test"): 0,
    ("POST", "/fapi/v1/algoOrder"): 0,
    ("POST", "/fapi/v1/batchOrders"): 5,
    ("PUT", "/fapi/v1/batchOrders"): 5,
    ("GET", "/fapi/v1/feeBurn"): 30,
    ("GET", "/fapi/v1/multiAssetsMargin"): 30,
    ("GET", "/fapi/v1/positionSide/dual"): 30,
}

_ORDER_COUNTS: dict[tuple[str, str], tuple[int, int]] = {
    ("POST", "/fapi/v1/order"): (1, 1),
    ("PUT", "/fapi/v1/order"): (1, 1),
    ("POST", "/fapi/v1/algoOrder"): (1, 1),
    ("POST", "/fapi/v1/batchOrders"): (5, 1),
    ("PUT", "/fapi/v1/batchOrders"): (5, 1),
}
