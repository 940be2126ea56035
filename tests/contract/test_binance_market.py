"""The data service over real sockets: what a trader is told equals the simulator's own history."""

import numpy as np

from core.market import QUARTER_MS
from tests.contract.binance_rig import rig
from tests.contract.market_listener import listening

SPEED = 240.0


async def test_every_candle_told_is_the_exchanges_own_and_none_is_missing() -> None:
    async with rig(speed=SPEED) as venue, listening(venue.connection, venue.clock) as trader:
        await trader.until_whole(minutes=5)
        await trader.check()
        assert all(len(known) > 499 for known in trader.candles.values())
        for quarters in trader.quarters.values():
            assert quarters.candles.shape == (5, 3 * 499)
            assert (np.diff(quarters.open_times) == QUARTER_MS).all()
        context = trader.minutes[-1].context
        assert (context.spread > 0).all()
        assert (context.mark > 0).all()
        assert (context.quote_volume_24h > 0).all()
        assert np.isfinite(context.funding_rate).all()


async def test_after_all_connections_were_cut_nothing_is_missing() -> None:
    async with (
        rig(speed=SPEED) as venue,
        listening(venue.connection, venue.clock, deadline=0.5) as trader,
    ):
        await trader.until_whole()
        for connection in list(venue.simulator.hub.connections):
            connection.drop()
        await venue.clock.sleep(0.6)
        await trader.until_whole(minutes=2)
        await trader.check()


async def test_a_cold_start_against_a_tight_limit_is_slow_but_never_refused() -> None:
    async with (
        rig(speed=SPEED, symbols=60, weight_limit=200) as venue,
        listening(venue.connection, venue.clock) as trader,
    ):
        assert venue.connection.limiter.limit == 200
        await trader.until_whole()
        assert venue.connection.api.rate_limited == 0
        assert len(trader.quarters) == 60
