"""Every trading endpoint of the simulated exchange: method and path to handler."""

from collections.abc import Callable, Mapping

from exchange.sim.trading import account, conditionals, orders, settings
from exchange.sim.trading.call import Call, JsonValue, Params
from exchange.sim.venue.rejections import VenueRejection
from exchange.sim.venue.venue import Venue

__all__ = ["ROUTES", "Handler", "JsonValue", "VenueRejection"]

Handler = Callable[[Venue, str, Mapping[str, str], int], JsonValue]


def _handler(function: Callable[[Call], JsonValue]) -> Handler:
    def handle(venue: Venue, account_id: str, params: Mapping[str, str], now_ms: int) -> JsonValue:
        who = venue.account(account_id)
        return function(Call(venue=venue, account=who, params=Params(params), now_ms=now_ms))

    return handle


_FUNCTIONS: Mapping[tuple[str, str], Callable[[Call], JsonValue]] = {
    ("POST", "/fapi/v1/order"): orders.place,
    ("GET", "/fapi/v1/order"): orders.query,
    ("PUT", "/fapi/v1/order"): orders.amend,
    ("DELETE", "/fapi/v1/order"): orders.cancel,
    ("POST", "/fapi/v1/order/test"): orders.check,
    ("GET", "/fapi/v1/openOrder"): orders.query_open,
    ("GET", "/fapi/v1/openOrders"): orders.list_open,
    ("GET", "/fapi/v1/allOrders"): orders.list_all,
    ("DELETE", "/fapi/v1/allOpenOrders"): orders.cancel_all,
    ("POST", "/fapi/v1/batchOrders"): orders.place_batch,
    ("PUT", "/fapi/v1/batchOrders"): orders.amend_batch,
    ("DELETE", "/fapi/v1/batchOrders"): orders.cancel_batch,
    ("GET", "/fapi/v1/orderAmendment"): orders.amendments,
    ("POST", "/fapi/v1/countdownCancelAll"): orders.countdown_cancel,
    ("GET", "/fapi/v1/userTrades"): orders.trades,
    ("GET", "/fapi/v1/forceOrders"): orders.forced,
    ("POST", "/fapi/v1/algoOrder"): conditionals.place,
    ("GET", "/fapi/v1/algoOrder"): conditionals.query,
    ("DELETE", "/fapi/v1/algoOrder"): conditionals.cancel,
    ("GET", "/fapi/v1/openAlgoOrders"): conditionals.list_open,
    ("GET", "/fapi/v1/allAlgoOrders"): conditionals.list_all,
    ("DELETE", "/fapi/v1/algoOpenOrders"): conditionals.cancel_all,
    ("GET", "/fapi/v2/account"): account.account_v2,
    ("GET", "/fapi/v3/account"): account.account_v3,
    ("GET", "/fapi/v2/balance"): account.balance,
    ("GET", "/fapi/v3/balance"): account.balance,
    ("GET", "/fapi/v2/positionRisk"): account.position_risk_v2,
    ("GET", "/fapi/v3/positionRisk"): account.position_risk_v3,
    ("GET", "/fapi/v1/accountConfig"): account.configuration,
    ("GET", "/fapi/v1/commissionRate"): account.commission_rate,
    ("GET", "/fapi/v1/income"): account.income,
    ("GET", "/fapi/v1/adlQuantile"): account.adl_quantile,
    ("GET", "/fapi/v1/symbolAdlRisk"): account.adl_risk,
    ("GET", "/fapi/v1/apiTradingStatus"): account.trading_status,
    ("GET", "/fapi/v1/rateLimit/order"): account.order_rate_limit,
    ("GET", "/sapi/v1/account/apiRestrictions"): account.key_restrictions,
    ("POST", "/fapi/v1/leverage"): settings.set_leverage,
    ("POST", "/fapi/v1/marginType"): settings.set_margin_type,
    ("GET", "/fapi/v1/positionSide/dual"): settings.position_mode,
    ("POST", "/fapi/v1/positionSide/dual"): settings.set_position_mode,
    ("GET", "/fapi/v1/multiAssetsMargin"): settings.multi_assets_mode,
    ("POST", "/fapi/v1/multiAssetsMargin"): settings.set_multi_assets_mode,
    ("POST", "/fapi/v1/positionMargin"): settings.change_position_margin,
    ("GET", "/fapi/v1/positionMargin/history"): settings.margin_history,
    ("GET", "/fapi/v1/symbolConfig"): settings.symbol_configuration,
    ("GET", "/fapi/v1/leverageBracket"): settings.leverage_brackets,
    ("GET", "/fapi/v1/feeBurn"): settings.fee_burn,
    ("POST", "/fapi/v1/feeBurn"): settings.set_fee_burn,
}

ROUTES: Mapping[tuple[str, str], Handler] = {route: _handler(each) for route, each in _FUNCTIONS.items()}
"""Handlers see verified parameters: signature, time and weight are the server's."""
