"""Every market-data and stream fault of the catalogue over sockets: nothing is missing or wrong after."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import numpy as np
import pytest

from core.market import MINUTE_MS
from exchange.sim.server.faults.catalogue import MarketFault, MinuteFault, RestFault
from exchange.sim.server.faults.plan import Rule
from exchange.sim.server.frames import text_frame
from tests.contract.binance_rig import Rig, rig
from tests.contract.market_listener import MarketListener, listening

SPEED = 480.0
MINUTE = 60 / SPEED
KLINES = "GET /fapi/v1/klines"
PATIENCE = 40.0


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """At this speed half a second is four minutes of silence."""
    monkeypatch.setattr("services.polling.PATIENCE", 0.5)


@asynccontextmanager
async def watched(*, symbols: int = 6, known: int | None = None) -> AsyncIterator[tuple[Rig, MarketListener]]:
    """Run a market and somebody who listens to ``known`` of it, from the moment when all of that is whole."""
    async with (
        rig(speed=SPEED, symbols=symbols) as venue,
        listening(
            venue.connection,
            venue.clock,
            on_market_time=venue.clock.observe,
            deadline=0.1,
            symbols=known,
        ) as trader,
    ):
        await trader.until_whole(patience=PATIENCE)
        yield venue, trader


async def struck(venue: Rig, trader: MarketListener, *rules: Rule, minutes: float = 3) -> None:
    """Let faults strike for some market minutes; then calm, until the market is whole again."""
    before = len(venue.simulator.faults.strikes)
    venue.simulator.faults.add(rules)
    await venue.clock.sleep(minutes * MINUTE)
    venue.simulator.faults.clear()
    assert len(venue.simulator.faults.strikes) > before, "the fault never struck"
    await trader.until_whole(minutes=2, patience=PATIENCE)


async def until(venue: Rig, condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await venue.clock.sleep(0.05)


@pytest.mark.fault(53, 55, 56)
@pytest.mark.parametrize(
    "faults",
    [
        (MarketFault.CANDLE_MISSING, MarketFault.CANDLE_LATE),
        (MarketFault.CANDLE_TWICE, MarketFault.CANDLE_REVISED),
        (
            MarketFault.CANDLE_ZERO,
            MarketFault.CANDLE_NAN,
            MarketFault.CANDLE_NEGATIVE,
            MarketFault.CANDLE_CROSSED,
        ),
    ],
    ids=["missing", "again", "absurd"],
)
async def test_candles_that_are_missing_repeated_or_absurd_leave_no_trace(
    faults: tuple[MarketFault, ...],
) -> None:
    async with watched() as (venue, trader):
        for fault in faults:
            await struck(venue, trader, Rule(fault=fault, rate=0.5, seconds=2 * MINUTE))
        await trader.check()


@pytest.mark.fault(28)
async def test_frames_that_can_not_be_read_cost_a_candle_or_a_connection_and_nothing_else() -> None:
    async with watched() as (venue, trader):
        await struck(venue, trader, Rule(fault=MarketFault.CANDLE_MALFORMED, rate=0.5))
        for payload in (b"\xff\xfe not text", b"[" * 3_000_000, b"{}", b"[[[]]]"):
            for connection in list(venue.simulator.hub.connections):
                if not connection.listen_keys:
                    connection.send(text_frame(payload))
            await trader.until_whole(minutes=2, patience=PATIENCE)
        await trader.check()


@pytest.mark.fault(20, 27)
async def test_streams_cut_again_and_again_or_ended_by_the_exchange_all_at_once_come_back() -> None:
    async with watched() as (venue, trader):
        await struck(venue, trader, Rule(fault=MinuteFault.STREAMS_CUT, rate=1.0), minutes=4)
        venue.simulator.hub.retire(venue.clock.monotonic())
        await trader.until_whole(minutes=3, patience=PATIENCE)
        await trader.check()
        assert venue.connection.api.rate_limited == 0


@pytest.mark.fault(21)
async def test_a_market_that_is_acknowledged_and_silent_goes_on_by_rest_until_streams_speak_again() -> None:
    async with watched(symbols=4) as (venue, trader):
        venue.simulator.faults.add([Rule(fault=MinuteFault.STREAMS_SILENT, rate=1.0)])
        await until(venue, lambda: len(trader.service.polled) == len(trader.axis))
        told = len(trader.minutes)
        await until(venue, lambda: len(trader.minutes) > told + 5)
        venue.simulator.faults.clear()
        await until(venue, lambda: not trader.service.polled)
        await trader.until_whole(minutes=2, patience=PATIENCE)
        await trader.check()
        assert venue.connection.api.rate_limited == 0


@pytest.mark.fault(21)
async def test_one_silent_stream_is_replaced_by_rest_while_the_others_go_on() -> None:
    async with watched() as (venue, trader):
        silent = trader.axis.names[2]
        rule = Rule(fault=MarketFault.SYMBOL_SILENT, rate=1.0, match=silent, seconds=3)
        venue.simulator.faults.add([rule])
        await until(venue, lambda: trader.service.polled == {silent})
        known, told = len(trader.candles[silent]), len(trader.minutes)
        await until(venue, lambda: len(trader.candles[silent]) > known and len(trader.minutes) > told + 3)
        assert all(minute.present.sum() == len(trader.axis) - 1 for minute in trader.minutes[told:])
        venue.simulator.faults.clear()
        await trader.until_whole(minutes=2, patience=PATIENCE)
        await trader.check()


@pytest.mark.fault(25, 61, 62)
async def test_strangers_are_passed_over_and_who_is_delisted_holds_up_nobody() -> None:
    async with watched(known=3) as (venue, trader):
        assert len(venue.simulator.listings.contracts) == 6
        leaving = trader.axis.names[1]
        contract = venue.simulator.listings.contracts[leaving]
        delivery_ms = trader.minutes[-1].at + 4 * MINUTE_MS
        venue.simulator.market.deliver(venue.simulator.market.index_of[leaving], delivery_ms)
        venue.simulator.listings.change(
            replace(contract, delivery_ms=delivery_ms), now_ms=venue.simulator.market.now_ms
        )
        await until(venue, lambda: trader.minutes[-1].at >= delivery_ms + 6 * MINUTE_MS)
        after = [minute for minute in trader.minutes if minute.at > delivery_ms + MINUTE_MS]
        assert all(minute.present.tolist() == [True, False, True] for minute in after)
        assert trader.minutes[-1].candle(leaving) is None
        assert max(trader.candles[leaving]) < delivery_ms
        del trader.candles[leaving]
        await trader.check(symbols=2)


@pytest.mark.fault(29)
async def test_a_trader_who_is_slow_misses_no_minute_and_never_reads_old_marks() -> None:
    async with watched() as (venue, trader):
        trader.is_busy.set()
        await venue.clock.sleep(12 * MINUTE)
        behind, now = trader.minutes[-1], trader.service.context()
        assert not np.array_equal(now.mark, behind.context.mark)
        assert not np.array_equal(now.bid, behind.context.bid)
        trader.is_busy.clear()
        await trader.until_whole(minutes=12, patience=PATIENCE)
        await trader.check()


@pytest.mark.fault(8, 9)
@pytest.mark.parametrize("fault", [RestFault.TOO_MANY_REQUESTS, RestFault.BAN])
async def test_a_limit_or_a_ban_met_while_gaps_are_filled_is_waited_out_in_silence(fault: RestFault) -> None:
    async with watched() as (venue, trader):
        venue.simulator.faults.add(
            [
                Rule(fault=fault, at=frozenset({2}), match=KLINES, seconds=1),
                Rule(fault=MarketFault.CANDLE_MISSING, rate=0.7),
            ]
        )
        await until(venue, lambda: venue.connection.api.rate_limited > 0)
        assert venue.connection.limiter.closed_for > 0.5
        told = len(trader.minutes)
        await venue.clock.sleep(0.5)
        assert len(trader.minutes) > told
        venue.simulator.faults.clear()
        await trader.until_whole(minutes=2, patience=PATIENCE)
        await trader.check()
        assert venue.connection.api.rate_limited == 1


@pytest.mark.fault(53, 54)
async def test_a_cold_start_through_every_bad_page_ends_with_a_whole_market() -> None:
    spoilt = (
        RestFault.LOSE_REPLY,
        RestFault.GATEWAY_HTML,
        RestFault.UNKNOWN_503,
        RestFault.ROW_MISSING,
        RestFault.ROW_TWICE,
        RestFault.ROWS_UNSORTED,
        RestFault.PARTIAL_PAGE,
    )
    async with rig(speed=SPEED, symbols=6) as venue:
        venue.simulator.faults.add([Rule(fault=fault, rate=0.05, match=KLINES) for fault in spoilt])
        observe = venue.clock.observe
        async with listening(venue.connection, venue.clock, on_market_time=observe, deadline=0.1) as trader:
            await venue.clock.sleep(1)
            venue.simulator.faults.clear()
            await trader.until_whole(minutes=2, patience=PATIENCE)
            await trader.check()
            forming = trader.minutes[-1].at
            assert all(max(known) < forming for known in trader.candles.values())
