"""Which calls fall silent together: one that fails bars its own kind, and new entries, but nothing else."""

from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest

from core.clock import ManualClock
from core.errors import ExchangeRefused, ExchangeUnavailable
from core.orders import CloseAtMarket, PlaceConditional, Role
from core.rng import seeded
from core.signals import Side
from exchange.binance import rest
from exchange.binance.addresses import Credentials
from exchange.binance.circuits import EndpointClass
from exchange.binance.connection import BinanceConnection
from exchange.binance.transport import HttpRequest, HttpResponse
from exchange.limits.weight import Priority
from tests.unit.binance.wire import ADDRESSES, NOW_MS, SECRET, ScriptedTransport, refusal, reply

ACCOUNT = {
    "assets": [{"asset": "USDT", "walletBalance": "1", "unrealizedProfit": "0", "availableBalance": "1"}]
}
CLOSE = CloseAtMarket(
    position_id="p", client_order_id="ps-1-c1", symbol="SOLUSDT", side=Side.LONG, quantity=Decimal(2)
)
STOP = PlaceConditional(
    position_id="p",
    client_order_id="ps-1-s1",
    symbol="SOLUSDT",
    side=Side.LONG,
    role=Role.STOP,
    trigger_price=Decimal("101.10"),
)


class Venue:
    """An exchange that does not answer calls to ``silent`` ones, as method and path."""

    def __init__(self, *, key: str = "key") -> None:
        self.clock = ManualClock(NOW_MS)
        self.silent: set[tuple[str, str]] = set()
        self.refused: set[tuple[str, str]] = set()
        self.transport = ScriptedTransport(self._answer)
        self.connection = BinanceConnection(
            ADDRESSES,
            Credentials(api_key=key, api_secret=key and SECRET),
            clock=self.clock,
            rng=seeded(1),
            transport=self.transport,
        )

    def _answer(self, request: HttpRequest) -> HttpResponse:
        path = request.url.removeprefix(ADDRESSES.rest).partition("?")[0]
        if (request.method, path) in self.silent:
            return refusal(-1007, status=408)
        if (request.method, path) in self.refused:
            return refusal(-2019)
        return reply(ACCOUNT if path.endswith("/account") else [] if request.method == "GET" else {})

    async def closes(self) -> None:
        await self.connection.exchange.submit(CLOSE)

    async def protects(self) -> None:
        await self.connection.exchange.place(STOP)

    async def reads(self) -> None:
        await self.connection.exchange.account()

    async def lists(self) -> None:
        await self.connection.api.call(rest.EXCHANGE_INFO, {}, priority=Priority.ACCOUNT, reply=list[int])

    async def sets_leverage(self) -> None:
        await self.connection.api.call(rest.SET_LEVERAGE, {}, priority=Priority.ORDER, reply=dict[str, int])


CALLS: dict[tuple[str, str], Callable[[Venue], Awaitable[None]]] = {
    ("POST", "/fapi/v1/order"): Venue.closes,
    ("POST", "/fapi/v1/algoOrder"): Venue.protects,
    ("POST", "/fapi/v1/leverage"): Venue.sets_leverage,
    ("GET", "/fapi/v3/account"): Venue.reads,
    ("GET", "/fapi/v1/exchangeInfo"): Venue.lists,
}
VITAL = [("POST", "/fapi/v1/order"), ("POST", "/fapi/v1/algoOrder")]


async def fails_for_long(venue: Venue, call: tuple[str, str]) -> None:
    venue.silent = {call}
    for _ in range(20):
        with pytest.raises(ExchangeUnavailable):
            await CALLS[call](venue)


@pytest.mark.parametrize("silent", CALLS)
async def test_calls_of_one_kind_that_fail_for_long_bar_no_other_kind(silent: tuple[str, str]) -> None:
    venue = Venue()
    await fails_for_long(venue, silent)
    for call in CALLS.keys() - {silent}:
        await CALLS[call](venue)


@pytest.mark.parametrize("call", VITAL)
async def test_orders_are_always_tried(call: tuple[str, str]) -> None:
    venue = Venue()
    await fails_for_long(venue, call)
    assert venue.transport.asked == [call] * 20
    venue.silent = set()
    await CALLS[call](venue)


async def test_reads_that_fail_for_long_are_not_asked_for_a_while() -> None:
    venue = Venue()
    await fails_for_long(venue, ("GET", "/fapi/v3/account"))
    assert len(venue.transport.requests) < 10


async def test_an_exchange_that_takes_no_stops_answers_but_no_moment_is_one_to_enter() -> None:
    venue = Venue()
    await fails_for_long(venue, ("POST", "/fapi/v1/algoOrder"))
    assert not venue.connection.is_cut_off
    assert venue.connection.bars_entries


async def test_entries_are_tried_again_some_time_after_stops_were_last_refused_an_answer() -> None:
    venue = Venue()
    await fails_for_long(venue, ("POST", "/fapi/v1/algoOrder"))
    venue.clock.advance_to(NOW_MS + 31_000)
    assert not venue.connection.bars_entries


@pytest.mark.parametrize("key", ["key", ""])
async def test_an_exchange_is_cut_off_when_what_is_always_read_there_fails(key: str) -> None:
    venue = Venue(key=key)
    await fails_for_long(venue, ("GET", "/fapi/v3/account" if key else "/fapi/v1/exchangeInfo"))
    assert venue.connection.is_cut_off
    assert venue.connection.bars_entries


async def test_a_definite_no_is_an_answer() -> None:
    venue = Venue()
    await fails_for_long(venue, ("POST", "/fapi/v1/leverage"))
    venue.clock.advance_to(NOW_MS + 5_000)
    venue.silent, venue.refused = set(), {("POST", "/fapi/v1/leverage")}
    for _ in range(2):
        with pytest.raises(ExchangeRefused):
            await venue.sets_leverage()
    assert not venue.connection.bars_entries


def test_only_what_positions_depend_on_is_vital() -> None:
    assert {each for each in EndpointClass if not each.is_vital} == {
        EndpointClass.MARKET,
        EndpointClass.ACCOUNT,
        EndpointClass.LISTEN_KEYS,
        EndpointClass.SETTINGS,
    }
