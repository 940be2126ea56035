"""What is true at the simulated exchange, whatever anybody was told."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import chain

from core.order_ids import CLIENT_ID_PREFIX
from exchange.sim.process import Simulator
from exchange.sim.venue.account import Account, Trade
from exchange.sim.venue.conditionals import ConditionalOrder
from exchange.sim.venue.orders import Order

ACCOUNT = "account-1"
HAND = "hand-"
"""How the human's client ids begin."""


class Truth:
    """One simulator's first account: ``symbols`` are those the bot may trade, ``foreign`` is a human's."""

    def __init__(self, simulator: Simulator, symbols: Sequence[str], *, foreign: str = "") -> None:
        self.simulator = simulator
        self.symbols = tuple(symbols)
        self.foreign = foreign
        self.disturbed: dict[str, int] = {}
        self.meddled: set[str] = set()

    def disturb(self, symbol: str) -> None:
        """Note that somebody else has opened or added to a position on a symbol of the bot's.

        From then on nobody can tell whose what is held there is, but by who traded it.
        """
        self.disturbed.setdefault(symbol, self.simulator.market.now_ms)

    @property
    def ours(self) -> tuple[str, ...]:
        """The bot's symbols in which nobody else has opened anything."""
        return tuple(each for each in self.symbols if each not in self.disturbed)

    def mark(self, symbol: str) -> Decimal:
        """Return the mark price of this moment, as its stream would tell."""
        return self.simulator.venue.floor.quotes.mark(symbol)

    @property
    def account(self) -> Account:
        return self.simulator.venue.account(ACCOUNT)

    def held(self, symbol: str) -> Decimal:
        """Return the signed quantity held."""
        positions = self.account.positions.items()
        return sum((each.quantity for (name, _), each in positions if name == symbol), Decimal(0))

    def owner_of(self, order: Order) -> str:
        """Return the client id an order was asked for with: that of its conditional, if it was one."""
        if order.origin is None:
            return order.client_id
        return self.account.conditionals[order.origin.algo_id].client_id

    def owner_of_trade(self, trade: Trade) -> str:
        return self.owner_of(self.account.orders[trade.order_id])

    def resting(self, symbol: str) -> Iterator[Order | ConditionalOrder]:
        """Yield the bot's live orders, of both books."""
        books: tuple[Iterable[Order | ConditionalOrder], ...] = (
            self.account.open_orders.values(),
            self.account.open_conditionals.values(),
        )
        for order in chain.from_iterable(books):
            if order.symbol == symbol and is_ours(order.client_id):
                yield order


def is_ours(client_id: str) -> bool:
    return client_id.startswith(CLIENT_ID_PREFIX)
