"""One way to every REST endpoint: weight, signature, the judgement of replies."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import msgspec

from core.clock import Clock
from core.errors import ExchangeRefused, ExchangeUnavailable, NotAllowed, RateLimited
from exchange.binance.addresses import BinanceAddresses, Credentials
from exchange.binance.circuits import Circuits, EndpointClass
from exchange.binance.outcomes import Outcome, outcome_of
from exchange.binance.transport import HttpResponse, Transport
from exchange.limits.orders import TOO_MANY_ORDERS, OrderLimiter
from exchange.limits.weight import Priority, WeightLimiter

if TYPE_CHECKING:
    from exchange.binance.ccxt_client import CcxtClient

T = TypeVar("T")
Parameters = Mapping[str, str | int | bool]

_USED_WEIGHT = "X-MBX-USED-WEIGHT-1M"
_ROUNDS = 3
_LONG_ROUND_MS = 1000
_BANNED_UNTIL = re.compile(r"until (\d{13})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One of ccxt's implicit methods, its weight, and the class whose silence it shares.

    ``is_order`` where the exchange counts the account's orders.
    """

    method: str
    weight: int
    kind: EndpointClass
    is_order: bool = False


EXCHANGE_INFO = Endpoint(method="fapiPublicGetExchangeInfo", weight=1, kind=EndpointClass.MARKET)
FUNDING_INFO = Endpoint(method="fapiPublicGetFundingInfo", weight=0, kind=EndpointClass.MARKET)
SERVER_TIME = Endpoint(method="fapiPublicGetTime", weight=1, kind=EndpointClass.CLOCK)
PREMIUM_INDEX = Endpoint(method="fapiPublicGetPremiumIndex", weight=10, kind=EndpointClass.MARKET)
KEY_RIGHTS = Endpoint(method="sapiGetAccountApiRestrictions", weight=1, kind=EndpointClass.ACCOUNT)
ACCOUNT_CONFIG = Endpoint(method="fapiPrivateGetAccountConfig", weight=5, kind=EndpointClass.ACCOUNT)
BRACKETS = Endpoint(method="fapiPrivateGetLeverageBracket", weight=1, kind=EndpointClass.ACCOUNT)
ACCOUNT = Endpoint(method="fapiPrivateV3GetAccount", weight=5, kind=EndpointClass.ACCOUNT)
POSITIONS = Endpoint(method="fapiPrivateV3GetPositionRisk", weight=5, kind=EndpointClass.ACCOUNT)
SYMBOL_CONFIG = Endpoint(method="fapiPrivateGetSymbolConfig", weight=5, kind=EndpointClass.ACCOUNT)
SET_MARGIN_TYPE = Endpoint(method="fapiPrivatePostMarginType", weight=1, kind=EndpointClass.SETTINGS)
SET_LEVERAGE = Endpoint(method="fapiPrivatePostLeverage", weight=1, kind=EndpointClass.SETTINGS)
SET_POSITION_MODE = Endpoint(method="fapiPrivatePostPositionSideDual", weight=1, kind=EndpointClass.SETTINGS)
SUBMIT_ORDER = Endpoint(method="fapiPrivatePostOrder", weight=0, kind=EndpointClass.ORDERS, is_order=True)
FIND_ORDER = Endpoint(method="fapiPrivateGetOrder", weight=1, kind=EndpointClass.QUERIES)
FIND_TRADES = Endpoint(method="fapiPrivateGetUserTrades", weight=5, kind=EndpointClass.QUERIES)
PLACE_CONDITIONAL = Endpoint(
    method="fapiPrivatePostAlgoOrder", weight=0, kind=EndpointClass.CONDITIONALS, is_order=True
)
CANCEL_CONDITIONAL = Endpoint(method="fapiPrivateDeleteAlgoOrder", weight=1, kind=EndpointClass.CONDITIONALS)
FIND_CONDITIONAL = Endpoint(method="fapiPrivateGetAlgoOrder", weight=1, kind=EndpointClass.QUERIES)
INCOME = Endpoint(method="fapiPrivateGetIncome", weight=30, kind=EndpointClass.ACCOUNT)
OPEN_CONDITIONALS = Endpoint(method="fapiPrivateGetOpenAlgoOrders", weight=40, kind=EndpointClass.ACCOUNT)
OPEN_ORDERS = Endpoint(method="fapiPrivateGetOpenOrders", weight=40, kind=EndpointClass.ACCOUNT)
NEW_LISTEN_KEY = Endpoint(method="fapiPrivatePostListenKey", weight=1, kind=EndpointClass.LISTEN_KEYS)
KEEP_LISTEN_KEY = Endpoint(method="fapiPrivatePutListenKey", weight=1, kind=EndpointClass.LISTEN_KEYS)


def klines(limit: int) -> Endpoint:
    """Pages of 99 candles cost 1, of 499 cost 2: the two sizes worth asking for."""
    weight = 1 if limit < 100 else 2 if limit < 500 else 5 if limit <= 1000 else 10
    return Endpoint(method="fapiPublicGetKlines", weight=weight, kind=EndpointClass.MARKET)


class _Refusal(msgspec.Struct):
    code: int
    msg: str = ""


