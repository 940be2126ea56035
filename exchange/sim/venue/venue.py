"""The venue as its server sees it: accounts, the passing of time, and one desk for each kind of request."""

from collections.abc import Mapping
from decimal import Decimal

from core.instruments import Instrument
from exchange.sim.venue.account import Account, Payload
from exchange.sim.venue.account_desk import AccountDesk
from exchange.sim.venue.closures import deleverage, settle_closed_symbols
from exchange.sim.venue.conditional_desk import ConditionalDesk
from exchange.sim.venue.floor import Floor
from exchange.sim.venue.funding import FundingDesk
from exchange.sim.venue.liquidation import liquidate_due
from exchange.sim.venue.order_desk import OrderDesk
from exchange.sim.venue.quotes import Quotes
from exchange.sim.venue.terms import PositionSide


class Venue:
    """A futures exchange without sockets or clock: what happens depends on calls and quotes alone."""

    def __init__(self, instruments: Mapping[str, Instrument], quotes: Quotes) -> None:
        self.floor = Floor(instruments, quotes)
        self.orders = OrderDesk(self.floor)
        self.conditionals = ConditionalDesk(self.floor, self.orders)
        self.settings = AccountDesk(self.floor)
        self._funding = FundingDesk(self.floor)
        self._accounts: dict[str, Account] = {}

    def open_account(self, account_id: str, deposit: Decimal, *, now_ms: int = 0) -> Account:
        account = Account(account_id, self.floor.max_leverage)
        self._accounts[account_id] = account
        self.settings.deposit(account, deposit, now_ms=now_ms)
        account.drain()
        return account

    def account(self, account_id: str) -> Account:
        """Return an account; an unknown id is a KeyError."""
        return self._accounts[account_id]

    def advance(self, now_ms: int) -> None:
        """Let the market's last step act on what is live: funding, delisting, liquidation, orders.

        Liquidation comes before triggers, so a gap across both a stop and the liquidation price liquidates.
        """
        self._funding.settle(self._accounts.values(), now_ms=now_ms)
        for account in self._accounts.values():
            if account.is_live:
                self._advance_account(account, now_ms)

    def deleverage(
        self, account_id: str, symbol: str, position_side: PositionSide, *, quantity: Decimal, now_ms: int
    ) -> None:
        """Reduce a position by auto-deleveraging, for tests and fault scripts; a flat one is a KeyError."""
        account = self._accounts[account_id]
        deleverage(account, self.floor, (symbol, position_side), quantity, now_ms=now_ms)

    def drain(self, account_id: str) -> list[Payload]:
        """Return the account's user-data events since the last call, oldest first."""
        return self._accounts[account_id].drain()

    def _advance_account(self, account: Account, now_ms: int) -> None:
        settle_closed_symbols(account, self.floor, now_ms=now_ms)
        liquidate_due(account, self.floor, now_ms=now_ms)
        trades = len(account.trades)
        self._work_orders(account, now_ms)
        if len(account.trades) > trades:  # a resting order filled far from the mark may be due at once
            liquidate_due(account, self.floor, now_ms=now_ms)

    def _work_orders(self, account: Account, now_ms: int) -> None:
        for conditional in list(account.open_conditionals.values()):
            if conditional.is_open:
                self.conditionals.watch(account, conditional, now_ms=now_ms)
        if account.cancel_deadlines:
            self.orders.cancel_overdue(account, now_ms=now_ms)
        for order in list(account.open_orders.values()):
            if order.is_open:
                self.orders.work(account, order, now_ms=now_ms)
