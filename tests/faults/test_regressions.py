"""Storms that once found something: each stays, whatever the seeds of today bring."""

import pytest

from exchange.sim.server.faults.catalogue import MinuteFault
from exchange.sim.server.faults.plan import Rule
from tests.faults.plan import Weather
from tests.faults.scenario import live_through


@pytest.mark.fault(19)
@pytest.mark.parametrize("seed", [1, 2])
def test_what_lies_between_steps_that_grew_is_closed_all_the_same(seed: int) -> None:
    live_through(Weather(seed=seed, rules=(Rule(fault=MinuteFault.FILTERS_CHANGED, rate=0.3),)))
