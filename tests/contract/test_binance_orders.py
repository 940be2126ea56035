"""What ``core.ports.Exchange`` promises, kept by the Binance adapter over real sockets."""

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal

import pytest

from core.errors import ExchangeRefused
from core.order_ids import client_order_id
from core.orders import (
    CancelConditional,
    CloseAtMarket,
    ConditionalChanged,
    ConditionalStatus,
    OrderEnded,
    OrderFilled,
    PlaceConditional,
    QueryOrder,
    Role,
    StreamLost,
    SubmitEntry,
)
from core.signals import Side
from exchange.sim.universe import load_universe
from tests.contract.binance_rig import Rig, rig

SYMBOL = "SOLUSDT"
POSITION = "real:test"
QUANTITY = Decimal(1)


@pytest.fixture
async def venue() -> AsyncIterator[Rig]:
    async with rig(history_bars=16) as wired:
        yield wired


def entry(attempt: int = 1, *, side: Side = Side.LONG, quantity: Decimal = QUANTITY) -> SubmitEntry:
    return SubmitEntry(
        position_id=POSITION,
        client_order_id=client_order_id(POSITION, Role.ENTRY, attempt),
        symbol=SYMBOL,
        side=side,
        quantity=quantity,
    )


def close(quantity: Decimal = QUANTITY) -> CloseAtMarket:
    return CloseAtMarket(
        position_id=POSITION,
        client_order_id=client_order_id(POSITION, Role.CLOSE, 1),
        symbol=SYMBOL,
        side=Side.LONG,
        quantity=quantity,
    )


def query(order_id: str, role: Role) -> QueryOrder:
    return QueryOrder(position_id=POSITION, client_order_id=order_id, symbol=SYMBOL, role=role)


async def conditional(venue: Rig, role: Role, *, away: str) -> PlaceConditional:
    """Make a stop or target of a long, ``away`` (a signed fraction) from the present mark."""
    held = (await venue.exchange.account()).positions[0]
    instrument = (await venue.exchange.instruments())[SYMBOL]
    return PlaceConditional(
        position_id=POSITION,
        client_order_id=client_order_id(POSITION, role, 1),
        symbol=SYMBOL,
        side=Side.LONG,
        role=role,
        trigger_price=instrument.price_at_or_below(held.mark_price * (1 + Decimal(away))),
    )


async def test_instruments_carry_filters_and_brackets(venue: Rig) -> None:
    instruments = await venue.exchange.instruments()
    assert len(instruments) == 8
    assert list(instruments) == sorted(instruments)
    contracts = {each.symbol: each.contract for each in load_universe(8)}
    for symbol, instrument in instruments.items():
        expected = contracts[symbol]
        assert instrument.tick_size == expected.tick_size
        assert instrument.step_size == expected.step_size
        assert instrument.min_notional == expected.min_notional
        assert instrument.trigger_protect == expected.trigger_protect
        assert instrument.brackets == expected.brackets


async def test_a_fresh_account_holds_its_deposit_and_nothing_else(venue: Rig) -> None:
    account = await venue.exchange.account()
    assert account.wallet == account.equity == account.available == Decimal(10_000)
    assert account.positions == ()


async def test_preparing_sets_isolated_margin_and_leverage_and_reads_both_back(venue: Rig) -> None:
    assert await venue.exchange.prepare(SYMBOL, 7) == 7
    assert await venue.exchange.prepare(SYMBOL, 7) == 7
    assert await venue.exchange.prepare(SYMBOL, 3) == 3


async def test_an_entry_is_reported_filled_and_ended_under_our_own_id(venue: Rig) -> None:
    await venue.exchange.prepare(SYMBOL, 5)
    await venue.exchange.submit(entry())
    (held,) = (await venue.exchange.account()).positions
    assert (held.symbol, held.quantity, held.leverage) == (SYMBOL, QUANTITY, 5)
    ended = await venue.until(OrderEnded)
    fills = [each for each in venue.reports if isinstance(each, OrderFilled)]
    assert ended.client_order_id == entry().client_order_id
    assert ended.filled == QUANTITY == sum(fill.quantity for fill in fills)
    assert all(fill.side is Side.LONG and fill.fee > 0 for fill in fills)


async def test_a_query_finds_the_same_fills_the_stream_told(venue: Rig) -> None:
    await venue.exchange.submit(entry(side=Side.SHORT))
    await venue.until(OrderEnded)
    found = await venue.exchange.find(query(entry().client_order_id, Role.ENTRY))
    told = [each for each in venue.reports if isinstance(each, OrderFilled | OrderEnded)]
    assert list(found) == told


async def test_an_order_never_sent_is_not_found(venue: Rig) -> None:
    assert await venue.exchange.find(query(client_order_id(POSITION, Role.ENTRY, 9), Role.ENTRY)) == ()
    assert await venue.exchange.find(query(client_order_id(POSITION, Role.STOP, 9), Role.STOP)) == ()


