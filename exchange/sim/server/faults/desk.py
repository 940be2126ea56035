"""Everything that can go wrong, in one hand: the plan and those who ask it."""

from dataclasses import dataclass

from core.clock import Clock
from exchange.sim.listings import Listings
from exchange.sim.market.market import Market
from exchange.sim.server.faults.candles import CandleFaults
from exchange.sim.server.faults.events import EventFaults
from exchange.sim.server.faults.minutes import MinuteFaults
from exchange.sim.server.faults.plan import FaultPlan
from exchange.sim.server.hub import Hub
from exchange.sim.venue.venue import Venue


@dataclass(frozen=True, slots=True)
class Faults:
    """What strikes events, candles and minutes. (REST calls are struck before they get here.)"""

    plan: FaultPlan
    events: EventFaults
    candles: CandleFaults
    minutes: MinuteFaults

    @classmethod
    def of(
        cls, plan: FaultPlan, market: Market, *, venue: Venue, listings: Listings, hub: Hub, clock: Clock
    ) -> "Faults":
        return cls(
            plan,
            EventFaults(plan, clock),
            CandleFaults(plan, [each.symbol for each in market.instruments], clock),
            MinuteFaults(plan, market, venue, listings=listings, hub=hub, clock=clock),
        )
