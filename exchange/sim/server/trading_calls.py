"""The signed endpoints as the server calls them: the venue's routes, bound to this market's time."""

from collections.abc import Callable, Mapping
from typing import Any

from exchange.sim.market.market import Market
from exchange.sim.server.broadcast import Broadcast
from exchange.sim.server.rest import TradingCall
from exchange.sim.trading_api import ROUTES
from exchange.sim.venue.venue import Venue

Endpoint = Callable[[Venue, str, Mapping[str, str], int], Any]


def trading_calls(venue: Venue, market: Market, broadcast: Broadcast) -> dict[tuple[str, str], TradingCall]:
    """Bind every route; what a call does to an account is on its stream before the reply is."""

    def bound(endpoint: Endpoint) -> TradingCall:
        def call(account: str, params: Mapping[str, str]) -> Any:
            try:
                return endpoint(venue, account, params, market.now_ms)
            finally:
                broadcast.tell_accounts()

        return call

    return {route: bound(endpoint) for route, endpoint in ROUTES.items()}