async def test_a_close_takes_the_position_to_flat_and_never_beyond(venue: Rig) -> None:
    await venue.exchange.submit(entry())
    await venue.exchange.submit(close(QUANTITY * 5))
    await venue.until(OrderEnded, lambda each: each.client_order_id == close().client_order_id)
    assert (await venue.exchange.account()).positions == ()
    with pytest.raises(ExchangeRefused) as refused:
        await venue.exchange.submit(close())
    assert refused.value.code == -2022


@pytest.mark.fault(16)
async def test_a_stop_rests_until_it_is_cancelled_and_cancelling_twice_is_no_error(venue: Rig) -> None:
    await venue.exchange.submit(entry())
    stop = await conditional(venue, Role.STOP, away="-0.10")
    await venue.exchange.place(stop)
    (resting,) = await venue.exchange.open_conditionals()
    assert (resting.client_order_id, resting.symbol) == (stop.client_order_id, SYMBOL)
    assert (resting.status, resting.quantity) == (ConditionalStatus.NEW, None)
    assert resting.trigger_price == stop.trigger_price
    assert await venue.exchange.open_conditionals(SYMBOL) == (resting,)
    assert await venue.exchange.open_orders() == ()
    (found,) = await venue.exchange.find(query(stop.client_order_id, Role.STOP))
    assert isinstance(found, ConditionalChanged)
    assert found.status is ConditionalStatus.NEW
    cancel = CancelConditional(position_id=POSITION, client_order_id=stop.client_order_id, symbol=SYMBOL)
    await venue.exchange.cancel(cancel)
    await venue.exchange.cancel(cancel)
    await venue.until(ConditionalChanged, lambda each: each.status is ConditionalStatus.CANCELED)
    assert await venue.exchange.open_conditionals() == ()


async def test_a_tightened_stop_of_exact_quantity_rests_beside_the_one_for_life(venue: Rig) -> None:
    await venue.exchange.submit(entry())
    await venue.exchange.place(await conditional(venue, Role.STOP, away="-0.10"))
    trail = replace(await conditional(venue, Role.TRAIL, away="-0.08"), quantity=entry().quantity)
    first = replace(trail, client_order_id=client_order_id(POSITION, Role.TRAIL, 1))
    second = replace(trail, client_order_id=client_order_id(POSITION, Role.TRAIL, 2))
    await venue.exchange.place(first)
    await venue.exchange.place(second)
    gone = CancelConditional(position_id=POSITION, client_order_id=first.client_order_id, symbol=SYMBOL)
    await venue.exchange.cancel(gone)
    rest = {each.client_order_id: each.quantity for each in await venue.exchange.open_conditionals()}
    assert rest == {client_order_id(POSITION, Role.STOP, 1): None, second.client_order_id: second.quantity}


async def test_a_stop_already_past_its_trigger_is_refused_with_its_code(venue: Rig) -> None:
    await venue.exchange.submit(entry())
    with pytest.raises(ExchangeRefused) as refused:
        await venue.exchange.place(await conditional(venue, Role.STOP, away="0.02"))
    assert refused.value.code == -2021


async def test_fills_of_a_triggered_conditional_carry_its_own_id(venue: Rig) -> None:
    await venue.exchange.submit(entry())
    stop = await conditional(venue, Role.STOP, away="-0.0005")
    target = await conditional(venue, Role.TARGET, away="0.0005")
    await venue.exchange.place(stop)
    await venue.exchange.place(target)
    fill = await venue.until(OrderFilled, lambda each: each.side is Side.SHORT)
    triggered = stop if fill.client_order_id == stop.client_order_id else target
    assert fill.client_order_id == triggered.client_order_id
    changed = await venue.until(ConditionalChanged, lambda each: bool(each.venue_order_id))
    assert changed.venue_order_id == fill.venue_order_id
    assert fill in await venue.exchange.find(query(triggered.client_order_id, triggered.role))
    assert (await venue.exchange.account()).positions == ()
    assert await venue.exchange.open_conditionals() == ()


async def test_an_order_that_breaks_a_filter_is_refused_and_nothing_happens(venue: Rig) -> None:
    with pytest.raises(ExchangeRefused) as refused:
        await venue.exchange.submit(entry(quantity=Decimal("0.00001")))
    assert refused.value.code == -1111
    assert (await venue.exchange.account()).positions == ()


async def test_after_a_cut_the_stream_says_so_and_goes_on(venue: Rig) -> None:
    for connection in list(venue.simulator.hub.connections):
        connection.drop()
    async with venue.news:
        await venue.news.wait_for(lambda: len(venue.reports) == 2)
    assert all(isinstance(each, StreamLost) for each in venue.reports)
    await venue.exchange.submit(entry())
    assert (await venue.until(OrderEnded)).filled == QUANTITY
