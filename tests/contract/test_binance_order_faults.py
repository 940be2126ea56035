"""Orders through every REST and user-stream fault of the simulator, in virtual time."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from core.errors import ExchangeRefused, ExchangeUnavailable, RateLimited
from core.order_ids import client_order_id
from core.orders import (
    AccountRead,
    CancelConditional,
    ConditionalChanged,
    OrderEnded,
    OrderFilled,
    PlaceConditional,
    QueryOrder,
    Report,
    Role,
    StreamLost,
    SubmitEntry,
)
from core.signals import Side
from exchange.sim.server.faults.catalogue import RestFault, StreamFault
from exchange.sim.server.faults.plan import Rule
from tests.contract.virtual_rig import VirtualRig, virtual_rig
from tests.fakes.virtual_time import run_virtually

SYMBOL = "SOLUSDT"
POSITION = "real:test"
ENTRY = SubmitEntry(
    position_id=POSITION,
    client_order_id=client_order_id(POSITION, Role.ENTRY, 1),
    symbol=SYMBOL,
    side=Side.LONG,
    quantity=Decimal(1),
)
FIND_ENTRY = QueryOrder(
    position_id=POSITION, client_order_id=ENTRY.client_order_id, symbol=SYMBOL, role=Role.ENTRY
)
STOP_ID = client_order_id(POSITION, Role.STOP, 1)
FIND_STOP = QueryOrder(position_id=POSITION, client_order_id=STOP_ID, symbol=SYMBOL, role=Role.STOP)
CANCEL_STOP = CancelConditional(position_id=POSITION, client_order_id=STOP_ID, symbol=SYMBOL)

UNKNOWN = [
    (RestFault.LOSE_REQUEST, False),
    (RestFault.LOSE_REPLY, True),
    (RestFault.UNKNOWN_503, True),
    (RestFault.UNKNOWN_503, False),
    (RestFault.UNAVAILABLE_503, False),
    (RestFault.GATEWAY_HTML, True),
    (RestFault.GATEWAY_HTML, False),
    (RestFault.ERROR_1000, True),
    (RestFault.ERROR_1001, False),
    (RestFault.ERROR_1006, True),
    (RestFault.ERROR_1007, True),
    (RestFault.ERROR_1007, False),
    (RestFault.OVERLOADED_1008, False),
]


def once(fault: RestFault, match: str, *, executed: bool = True, **more: float | int) -> Rule:
    return Rule(
        fault=fault,
        at=frozenset({1}),
        match=match,
        executed=executed,
        seconds=float(more.get("seconds", 1.0)),
        code=int(more.get("code", -1000)),
    )


def lived(story: Callable[[VirtualRig], Awaitable[None]]) -> None:
    async def play() -> None:
        async with virtual_rig(history_bars=16) as venue:
            await story(venue)

    run_virtually(play())


async def held(venue: VirtualRig) -> Decimal:
    return _quantity(await venue.connection.exchange.account())


def _quantity(account: AccountRead) -> Decimal:
    return sum((each.quantity for each in account.positions), Decimal(0))


async def resting(venue: VirtualRig) -> set[str]:
    return {each.client_order_id for each in await venue.connection.exchange.open_conditionals()}


async def stop(venue: VirtualRig) -> PlaceConditional:
    """Make a stop a tenth below the mark of what is held."""
    (position,) = (await venue.connection.exchange.account()).positions
    instrument = (await venue.connection.exchange.instruments())[SYMBOL]
    return PlaceConditional(
        position_id=POSITION,
        client_order_id=STOP_ID,
        symbol=SYMBOL,
        side=Side.LONG,
        role=Role.STOP,
        trigger_price=instrument.price_at_or_below(position.mark_price * Decimal("0.9")),
    )


def test_an_entry_of_unknown_outcome_is_told_as_such_and_a_query_tells_the_truth() -> None:
    async def story(venue: VirtualRig) -> None:
        exchange, expected = venue.connection.exchange, Decimal(0)
        for attempt, (fault, executed) in enumerate(UNKNOWN, start=1):
            order_id = client_order_id(POSITION, Role.ENTRY, attempt)
            venue.strike(once(fault, "POST /fapi/v1/order", executed=executed))
            with pytest.raises(ExchangeUnavailable):
                await exchange.submit(replace(ENTRY, client_order_id=order_id))
            venue.calm()
            found = await exchange.find(replace(FIND_ENTRY, client_order_id=order_id))
            assert bool(found) == executed, fault
            if executed:
                expected += ENTRY.quantity
                assert isinstance(found[-1], OrderEnded)
                assert found[-1].filled == ENTRY.quantity
            assert await held(venue) == expected, fault

    lived(story)


def test_a_stop_of_unknown_outcome_is_told_as_such_and_a_query_tells_the_truth() -> None:
    async def story(venue: VirtualRig) -> None:
        exchange = venue.connection.exchange
        await exchange.submit(ENTRY)
        placed = await stop(venue)
        for attempt, (fault, executed) in enumerate(UNKNOWN, start=1):
            order_id = client_order_id(POSITION, Role.STOP, attempt)
            venue.strike(once(fault, "POST /fapi/v1/algoOrder", executed=executed))
            with pytest.raises(ExchangeUnavailable):
                await exchange.place(replace(placed, client_order_id=order_id))
            venue.calm()
            assert bool(await exchange.find(replace(FIND_STOP, client_order_id=order_id))) == executed, fault
            assert (order_id in await resting(venue)) == executed, fault
            await exchange.cancel(replace(CANCEL_STOP, client_order_id=order_id))

    lived(story)


@pytest.mark.fault(17)
def test_a_cancel_is_repeated_until_it_is_done() -> None:
    async def story(venue: VirtualRig) -> None:
        exchange = venue.connection.exchange
        await exchange.submit(ENTRY)
        placed = await stop(venue)
        for attempt, (fault, executed) in enumerate(UNKNOWN, start=1):
            order_id = client_order_id(POSITION, Role.STOP, attempt)
            await exchange.place(replace(placed, client_order_id=order_id))
            venue.strike(once(fault, "DELETE /fapi/v1/algoOrder", executed=executed))
            await exchange.cancel(replace(CANCEL_STOP, client_order_id=order_id))
            venue.calm()
            assert await resting(venue) == set(), fault

    lived(story)


@pytest.mark.fault(15)
def test_not_found_yet_looks_like_absence_and_a_later_query_finds_it() -> None:
    async def story(venue: VirtualRig) -> None:
        exchange = venue.connection.exchange
        await exchange.submit(ENTRY)
        venue.strike(once(RestFault.NOT_FOUND_YET, "GET /fapi/v1/order"))
        assert await exchange.find(FIND_ENTRY) == ()
        assert len(await exchange.find(FIND_ENTRY)) == 2

    lived(story)


def test_executions_not_found_yet_do_not_make_their_order_absent() -> None:
    async def story(venue: VirtualRig) -> None:
        exchange = venue.connection.exchange
        await exchange.submit(ENTRY)
        venue.strike(once(RestFault.NOT_FOUND_YET, "GET /fapi/v1/userTrades"))
        with pytest.raises(ExchangeUnavailable):
            await exchange.find(FIND_ENTRY)
        assert len(await exchange.find(FIND_ENTRY)) == 2

    lived(story)


def test_a_setting_that_was_ignored_shows_when_it_is_read_back() -> None:
    async def story(venue: VirtualRig) -> None:
        exchange = venue.connection.exchange
        venue.strike(once(RestFault.SETTING_IGNORED, "POST /fapi/v1/leverage"))
        assert await exchange.prepare(SYMBOL, 7) == 20
        venue.calm()
        assert await exchange.prepare(SYMBOL, 7) == 7

    lived(story)


@pytest.mark.fault(45)
def test_a_margin_mode_that_was_ignored_refuses_the_symbol() -> None:
    async def story(venue: VirtualRig) -> None:
        venue.strike(once(RestFault.SETTING_IGNORED, "POST /fapi/v1/marginType"))
        with pytest.raises(ExchangeRefused):
            await venue.connection.exchange.prepare(SYMBOL, 7)

    lived(story)


@pytest.mark.fault(8, 9, 10)
@pytest.mark.parametrize("fault", [RestFault.TOO_MANY_REQUESTS, RestFault.BAN, RestFault.FIREWALL_403])
def test_turned_away_an_order_does_not_exist_and_nothing_more_is_sent(fault: RestFault) -> None:
    async def story(venue: VirtualRig) -> None:
        exchange = venue.connection.exchange
        venue.strike(once(fault, "POST /fapi/v1/order", seconds=20))
        for _ in range(2):
            with pytest.raises(RateLimited):
                await exchange.submit(ENTRY)
        assert venue.connection.api.rate_limited == 1
        await venue.clock.sleep(venue.connection.limiter.closed_for + 1)
        assert await held(venue) == 0

    lived(story)


@pytest.mark.fault(13)
@pytest.mark.parametrize(
    "fault", [RestFault.FIELD_MISSING, RestFault.FIELD_NULL, RestFault.FIELD_RENAMED, RestFault.CLOCK_SKEW]
)
def test_an_account_answered_wrongly_is_read_again_or_shows_nothing_flat(fault: RestFault) -> None:
    async def story(venue: VirtualRig) -> None:
        await venue.connection.exchange.submit(ENTRY)
        venue.strike(Rule(fault=fault, rate=0.5, match="/fapi/v3/"))
        for _ in range(20):
            try:
                account = await venue.connection.exchange.account()
                assert _quantity(account) == ENTRY.quantity or account.may_hold(SYMBOL)
            except (ExchangeUnavailable, ExchangeRefused):
                continue

    lived(story)


@pytest.mark.fault(22, 23, 24, 25, 28)
@pytest.mark.parametrize(
    "fault",
    [
        StreamFault.EVENT_MISSING,
        StreamFault.EVENT_MALFORMED,
        StreamFault.LISTEN_KEY_EXPIRED,
        StreamFault.EVENT_LATE,
        StreamFault.EVENTS_SWAPPED,
        StreamFault.EVENT_TWICE,
        StreamFault.EVENT_AGAIN,
        StreamFault.EVENT_FOREIGN,
    ],
)
def test_a_fill_comes_by_the_stream_or_the_stream_says_that_it_was_lost(fault: StreamFault) -> None:
    async def story(venue: VirtualRig) -> None:
        venue.strike(Rule(fault=fault, at=frozenset({1, 2}), seconds=1))
        await venue.connection.exchange.submit(ENTRY)
        await venue.clock.sleep(10)
        venue.calm()
        fills = {each.trade_id for each in venue.reports if isinstance(each, OrderFilled) and _ours(each)}
        lost = [each for each in venue.reports if isinstance(each, StreamLost)]
        assert fills or lost
        found = await venue.connection.exchange.find(FIND_ENTRY)
        assert fills <= {each.trade_id for each in found if isinstance(each, OrderFilled)}

    lived(story)


def _ours(fill: OrderFilled) -> bool:
    return fill.client_order_id == ENTRY.client_order_id


def test_a_stop_cancelled_by_somebody_else_is_told() -> None:
    async def story(venue: VirtualRig) -> None:
        exchange = venue.connection.exchange
        await exchange.submit(ENTRY)
        await exchange.place(await stop(venue))
        await exchange.cancel(CANCEL_STOP)
        told: list[Report] = [each for each in venue.reports if isinstance(each, ConditionalChanged)]
        assert len(told) == 2

    lived(story)
