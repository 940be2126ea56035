"""The user stream through gaps, expiry and rubbish."""

import asyncio
import json
from collections.abc import Callable
from decimal import Decimal

import pytest

from core.errors import ExchangeUnavailable
from core.income import WalletMoved
from core.orders import Report, StreamLost, SubmitEntry
from core.signals import Side
from exchange.binance.transport import HttpRequest, HttpResponse, Socket, SocketClosed
from tests.fakes.virtual_time import VirtualClock, run_virtually
from tests.unit.binance.wire import ADDRESSES, ScriptedSocket, Wired, refusal, reply, wired


def funding(at: int) -> str:
    account = {"m": "FUNDING_FEE", "S": "ETHUSDT", "B": [{"a": "USDT", "bc": "-1"}]}
    return json.dumps({"e": "ACCOUNT_UPDATE", "E": at, "T": at, "a": account})


def with_keys() -> Callable[[HttpRequest], HttpResponse]:
    """Hand out key-1, key-2, … and accept every extension."""
    keys = (f"key-{number}" for number in range(1, 100))

    def answer(request: HttpRequest) -> HttpResponse:
        return reply({"listenKey": next(keys)}) if request.method == "POST" else reply({})

    return answer


async def heard(venue: Wired, count: int) -> list[Report]:
    """Listen until so many reports have come."""
    reports: list[Report] = []
    async with asyncio.timeout(500):
        async for report in venue.exchange.reports():
            reports.append(report)
            if len(reports) == count:
                break
    return reports


def kinds(reports: list[Report]) -> list[str]:
    return [f"paid {each.at}" if isinstance(each, WalletMoved) else "lost" for each in reports]


async def test_a_gap_is_told_when_it_begins_and_when_it_has_ended() -> None:
    sockets: list[Socket | Exception] = [ScriptedSocket([funding(1)]), ScriptedSocket([funding(2)])]
    venue = wired(with_keys(), sockets=sockets)
    reports = await heard(venue, 4)
    assert kinds(reports) == ["paid 1", "lost", "lost", "paid 2"]
    assert venue.transport.urls == [ADDRESSES.user_socket("key-1"), ADDRESSES.user_socket("key-2")]


@pytest.mark.fault(24)
async def test_an_expired_key_is_replaced_by_a_new_one() -> None:
    expired = json.dumps({"e": "listenKeyExpired", "E": 1, "listenKey": "key-1"})
    first = ScriptedSocket([expired], silent_after=True)
    venue = wired(with_keys(), sockets=[first, ScriptedSocket([funding(2)])])
    assert kinds(await heard(venue, 3)) == ["lost", "lost", "paid 2"]
    assert first.closed.is_set()


@pytest.mark.fault(28)
async def test_a_message_that_can_not_be_read_counts_as_a_gap() -> None:
    torn = funding(1)[:40]
    venue = wired(with_keys(), sockets=[ScriptedSocket([torn, funding(2)])])
    lost, paid = await heard(venue, 2)
    assert isinstance(lost, StreamLost)
    assert "unreadable" in lost.reason
    assert isinstance(paid, WalletMoved)


async def test_what_is_none_of_our_business_is_passed_over() -> None:
    other = json.dumps({"e": "TRADE_LITE", "E": 1, "s": "ETHUSDT"})
    venue = wired(with_keys(), sockets=[ScriptedSocket([other, funding(2)])])
    assert kinds(await heard(venue, 1)) == ["paid 2"]


async def test_it_comes_back_later_and_later_while_the_exchange_is_away() -> None:
    away = ExchangeUnavailable("no socket")
    venue = wired(with_keys(), sockets=[away, away, away, ScriptedSocket([funding(1)])])
    before = venue.clock.monotonic()
    assert kinds(await heard(venue, 1)) == ["paid 1"]
    assert venue.clock.monotonic() - before > 0.2 + 0.4 + 0.8 - 0.1


async def test_a_key_that_can_not_be_extended_means_starting_over() -> None:
    def answer(request: HttpRequest) -> HttpResponse:
        return reply({"listenKey": "k"}) if request.method == "POST" else refusal(-1125)

    quiet = ScriptedSocket([], silent_after=True)
    venue = wired(answer, sockets=[quiet, ScriptedSocket([funding(1)])])
    assert kinds(await heard(venue, 3)) == ["lost", "lost", "paid 1"]
    assert ("PUT", "/fapi/v1/listenKey") in venue.transport.asked


def order_of_ours() -> SubmitEntry:
    return SubmitEntry(
        position_id="p", client_order_id="ps-1-e1", symbol="SOLUSDT", side=Side.LONG, quantity=Decimal(1)
    )


def test_a_stream_silent_after_an_accepted_order_is_made_anew() -> None:
    async def story() -> tuple[list[Report], float]:
        clock = VirtualClock()
        quiet = ScriptedSocket([], silent_after=True)
        venue = wired(with_keys(), sockets=[quiet, ScriptedSocket([funding(1)])], clock=clock)
        listening = asyncio.create_task(heard(venue, 3))
        await clock.sleep(100)
        assert not quiet.closed.is_set(), "silence alone proves nothing"
        await venue.exchange.submit(order_of_ours())
        submitted = clock.monotonic()
        return await listening, clock.monotonic() - submitted

    reports, seconds = run_virtually(story())
    assert kinds(reports) == ["lost", "lost", "paid 1"]
    assert 3 <= seconds < 5


class PromptSocket(ScriptedSocket):
    """Tells of an order before the reply to it: at once when ``tell`` is called."""

    def __init__(self) -> None:
        super().__init__([], silent_after=True)
        self._news = asyncio.Queue[str]()

    def tell(self, text: str) -> None:
        self._news.put_nowait(text)

    async def receive(self) -> str:
        news, end = asyncio.ensure_future(self._news.get()), asyncio.ensure_future(self.closed.wait())
        done, rest = await asyncio.wait((news, end), return_when=asyncio.FIRST_COMPLETED)
        for each in rest:
            each.cancel()
        if news in done:
            return news.result()
        raise SocketClosed("gone")


def test_news_that_overtake_the_acceptance_are_news() -> None:
    """The exchange may tell of a fill before it answers the order: a healthy stream is not cut for that."""

    async def story() -> bool:
        clock, socket = VirtualClock(), PromptSocket()

        def answer(request: HttpRequest) -> HttpResponse:
            if request.url.endswith("/order"):
                socket.tell(funding(1))
            return with_keys()(request)

        venue = wired(answer, sockets=[socket], clock=clock)
        venue.transport.latency = 1.0
        listening = asyncio.create_task(heard(venue, 2))
        await clock.sleep(5)
        await venue.exchange.submit(order_of_ours())
        await clock.sleep(100)
        listening.cancel()
        return socket.closed.is_set()

    assert not run_virtually(story())


async def test_closing_ends_the_iteration_without_an_alarm() -> None:
    quiet = ScriptedSocket([funding(1)], silent_after=True)
    venue = wired(with_keys(), sockets=[quiet])
    reports: list[Report] = []
    async with asyncio.timeout(5):
        async for report in venue.exchange.reports():
            reports.append(report)
            await venue.exchange.close()
    assert kinds(reports) == ["paid 1"]