class _ServerTime(msgspec.Struct):
    serverTime: int  # noqa: N815 - Binance's name


class BinanceRest:
    """Signed requests inside the weight budget. All errors come out as those of ``core.errors``.

    ``rate_limited`` counts how often the exchange turned us away, which should be never.
    """

    def __init__(
        self,
        addresses: BinanceAddresses,
        credentials: Credentials,
        *,
        transport: Transport,
        limiter: WeightLimiter,
        orders: OrderLimiter | None = None,
        clock: Clock,
    ) -> None:
        self._addresses = addresses
        self._credentials = credentials
        self._transport = transport
        self._clock = clock
        self._client_made: CcxtClient | None = None
        self.limiter = limiter
        self.orders = orders or OrderLimiter(clock)
        self.circuits = Circuits(clock)
        self.rate_limited = 0

    @property
    def signs(self) -> bool:
        """Whether keys were given at all."""
        return bool(self._credentials.api_key)

    async def call(
        self, endpoint: Endpoint, parameters: Parameters, *, priority: Priority, reply: type[T]
    ) -> T:
        """Ask and decode the answer as ``reply``.

        Raises ``ExchangeRefused``, ``RateLimited`` or ``ExchangeUnavailable``; an answer that can not be
        read is the last of these, for the request may well have been carried out.
        """
        response = await self._ask(endpoint, parameters, priority)
        try:
            return msgspec.json.decode(response.body, type=reply, strict=False)
        except msgspec.DecodeError as fault:
            raise ExchangeUnavailable(f"{endpoint.method}: unreadable answer: {fault}") from fault

    async def synchronise_clock(self) -> None:
        """Measure how far our clock is ahead of the exchange's, for the timestamps we sign.

        The answer is from the middle of the round, so a round in which we waited for something else (the
        budget, a busy machine) tells too little and is repeated.
        """
        client = self._client()  # made before: that takes seconds
        for _ in range(_ROUNDS):
            sent = self._clock.wire_ms()
            answer = await self.call(SERVER_TIME, {}, priority=Priority.ORDER, reply=_ServerTime)
            received = self._clock.wire_ms()
            client.set_clock_ahead((sent + received) // 2 - answer.serverTime)
            if received - sent <= _LONG_ROUND_MS:
                return

    async def _ask(self, endpoint: Endpoint, parameters: Parameters, priority: Priority) -> HttpResponse:
        self.circuits.check(endpoint.kind)
        if endpoint.is_order:
            await self.orders.acquire(priority)
        lease = await self.limiter.acquire(endpoint.weight, priority)
        used = None
        try:
            response = await self._client().ask(endpoint.method, parameters)
            used = _used_weight(response)
        except ExchangeUnavailable:
            self.circuits[endpoint.kind].failed()
            raise
        finally:
            self.limiter.settle(lease, used)
        await self._judge(endpoint, response)
        return response

    async def _judge(self, endpoint: Endpoint, response: HttpResponse) -> None:
        circuit = self.circuits[endpoint.kind]
        if response.status < 400:
            circuit.succeeded()
            return
        refusal = _refusal(response)
        code = refusal.code if refusal else None
        text = f"{endpoint.method}: {refusal.msg if refusal else f'HTTP {response.status}'}"
        outcome = outcome_of(response.status, code)
        if outcome.is_unknown:
            circuit.failed()
            raise ExchangeUnavailable(f"{text} (code {code})")
        if outcome is Outcome.RATE_LIMITED:
            raise self._rate_limited(response, code or -response.status, text)
        circuit.succeeded()  # a definite no is an answer
        if outcome is Outcome.CLOCK_SKEWED:
            await self.synchronise_clock()
        if outcome.is_for_people:
            raise NotAllowed(code or 0, text)
        raise ExchangeRefused(code or 0, text)

    def _rate_limited(self, response: HttpResponse, code: int, text: str) -> RateLimited:
        """Close the budget too, except where only the account's orders were counted."""
        self.rate_limited += 1
        retry_after = self._retry_after(response, text)
        if code != TOO_MANY_ORDERS:
            self.limiter.close_for(retry_after)
        return RateLimited(code, text, retry_after=retry_after)

    def _retry_after(self, response: HttpResponse, text: str) -> float:
        stated = response.headers.get("Retry-After")
        if stated is not None and stated.isdecimal():
            return float(stated)
        until = _BANNED_UNTIL.search(text)
        if until is not None:
            return max(0.0, (int(until[1]) - self._clock.wire_ms()) / 1000)
        return self.limiter.period / 6

    def _client(self) -> "CcxtClient":
        if self._client_made is None:
            from exchange.binance.ccxt_client import CcxtClient

            self._client_made = CcxtClient(
                self._addresses,
                self._credentials,
                send=self._transport.send,
                wire_ms=self._clock.wire_ms,
            )
        return self._client_made


def _used_weight(response: HttpResponse) -> int | None:
    used = response.headers.get(_USED_WEIGHT)
    return int(used) if used is not None and used.isdecimal() else None


def _refusal(response: HttpResponse) -> _Refusal | None:
    try:
        return msgspec.json.decode(response.body, type=_Refusal)
    except msgspec.DecodeError:
        return None
