"""Preflight against the simulator: what it tells of key and account, the way of a stop, questions alone."""

from collections.abc import Awaitable, Callable
from decimal import Decimal

import aiohttp
import pytest

from core.errors import ExchangeRefused, ExchangeUnavailable
from core.orders import CancelConditional, CloseAtMarket, PlaceConditional, Role, SubmitEntry
from core.ports import Exchange
from core.preflight import AccountModes, KeyRights
from core.rng import seeded
from core.signals import Side
from exchange.binance.addresses import DEMO_TRADING, PRODUCTION, BinanceAddresses, Credentials
from exchange.binance.connection import BinanceConnection
from exchange.binance.read_only import ReadOnlyTransport
from exchange.binance.transport import HttpRequest, HttpResponse, Socket
from exchange.sim.in_process import InProcess
from exchange.sim.server.faults.catalogue import RestFault
from exchange.sim.server.faults.plan import Rule
from services.rehearsal import Rehearsed, StopRehearsal
from tests.contract.sim_clients import running
from tests.contract.virtual_rig import VirtualRig, virtual_rig
from tests.fakes.in_process import InProcessTransport
from tests.fakes.virtual_time import run_virtually

RIGHTS = "/sapi/v1/account/apiRestrictions"
PLACING = "POST /fapi/v1/algoOrder"
ID = {"position_id": "p", "client_order_id": "ps-0-e1", "symbol": "SOLUSDT"}

STOP = PlaceConditional(**ID, side=Side.LONG, role=Role.STOP, trigger_price=Decimal(1), quantity=None)


class Wire:
    """A transport to the simulator that remembers every request."""

    def __init__(self, rig: VirtualRig) -> None:
        self._inner = InProcessTransport(InProcess(rig.simulator), rig.clock)
        self.requests: list[HttpRequest] = []

    async def send(self, request: HttpRequest) -> HttpResponse:
        self.requests.append(request)
        return await self._inner.send(request)

    async def connect(self, url: str) -> Socket:
        return await self._inner.connect(url)

    async def close(self) -> None: ...


def connected(
    rig: VirtualRig, wire: Wire, addresses: BinanceAddresses, *, read_only: bool = False
) -> BinanceConnection:
    return BinanceConnection(
        addresses,
        Credentials(api_key=rig.simulator.api_key, api_secret=rig.simulator.api_secret),
        clock=rig.clock,
        rng=seeded(1),
        transport=ReadOnlyTransport(wire) if read_only else wire,
    )


def lived(story: Callable[[VirtualRig], Awaitable[None]]) -> None:
    async def play() -> None:
        async with virtual_rig(history_bars=16) as rig:
            await story(rig)

    run_virtually(play())


async def rehearsed(rig: VirtualRig) -> Rehearsed:
    exchange = rig.connection.exchange
    glance = await rig.connection.examination.glance()
    return await StopRehearsal(exchange, clock=rig.clock).run(await exchange.instruments(), glance.marks)


def rights_told(rig: VirtualRig, **rights: bool) -> None:
    rig.simulator.venue.account("account-1").key_rights.update(rights)


def test_a_key_tells_what_it_may_do() -> None:
    async def story(rig: VirtualRig) -> None:
        ask = rig.connection.examination.rights
        harmless = KeyRights(
            trades_futures=True, withdraws=False, transfers=False, is_bound_to_addresses=True
        )
        assert await ask() == harmless
        rights_told(rig, enableWithdrawals=True, ipRestrict=False, enableFutures=False)
        assert await ask() == KeyRights(
            trades_futures=False, withdraws=True, transfers=False, is_bound_to_addresses=False
        )
        for name in ("permitsUniversalTransfer", "enableInternalTransfer"):
            rights_told(rig, permitsUniversalTransfer=False, enableInternalTransfer=False)
            rights_told(rig, **{name: True})
            told = await ask()
            assert told is not None
            assert told.transfers

    lived(story)


def test_it_is_asked_for_at_the_wallets_address_where_there_is_one() -> None:
    async def story(rig: VirtualRig) -> None:
        wire = Wire(rig)
        assert await connected(rig, wire, PRODUCTION).examination.rights() is not None
        assert wire.requests[0].url.startswith(f"https://api.binance.com{RIGHTS}?")
        assert "signature=" in wire.requests[0].url
        wire.requests.clear()
        assert await connected(rig, wire, DEMO_TRADING).examination.rights() is None
        assert wire.requests == []

    lived(story)


