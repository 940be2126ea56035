"""The order side of one Binance account: ``core.ports.Exchange`` over ccxt."""

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TypeVar

import msgspec

from core.clock import Clock
from core.errors import ExchangeRefused, ExchangeUnavailable
from core.income import Income
from core.instruments import Instrument
from core.orders import (
    AccountRead,
    CancelConditional,
    CloseAtMarket,
    OrderFilled,
    PlaceConditional,
    QueryOrder,
    Report,
    RestingConditional,
    RestingOrder,
    Role,
    SubmitEntry,
)
from core.rng import Rng
from exchange.binance import orders, rest
from exchange.binance.account import AccountReply, SymbolConfig, account_read
from exchange.binance.income import incomes_since
from exchange.binance.instruments import (
    ExchangeInfo,
    FundingTerms,
    SymbolBrackets,
    instruments_of,
    with_funding,
)
from exchange.binance.outcomes import BY_CODE, Outcome
from exchange.binance.quarantine import sort_out
from exchange.binance.rest import BinanceRest
from exchange.binance.user_stream import UserStream
from exchange.limits.retries import ReadRetries
from exchange.limits.weight import Priority

T = TypeVar("T")

_log = logging.getLogger(__name__)

_CONDITIONAL_ROLES = frozenset({Role.STOP, Role.TRAIL, Role.TARGET})
_ISOLATED = "ISOLATED"
_NOTHING: rest.Parameters = MappingProxyType({})


