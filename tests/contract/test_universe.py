"""The universe over the adapter, against an exchange that delists a contract."""

import pytest

from core.instruments import InstrumentStatus
from core.market import DAY_MS, MINUTE_MS, SymbolAxis
from core.parameters import UniverseParameters
from core.universe import UniverseRefreshed
from services.universe import Universe
from tests.contract.virtual_rig import virtual_rig
from tests.fakes.virtual_time import run_virtually
from tests.unit.services.test_universe import Market

A_DAY = DAY_MS // MINUTE_MS


@pytest.mark.parametrize(
    ("delisted_at", "status"),
    [(A_DAY + 2, InstrumentStatus.TRADING), (2, InstrumentStatus.SETTLING)],
    ids=["announced", "delivered"],
)
def test_a_contract_leaves_a_day_before_its_delivery_and_stays_away(
    delisted_at: int, status: InstrumentStatus
) -> None:
    told: list[UniverseRefreshed] = []

    async def story() -> None:
        async with virtual_rig(symbols=2, delistings=(("ETHUSDT", delisted_at),)) as venue:
            exchange = venue.connection.exchange
            instruments = await exchange.instruments()
            universe = Universe(
                exchange,
                Market(SymbolAxis.of(instruments)),
                instruments,
                held=tuple,
                post=told.append,
                clock=venue.clock,
                parameters=UniverseParameters(),
            )
            await universe.refresh()
            await venue.clock.sleep(3 * 60)
            await universe.refresh()

    run_virtually(story())
    assert [each.leaving for each in told][-1] == ("ETHUSDT",)
    assert told[0].leaving == (() if delisted_at > A_DAY else ("ETHUSDT",))
    contract = told[-1].instruments["ETHUSDT"]
    assert contract.status is status
    assert contract.brackets
