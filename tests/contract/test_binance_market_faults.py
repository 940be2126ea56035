"""Every market-data fault of the simulator, in virtual time: afterwards nothing is missing or wrong."""

import pytest

from exchange.sim.server.faults.catalogue import Fault, MarketFault, MinuteFault, RestFault
from exchange.sim.server.faults.plan import Rule
from tests.contract.market_listener import MarketListener, listening
from tests.contract.virtual_rig import virtual_rig
from tests.fakes.virtual_time import run_virtually

PATIENCE = 3600.0
KLINES = "GET /fapi/v1/klines"
ALIKE = (
    RestFault.LOSE_REQUEST,
    RestFault.UNKNOWN_503,
    RestFault.OVERLOADED_1008,
    RestFault.ERROR_1001,
    RestFault.ROW_TWICE,
    RestFault.ROWS_UNSORTED,
)


def lived_through(*rules: Rule, from_the_start: bool = False, minutes: float = 2.5) -> MarketListener:
    """Let faults strike for some minutes of a running market, or of a cold start; then calm, and compare."""

    async def story() -> MarketListener:
        async with virtual_rig() as venue, listening(venue.connection, venue.clock) as trader:
            if from_the_start:
                venue.strike(*rules)
            else:
                await trader.until_whole(patience=PATIENCE)
                venue.strike(*rules)
            await venue.clock.sleep(minutes * 60)
            assert from_the_start or venue.simulator.faults.strikes, "the fault never struck"
            venue.calm()
            await trader.until_whole(minutes=2, patience=PATIENCE)
            await trader.check()
            return trader

    return run_virtually(story())


@pytest.mark.parametrize(
    "fault",
    [
        MarketFault.CANDLE_MISSING,
        MarketFault.CANDLE_TWICE,
        MarketFault.CANDLE_LATE,
        MarketFault.SYMBOL_SILENT,
        MarketFault.CANDLE_ZERO,
        MarketFault.CANDLE_NAN,
        MarketFault.CANDLE_NEGATIVE,
        MarketFault.CANDLE_CROSSED,
    ],
)
def test_a_spoiled_candle_stream_leaves_no_trace_in_what_is_known(fault: MarketFault) -> None:
    lived_through(Rule(fault=fault, rate=0.5, seconds=70))


@pytest.mark.parametrize("fault", [MinuteFault.STREAMS_CUT, MinuteFault.STREAMS_SILENT])
def test_streams_that_end_or_fall_silent_come_back(fault: MinuteFault) -> None:
    lived_through(Rule(fault=fault, at=frozenset({1, 2})))


@pytest.mark.parametrize(
    "fault",
    [
        RestFault.LOSE_REPLY,
        RestFault.LATE_REPLY,
        RestFault.GATEWAY_HTML,
        RestFault.PARTIAL_PAGE,
        RestFault.ROW_MISSING,
        *(pytest.param(fault, marks=pytest.mark.long) for fault in ALIKE),
    ],
)
def test_a_cold_start_through_bad_pages_ends_with_a_whole_market(fault: RestFault) -> None:
    lived_through(Rule(fault=fault, rate=0.3, match=KLINES, seconds=12), from_the_start=True, minutes=0.5)


def test_a_limit_met_in_a_cold_start_is_waited_out() -> None:
    lived_through(
        Rule(fault=RestFault.TOO_MANY_REQUESTS, at=frozenset({3}), match=KLINES, seconds=30),
        from_the_start=True,
        minutes=0.5,
    )


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10))
def test_whatever_happens_together_nothing_is_missing_afterwards(seed: int) -> None:
    async def story() -> None:
        async with virtual_rig(seed=seed) as venue, listening(venue.connection, venue.clock) as trader:
            venue.strike(*(Rule(fault=fault, rate=0.05, seconds=20) for fault in SURVIVABLE))
            await venue.clock.sleep(1800)
            venue.calm()
            await trader.until_whole(minutes=2, patience=PATIENCE)
            await trader.check()

    run_virtually(story())


SURVIVABLE: tuple[Fault, ...] = (
    MarketFault.CANDLE_MISSING,
    MarketFault.CANDLE_LATE,
    MarketFault.CANDLE_NAN,
    MinuteFault.STREAMS_CUT,
    MinuteFault.STREAMS_SILENT,
    RestFault.LOSE_REPLY,
    RestFault.GATEWAY_HTML,
    RestFault.ROW_MISSING,
)
