"""What people hear of a position that has opened is what then rests."""

from decimal import Decimal

import pytest

from core.notices import PositionOpened
from core.parameters import CostParameters
from core.positions import Source
from tests.builders_trader import SYMBOLS, World


@pytest.mark.parametrize("source", [Source.REAL, Source.VIRTUAL])
def test_an_opened_position_is_told_of_with_the_target_that_rests(source: Source) -> None:
    world = World(costs=CostParameters(slippage=Decimal("0.001")))
    world.minute()
    world.wish(*SYMBOLS[:4])
    world.minute()
    world.minute()
    told = [each.position for each in world.ear.of(PositionOpened) if each.position.plan.source is source]
    view = world.trader.view()
    held = {
        each.position.symbol: each.position for each in (view.real if source is Source.REAL else view.virtual)
    }
    assert told
    for position in told:
        assert position.target_price == held[position.symbol].target_price != position.plan.targets[-1].price
