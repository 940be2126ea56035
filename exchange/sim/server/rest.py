"""One REST call from bytes to bytes: limits, keys, signatures, then the endpoint."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from exchange.sim.server import refusals
from exchange.sim.server.limits import OrderCounter, WeightLimiter
from exchange.sim.server.listen_keys import ListenKeys
from exchange.sim.server.market_data import MarketData
from exchange.sim.server.signatures import Credentials, KeyRing, check_signed
from exchange.sim.server.stepper import MarketTime
from exchange.sim.server.weights import order_counts_of, weight_of
from exchange.sim.venue.rejections import VenueRejection

LISTEN_KEY_PATH = "/fapi/v1/listenKey"

_SPELT = {"orderidlist": "orderIdList", "origclientorderidlist": "origClientOrderIdList"}
"""Names that ccxt ships to production in another spelling than the documented one."""

TradingCall = Callable[[str, Mapping[str, str]], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request as it came: ``query`` and ``body`` still encoded, for their signature."""

    method: str
    path: str
    query: str
    body: str
    api_key: str | None
    address: str

    @property
    def params(self) -> dict[str, str]:
        """Return query and body together; the body wins where both name a parameter."""
        pairs = parse_qsl(self.query, keep_blank_values=True) + parse_qsl(self.body, keep_blank_values=True)
        return {_SPELT.get(name, name): value for name, value in pairs}


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes
    headers: Mapping[str, str]
    content_type: str = "application/json"


class Rest:
    """Answers calls. ``trading`` maps (method, path) to the venue's endpoints."""

    def __init__(
        self,
        market_data: MarketData,
        trading: Mapping[tuple[str, str], TradingCall],
        *,
        ring: KeyRing,
        keys: ListenKeys,
        weights: WeightLimiter,
        orders: OrderCounter,
        time: MarketTime,
    ) -> None:
        self._market_data = market_data
        self._trading = trading
        self._ring = ring
        self._keys = keys
        self._weights = weights
        self._orders = orders
        self._time = time

    def answer(self, call: Call) -> Reply:
        """Return what Binance would; every refusal is an answer too."""
        headers: dict[str, str] = {}
        try:
            params = call.params
            self._charge_weight(call, params, headers)
            body = self._endpoint(call, params, headers)
        except VenueRejection as reason:
            return refused(reason, headers)
        return Reply(200, body, headers)

    def _charge_weight(self, call: Call, params: Mapping[str, str], headers: dict[str, str]) -> None:
        weight = weight_of(call.method, call.path, params)
        try:
            self._weights.charge(call.address, weight)
        finally:
            headers["X-MBX-USED-WEIGHT-1M"] = str(self._weights.used(call.address))

    def _endpoint(self, call: Call, params: Mapping[str, str], headers: dict[str, str]) -> bytes:
        public = self._market_data.routes.get(call.path)
        if public is not None and call.method == "GET":
            return public(params)
        if call.path == LISTEN_KEY_PATH:
            return self._listen_key(call)
        endpoint = self._trading.get((call.method, call.path))
        if endpoint is None:
            raise refusals.no_such_path(call.method, call.path)
        account = self._signed(call, params).account
        self._charge_orders(call, account, headers)
        return msgspec.json.encode(endpoint(account, params))

    def _signed(self, call: Call, params: Mapping[str, str]) -> Credentials:
        credentials = self._ring.identify(call.api_key)
        check_signed(credentials, params, query=call.query, body=call.body, machine_ms=self._time.wire_ms())
        return credentials

    def _charge_orders(self, call: Call, account: str, headers: dict[str, str]) -> None:
        ten_seconds, minute = order_counts_of(call.method, call.path)
        if not minute:
            return
        try:
            self._orders.charge(account, ten_seconds=ten_seconds, minute=minute)
        finally:
            headers.update(self._orders.headers(account))

    def _listen_key(self, call: Call) -> bytes:
        """Open, extend or close a user stream: the API key alone, unsigned."""
        account = self._ring.identify(call.api_key).account
        match call.method:
            case "POST":
                key = self._keys.issue(account)
            case "PUT":
                key = self._keys.extend(account)
            case "DELETE":
                self._keys.close(account)
                return b"{}"
            case _:
                raise refusals.no_such_path(call.method, call.path)
        return msgspec.json.encode({"listenKey": key})


def refused(reason: VenueRejection, headers: dict[str, str]) -> Reply:
    """Return a refusal as it goes over the wire."""
    if isinstance(reason, refusals.Refusal) and reason.retry_after:
        headers["Retry-After"] = str(reason.retry_after)
    body = msgspec.json.encode({"code": reason.code, "msg": reason.message})
    return Reply(reason.http_status, body, headers)
