"""The universe over the adapter, against an exchange that delists a contract."""

import asyncio

from core.instruments import InstrumentStatus
from core.market import DAY_MS, MINUTE_MS
from core.parameters import UniverseParameters
from core.universe import UniverseRefreshed
from services.universe import HOUR_MS, Universe
from tests.contract.virtual_rig import virtual_rig
from tests.fakes.virtual_time import run_virtually

GUARDED_FROM = 30  # minutes after which the delivery is less than a day away


def test_a_delisting_is_noticed_before_it_happens_and_outlives_it() -> None:
    told: list[UniverseRefreshed] = []

    async def story() -> None:
        async with virtual_rig(
            symbols=2, delistings=(("ETHUSDT", GUARDED_FROM + DAY_MS // MINUTE_MS),)
        ) as venue:
            exchange = venue.connection.exchange
            instruments = await exchange.instruments()
            universe = Universe(
                exchange,
                tuple(instruments),
                instruments,
                post=told.append,
                clock=venue.clock,
                parameters=UniverseParameters(),
            )
            task = asyncio.create_task(universe.run())
            await venue.clock.sleep(3600 + 60)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    run_virtually(story())
    assert [each.leaving for each in told] == [("ETHUSDT",)]
    assert told[0].at % HOUR_MS < 1000
    contract = told[-1].instruments["ETHUSDT"]
    assert contract.status is InstrumentStatus.TRADING
    assert contract.brackets


def test_a_contract_that_was_delivered_is_closed_and_no_longer_traded() -> None:
    told: list[UniverseRefreshed] = []

    async def story() -> None:
        async with virtual_rig(symbols=2, delistings=(("ETHUSDT", 3),)) as venue:
            exchange = venue.connection.exchange
            instruments = await exchange.instruments()
            universe = Universe(
                exchange,
                tuple(instruments),
                instruments,
                post=told.append,
                clock=venue.clock,
                parameters=UniverseParameters(),
            )
            await venue.clock.sleep(5 * 60)
            await universe.refresh()

    run_virtually(story())
    (found,) = told
    assert found.leaving == ("ETHUSDT",)
    assert found.instruments["ETHUSDT"].status is not InstrumentStatus.TRADING