@pytest.mark.fault(66)
@pytest.mark.parametrize("fault", [RestFault.GATEWAY_HTML, RestFault.LOSE_REPLY, RestFault.UNAVAILABLE_503])
def test_a_key_that_can_not_be_examined_is_not_taken_for_a_harmless_one(fault: RestFault) -> None:
    async def story(rig: VirtualRig) -> None:
        rig.strike(Rule(fault=fault, rate=1.0, match=RIGHTS))
        with pytest.raises(ExchangeUnavailable):
            await rig.connection.examination.rights()

    lived(story)


@pytest.mark.fault(46)
def test_an_account_tells_its_modes() -> None:
    async def story(rig: VirtualRig) -> None:
        ask = rig.connection.examination.modes
        assert await ask() == AccountModes(is_hedged=False, is_multi_assets=False, can_trade=True)
        account = rig.simulator.venue.account("account-1")
        account.is_hedged = True
        assert (await ask()).is_hedged
        account.is_hedged, account.is_multi_assets = False, True
        assert (await ask()).is_multi_assets

    lived(story)


def test_the_market_tells_its_own_time_and_marks() -> None:
    async def story(rig: VirtualRig) -> None:
        glance = await rig.connection.examination.glance()
        assert abs(glance.at - rig.clock.market_ms()) < 2000
        assert set(glance.marks) == {each.symbol for each in rig.simulator.market.instruments}
        assert all(mark > 0 for mark in glance.marks.values())

    lived(story)


def test_both_stops_of_a_position_are_taken_beside_one_another_and_leave_nothing() -> None:
    async def story(rig: VirtualRig) -> None:
        assert await rehearsed(rig) == Rehearsed(works=True)
        account = rig.simulator.venue.account("account-1")
        assert not await rig.connection.exchange.open_conditionals()
        assert not account.orders
        assert not account.positions

    lived(story)


@pytest.mark.fault(42)
def test_a_conditional_endpoint_that_has_moved_fails_the_rehearsal() -> None:
    async def story(rig: VirtualRig) -> None:
        rig.strike(Rule(fault=RestFault.REFUSED, rate=1.0, match=PLACING, code=-4120))
        answer = await rehearsed(rig)
        assert not answer.works
        assert "-4120" in answer.text

    lived(story)


def test_a_rehearsal_whose_reply_is_lost_leaves_nothing_behind() -> None:
    async def story(rig: VirtualRig) -> None:
        rig.strike(Rule(fault=RestFault.LOSE_REPLY, at=frozenset({1}), match=PLACING))
        with pytest.raises(ExchangeUnavailable):
            await rehearsed(rig)
        assert not await rig.connection.exchange.open_conditionals()
        assert await rehearsed(rig) == Rehearsed(works=True)

    lived(story)


@pytest.mark.fault(64)
def test_over_a_transport_that_only_asks_no_order_reaches_the_exchange_whoever_sends_it() -> None:
    async def story(rig: VirtualRig) -> None:
        wire = Wire(rig)
        connection = connected(rig, wire, PRODUCTION, read_only=True)
        exchange: Exchange = connection.exchange
        orders: list[Callable[[], Awaitable[object]]] = [
            lambda: exchange.prepare("SOLUSDT", 3),
            lambda: exchange.submit(SubmitEntry(**ID, side=Side.LONG, quantity=Decimal(1))),
            lambda: exchange.submit(CloseAtMarket(**ID, side=Side.LONG, quantity=Decimal(1))),
            lambda: exchange.place(
                PlaceConditional(
                    **ID, side=Side.LONG, role=Role.STOP, trigger_price=Decimal(1), quantity=None
                )
            ),
            lambda: exchange.cancel(CancelConditional(**ID)),
        ]
        for order in orders:
            with pytest.raises(ExchangeRefused, match="only watches"):
                await order()
        assert (await exchange.account()).wallet == 10_000
        assert {each.method for each in wire.requests} <= {"GET"}

    lived(story)


async def test_the_door_for_tests_says_what_a_key_may_do() -> None:
    async with running(symbols=2) as (simulator, announced), aiohttp.ClientSession() as session:
        door = f"{announced.rest}/sim/v1/keys"
        async with session.post(door, params={"enableWithdrawals": "true"}) as answer:
            assert await answer.json() == {"enableWithdrawals": True}
        for wrong in ({"account": "nobody"}, {"enableWithdrawals": "perhaps"}):
            async with session.post(door, params=wrong) as answer:
                assert answer.status == 400
        assert simulator.venue.account("account-1").key_rights == {"enableWithdrawals": True}
