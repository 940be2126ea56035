"""News of our account as it happens: the user data stream, kept alive, translated into reports."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from decimal import Decimal

import msgspec

from core.clock import Clock
from core.errors import ExchangeRefused, ExchangeUnavailable
from core.income import WalletMoved
from core.order_ids import CLIENT_ID_PREFIX
from core.orders import (
    ConditionalChanged,
    OrderEnded,
    OrderFilled,
    Report,
    StreamLost,
)
from core.rng import Rng
from exchange.binance import rest
from exchange.binance.account import SETTLED_IN
from exchange.binance.addresses import BinanceAddresses
from exchange.binance.orders import ENDED, Accepted, fee_in_usdt, side_of, status_of, wire_id
from exchange.binance.rest import BinanceRest
from exchange.binance.transport import Socket, SocketClosed, Transport
from exchange.limits.retries import Backoff, ReadRetries
from exchange.limits.weight import Priority

_log = logging.getLogger(__name__)
_Reader = Callable[[str], Iterator[Report]]

_EXECUTIONS = frozenset({"TRADE", "CALCULATED"})
_MADE_BY_VENUE = ("autoclose-", "adl_autoclose", "settlement_autoclose", "delivery_autoclose")
_REMEMBERED_TRIGGERS = 1000


class _Kind(msgspec.Struct):
    e: str = ""
    E: int = 0


class _Order(msgspec.Struct):
    symbol: str = msgspec.field(name="s")
    client_id: str = msgspec.field(name="c")
    side: str = msgspec.field(name="S")
    execution: str = msgspec.field(name="x")
    status: str = msgspec.field(name="X")
    order_id: int = msgspec.field(name="i")
    trade_id: int = msgspec.field(name="t")
    last_quantity: Decimal = msgspec.field(name="l")
    last_price: Decimal = msgspec.field(name="L")
    total: Decimal = msgspec.field(name="z")
    at: int = msgspec.field(name="T")
    realised_pnl: Decimal = msgspec.field(name="rp", default=Decimal(0))
    commission: Decimal = msgspec.field(name="n", default=Decimal(0))
    commission_asset: str = msgspec.field(name="N", default=SETTLED_IN)


class _OrderUpdate(msgspec.Struct):
    o: _Order


class _Conditional(msgspec.Struct):
    client_id: str = msgspec.field(name="caid")
    symbol: str = msgspec.field(name="s")
    status: str = msgspec.field(name="X")
    became: str | int | None = msgspec.field(name="ai", default=None)
    reason: str = msgspec.field(name="rm", default="")


class _ConditionalUpdate(msgspec.Struct):
    T: int
    o: _Conditional


class _Balance(msgspec.Struct):
    asset: str = msgspec.field(name="a")
    change: Decimal = msgspec.field(name="bc", default=Decimal(0))  # beyond profit and commission


class _Account(msgspec.Struct):
    cause: str = msgspec.field(name="m")
    balances: list[_Balance] = msgspec.field(name="B", default_factory=list)


class _AccountUpdate(msgspec.Struct):
    T: int
    a: _Account


class _ListenKey(msgspec.Struct, rename="camel"):
    listen_key: str


class UserStream:
    """Yields reports, reconnecting by itself.

    Every gap gives two ``StreamLost``: when it begins, and when it has ended, because only then all that
    was missed can be read. A stream may be open and silent for good, and nothing tells that from an
    account where nothing happens, except an order of ours: its news must come within ``news_within``
    machine seconds of its acceptance (see ``expect_news``), or the stream counts as lost. News may overtake
    the acceptance. ``keep_alive`` is in machine seconds too.
    """

    def __init__(
        self,
        api: BinanceRest,
        transport: Transport,
        addresses: BinanceAddresses,
        *,
        clock: Clock,
        rng: Rng,
        keep_alive: float = 1200.0,
        news_within: float = 3.0,
    ) -> None:
        self._api = api
        self._transport = transport
        self._addresses = addresses
        self._clock = clock
        self._rng = rng
        self._retries = ReadRetries(clock=clock, rng=rng)
        self._backoff = Backoff()
        self._keep_alive = keep_alive
        self._news_within = news_within
        self._news_due: float | None = None
        self._heard = 0
        self._socket: Socket | None = None
        self._closing = False
        self._failures = 0
        self._translator = Translator()
        self.connected = asyncio.Event()

    async def reports(self) -> AsyncIterator[Report]:
        lost_before = False
        while not self._closing:
            socket = await self._connect()
            if lost_before:
                yield self._lost("connected again")
            async for report in self._listen(socket):
                yield report
            lost_before = True

    @property
    def heard(self) -> int:
        """How many messages have come so far; to be noted before something is sent that makes news."""
        return self._heard

    def expect_news(self, *, since: int) -> None:
        """Take note that the exchange has accepted something that it must tell about, if it has not yet.

        ``since`` is what ``heard`` was before it was asked.
        """
        if self._heard == since and self._news_due is None and self.connected.is_set():
            self._news_due = self._clock.monotonic() + self._news_within

    async def close(self) -> None:
        """End the iteration."""
        self._closing = True
        if self._socket is not None:
            await self._socket.close()

    async def _listen(self, socket: Socket) -> AsyncIterator[Report]:
        self._news_due = None
        keepers = [asyncio.create_task(self._keep(socket)), asyncio.create_task(self._watch(socket))]
        try:
            while True:
                text = await socket.receive()
                self._failures = 0
                self._news_due = None
                self._heard += 1
                for report in self._read(text):
                    yield report
        except SocketClosed as end:
            if not self._closing:
                _log.warning("user stream lost: %s", end)
                yield self._lost(str(end))
        finally:
            self.connected.clear()
            for keeper in keepers:
                keeper.cancel()
            await asyncio.gather(*keepers, return_exceptions=True)
            await socket.close()

    def _read(self, text: str) -> Sequence[Report]:
        """Translate one message; one that can not be read may have been a fill, so it counts as a gap."""
        try:
            return tuple(self._translator.reports(text))
        except msgspec.DecodeError as fault:
            _log.warning("unreadable message of the user stream: %s", fault)
            return (self._lost(f"unreadable message: {fault}"),)

    async def _connect(self) -> Socket:
        while True:
            if self._failures:
                await self._clock.sleep(self._backoff.delay(self._failures, self._rng))
            self._failures += 1
            try:
                key = await self._api.call(rest.NEW_LISTEN_KEY, {}, priority=Priority.ORDER, reply=_ListenKey)
                self._socket = await self._transport.connect(self._addresses.user_socket(key.listen_key))
            except (ExchangeUnavailable, ExchangeRefused) as fault:
                _log.warning("user stream not connected: %s", fault)
            else:
                self.connected.set()
                return self._socket

    async def _keep(self, socket: Socket) -> None:
        """Extend the listen key until cancelled; when that fails for good, start over with a new one."""
        while True:
            await self._clock.sleep(self._keep_alive)
            try:
                await self._retries.run(
                    lambda: self._api.call(rest.KEEP_LISTEN_KEY, {}, priority=Priority.ORDER, reply=Accepted)
                )
            except (ExchangeUnavailable, ExchangeRefused) as fault:
                _log.warning("listen key not extended: %s", fault)
                await socket.close()
                return

    async def _watch(self, socket: Socket) -> None:
        """Close the connection when news that must come does not."""
        while not self._is_overdue():
            await self._clock.sleep(self._news_within / 4)
        _log.warning("user stream silent for %.0f s after an accepted order", self._news_within)
        await socket.close()

    def _is_overdue(self) -> bool:
        return self._news_due is not None and self._clock.monotonic() >= self._news_due

    def _lost(self, reason: str) -> StreamLost:
        return StreamLost(at=self._clock.market_ms(), reason=reason)


class Translator:
    """Turns messages into reports; remembers which orders were born from which conditionals."""

    def __init__(self) -> None:
        self._conditional_of: OrderedDict[str, str] = OrderedDict()
        self._readers: Mapping[str, _Reader] = {
            "ORDER_TRADE_UPDATE": self._order_update,
            "ALGO_UPDATE": self._conditional_update,
            "ACCOUNT_UPDATE": self._account_update,
            "listenKeyExpired": _expired,
        }

    def reports(self, text: str) -> Iterator[Report]:
        """Translate one message.

        Raises ``SocketClosed`` when it says that nothing more will come, ``msgspec.DecodeError`` when it
        can not be read.
        """
        reader = self._readers.get(msgspec.json.decode(text, type=_Kind).e)
        return reader(text) if reader else iter(())

    def _order_update(self, text: str) -> Iterator[Report]:
        order = msgspec.json.decode(text, type=_OrderUpdate).o
        client_id = self._client_id(order)
        if order.execution in _EXECUTIONS and order.last_quantity:
            yield OrderFilled(
                symbol=order.symbol,
                client_order_id=client_id,
                venue_order_id=str(order.order_id),
                trade_id=str(order.trade_id),
                side=side_of(order.side),
                quantity=order.last_quantity,
                price=order.last_price,
                fee=fee_in_usdt(
                    order.commission, order.commission_asset, notional=order.last_quantity * order.last_price
                ),
                realised_pnl=order.realised_pnl,
                at=order.at,
            )
        if order.status in ENDED and client_id.startswith(CLIENT_ID_PREFIX):
            yield OrderEnded(symbol=order.symbol, client_order_id=client_id, filled=order.total, at=order.at)

    def _conditional_update(self, text: str) -> Iterator[Report]:
        update = msgspec.json.decode(text, type=_ConditionalUpdate)
        became = wire_id(update.o.became)
        if became:
            self._remember(became, update.o.client_id)
        yield ConditionalChanged(
            symbol=update.o.symbol,
            client_order_id=update.o.client_id,
            status=status_of(update.o.status),
            at=update.T,
            venue_order_id=became,
            reason=update.o.reason,
        )

    def _account_update(self, text: str) -> Iterator[Report]:
        """Tell that the wallet moved without a trade; what it was has no id here, but in the records has."""
        update = msgspec.json.decode(text, type=_AccountUpdate)
        moved = any(each.asset == SETTLED_IN and each.change for each in update.a.balances)
        if moved and update.a.cause != "ORDER":
            yield WalletMoved(at=update.T)

    def _client_id(self, order: _Order) -> str:
        """Whose order it is: the conditional's that became it, nobody's where the venue made it itself."""
        born_from = self._conditional_of.get(str(order.order_id))
        if born_from is not None:
            return born_from
        return "" if order.client_id.startswith(_MADE_BY_VENUE) else order.client_id

    def _remember(self, order_id: str, client_id: str) -> None:
        self._conditional_of[order_id] = client_id
        if len(self._conditional_of) > _REMEMBERED_TRIGGERS:
            self._conditional_of.popitem(last=False)


def _expired(_text: str) -> Iterator[Report]:
    raise SocketClosed("the listen key expired")