class BinanceFutures:
    """One account in one-way mode and isolated margin. Reads are repeated, orders never."""

    def __init__(self, api: BinanceRest, user_stream: UserStream, *, clock: Clock, rng: Rng) -> None:
        self._api = api
        self._user_stream = user_stream
        self._clock = clock
        self._retries = ReadRetries(clock=clock, rng=rng)
        self._one_way = False
        self._funding: Sequence[FundingTerms] = ()

    async def instruments(self) -> Mapping[str, Instrument]:
        info = await self._ask(rest.EXCHANGE_INFO, reply=ExchangeInfo)
        weight_limit = info.weight_limit()
        if weight_limit is not None:
            self._api.limiter.set_limit(weight_limit)
        self._api.orders.set_limits(info.order_limits())
        return with_funding(instruments_of(info, await self._brackets()), await self._funding_terms())

    async def account(self) -> AccountRead:
        """Read balance, then positions. A read that fails in part fails whole: it must never look flat.

        It is as old as the question: what fills while the answers are on their way may be missing from it.
        """
        asked_at = self._clock.market_ms()
        account = await self._ask(rest.ACCOUNT, reply=AccountReply)
        positions = await self._ask(rest.POSITIONS, reply=list[msgspec.Raw])
        return account_read(account, positions, at=asked_at)

    async def prepare(self, symbol: str, leverage: int) -> int:
        await self._ensure_one_way()
        before = await self._symbol_config(symbol)
        if before.margin_type == _ISOLATED and before.leverage == leverage:
            return leverage
        if before.margin_type != _ISOLATED:
            await self._set(rest.SET_MARGIN_TYPE, {"symbol": symbol, "marginType": _ISOLATED})
        if before.leverage != leverage:
            await self._set(rest.SET_LEVERAGE, {"symbol": symbol, "leverage": leverage})
        after = await self._symbol_config(symbol)
        if after.margin_type != _ISOLATED:
            raise ExchangeRefused(0, f"{symbol} stays in {after.margin_type} margin")
        return after.leverage

    async def submit(self, order: SubmitEntry | CloseAtMarket) -> None:
        priority = Priority.PROTECTIVE if isinstance(order, CloseAtMarket) else Priority.ORDER
        heard = self._user_stream.heard
        await self._send(rest.SUBMIT_ORDER, orders.market_order(order), priority)
        self._user_stream.expect_news(since=heard)

    async def place(self, conditional: PlaceConditional) -> None:
        await self._send(rest.PLACE_CONDITIONAL, orders.conditional_order(conditional), Priority.PROTECTIVE)

    async def cancel(self, conditional: CancelConditional) -> None:
        parameters = {"symbol": conditional.symbol, "clientAlgoId": conditional.client_order_id}
        try:
            # To cancel twice does no harm, so this may be repeated like a read.
            await self._ask(
                rest.CANCEL_CONDITIONAL, parameters, priority=Priority.PROTECTIVE, reply=orders.Accepted
            )
        except ExchangeRefused as refusal:
            if BY_CODE.get(refusal.code) is not Outcome.NOT_FOUND:
                raise

    async def find(self, query: QueryOrder) -> Sequence[Report]:
        try:
            if query.role in _CONDITIONAL_ROLES:
                return await self._find_conditional(query)
            return await self._find_order(query)
        except ExchangeRefused as refusal:
            if BY_CODE.get(refusal.code) is Outcome.NOT_FOUND:
                return ()
            raise

    async def open_conditionals(self, symbol: str | None = None) -> Sequence[RestingConditional]:
        endpoint, parameters, priority = rest.OPEN_CONDITIONALS, {}, Priority.ACCOUNT
        if symbol is not None:  # asked for when something does not fit, and a fortieth of the weight
            endpoint, parameters = replace(endpoint, weight=1), {"symbol": symbol}
            priority = Priority.PROTECTIVE
        rows = await self._ask(endpoint, parameters, priority=priority, reply=list[msgspec.Raw])
        resting = sort_out(rows, orders.OpenConditionalReply).read  # one left out is asked about by its id
        return tuple(orders.resting_conditional(each) for each in resting)

    async def open_orders(self) -> Sequence[RestingOrder]:
        rows = await self._ask(rest.OPEN_ORDERS, reply=list[msgspec.Raw])
        resting = sort_out(rows, orders.OpenOrderReply).read
        return tuple(orders.resting_order(each) for each in resting)

    async def incomes(self, since: int) -> Sequence[Income]:
        async def ask(parameters: rest.Parameters) -> Sequence[msgspec.Raw]:
            return await self._ask(rest.INCOME, parameters, reply=list[msgspec.Raw])

        return await incomes_since(ask, since, now=self._clock.market_ms())

    def reports(self) -> AsyncIterator[Report]:
        return self._user_stream.reports()

    async def close(self) -> None:
        await self._user_stream.close()

    async def _ask(
        self,
        endpoint: rest.Endpoint,
        parameters: rest.Parameters = _NOTHING,
        *,
        priority: Priority = Priority.ACCOUNT,
        reply: type[T],
    ) -> T:
        """Ask until there is an answer, which is for what may be done twice without harm."""
        return await self._retries.run(
            lambda: self._api.call(endpoint, parameters, priority=priority, reply=reply)
        )

    async def _send(self, endpoint: rest.Endpoint, parameters: rest.Parameters, priority: Priority) -> None:
        """Send an order, once."""
        try:
            await self._api.call(endpoint, parameters, priority=priority, reply=orders.Accepted)
        except ExchangeRefused as refusal:
            if BY_CODE.get(refusal.code) is Outcome.MODE_MISMATCH:
                self._one_way = False  # somebody switched the position mode: set it again before the next
            raise

    async def _brackets(self) -> Sequence[SymbolBrackets]:
        if not self._api.signs:
            return ()
        return await self._ask(rest.BRACKETS, reply=list[SymbolBrackets])

    async def _funding_terms(self) -> Sequence[FundingTerms]:
        """Return what was told last; that nobody tells keeps no contract from being traded."""
        try:
            self._funding = await self._ask(rest.FUNDING_INFO, reply=list[FundingTerms])
        except (ExchangeUnavailable, ExchangeRefused) as fault:
            _log.warning("funding intervals not read: %s", fault)
        return self._funding

    async def _ensure_one_way(self) -> None:
        if not self._one_way:
            await self._set(rest.SET_POSITION_MODE, {"dualSidePosition": "false"})
            self._one_way = True

    async def _set(self, endpoint: rest.Endpoint, parameters: rest.Parameters) -> None:
        """Change a setting; that it was so already is success."""
        try:
            await self._ask(endpoint, parameters, priority=Priority.ORDER, reply=orders.Accepted)
        except ExchangeRefused as refusal:
            if BY_CODE.get(refusal.code) is not Outcome.NO_CHANGE:
                raise

    async def _symbol_config(self, symbol: str) -> SymbolConfig:
        configs = await self._ask(
            rest.SYMBOL_CONFIG, {"symbol": symbol}, priority=Priority.ORDER, reply=list[SymbolConfig]
        )
        found = next((each for each in configs if each.symbol == symbol), None)
        if found is None:
            raise ExchangeRefused(0, f"{symbol} has no margin mode and leverage to read")
        return found

    async def _find_order(self, query: QueryOrder) -> Sequence[Report]:
        parameters = {"symbol": query.symbol, "origClientOrderId": query.client_order_id}
        order = await self._ask(
            rest.FIND_ORDER, parameters, priority=Priority.PROTECTIVE, reply=orders.OrderReply
        )
        fills = await self._fills(query, order.order_id) if order.executed_qty else ()
        return (*fills, orders.ended(order)) if order.status in orders.ENDED else fills

    async def _find_conditional(self, query: QueryOrder) -> Sequence[Report]:
        parameters = {"symbol": query.symbol, "clientAlgoId": query.client_order_id}
        order = await self._ask(
            rest.FIND_CONDITIONAL, parameters, priority=Priority.PROTECTIVE, reply=orders.ConditionalReply
        )
        fills = await self._fills(query, order.became) if order.became else ()
        if not order.is_told_whole(fills):
            raise ExchangeUnavailable(f"{query.client_order_id} triggered, and what it did is not told whole")
        return (orders.conditional_changed(order), *fills)

    async def _fills(self, query: QueryOrder, order_id: int | str) -> Sequence[OrderFilled]:
        """Return the executions of an order that exists: that they are not found says nothing of it."""
        try:
            trades = await self._ask(
                rest.FIND_TRADES,
                {"symbol": query.symbol, "orderId": order_id},
                priority=Priority.PROTECTIVE,
                reply=list[orders.TradeReply],
            )
        except ExchangeRefused as refusal:
            raise ExchangeUnavailable(
                f"executions of {query.client_order_id} not told: {refusal}"
            ) from refusal
        return tuple(orders.filled(each, client_order_id=query.client_order_id) for each in trades)
