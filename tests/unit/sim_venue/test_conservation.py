"""Whatever happens, no money appears or vanishes: the whole venue under random streams of events."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from exchange.sim.venue.account import IncomeKind
from exchange.sim.venue.conditionals import AlgoStatus
from exchange.sim.venue.positions import ZERO
from exchange.sim.venue.risk import risk_units
from tests.builders_sim import HOUR_MS, Terminal, contract

D = Decimal
SYMBOLS = ("ABCUSDT", "XYZUSDT")
symbols = st.sampled_from(SYMBOLS)
sides = st.sampled_from(["BUY", "SELL"])
quantities = st.integers(1, 400).map(lambda n: str(D(n) / 10))
percents = st.integers(-12, 12)
kinds = st.sampled_from(["STOP_MARKET", "TAKE_PROFIT_MARKET", "STOP", "TAKE_PROFIT"])


class AnyTrading(RuleBasedStateMachine):
    """A trader who does anything, refusals included, while the market jumps."""

    def __init__(self) -> None:
        super().__init__()
        self.terminal = Terminal(*SYMBOLS, deposit="1000")

    @initialize(hedged=st.booleans(), isolated=st.lists(symbols, unique=True), leverage=st.integers(1, 50))
    def settle_in(self, *, hedged: bool, isolated: list[str], leverage: int) -> None:
        if hedged:
            self.terminal.ask("POST", "positionSide/dual", dualSidePosition=True)
        for symbol in isolated:
            self.terminal.ask("POST", "marginType", symbol=symbol, marginType="ISOLATED")
        for symbol in SYMBOLS:
            self.terminal.ask("POST", "leverage", symbol=symbol, leverage=leverage)

    @rule(symbol=symbols, side=sides, quantity=quantities, reduce_only=st.booleans(), closing=st.booleans())
    def trade(self, *, symbol: str, side: str, quantity: str, reduce_only: bool, closing: bool) -> None:
        self.terminal.attempt(
            "POST",
            "order",
            symbol=symbol,
            side=side,
            type="MARKET",
            quantity=quantity,
            **self._position(side, reduce_only=reduce_only, closing=closing),
        )

    @rule(
        symbol=symbols,
        side=sides,
        quantity=quantities,
        percent=percents,
        tif=st.sampled_from(["GTC", "IOC", "FOK", "GTX"]),
        reduce_only=st.booleans(),
    )
    def bid_or_offer(
        self, *, symbol: str, side: str, quantity: str, percent: int, tif: str, reduce_only: bool
    ) -> None:
        self.terminal.attempt(
            "POST",
            "order",
            symbol=symbol,
            side=side,
            type="LIMIT",
            timeInForce=tif,
            quantity=quantity,
            price=self._near(symbol, percent),
            **self._position(side, reduce_only=reduce_only, closing=False),
        )

    @rule(symbol=symbols, side=sides, quantity=quantities, percent=percents, kind=kinds, closes=st.booleans())
    def arm(self, *, symbol: str, side: str, quantity: str, percent: int, kind: str, closes: bool) -> None:
        size: dict[str, Any] = {"closePosition": True} if closes else {"quantity": quantity}
        if kind in ("STOP", "TAKE_PROFIT"):
            size["price"] = self._near(symbol, percent)
        self.terminal.attempt(
            "POST",
            "algoOrder",
            algoType="CONDITIONAL",
            symbol=symbol,
            side=side,
            type=kind,
            triggerPrice=self._near(symbol, percent),
            workingType="MARK_PRICE",
            **size,
            **self._position(side, reduce_only=False, closing=True),
        )

    @rule(symbol=symbols, percent=percents, gap=st.integers(-3, 3))
    def move(self, *, symbol: str, percent: int, gap: int) -> None:
        last = self._near(symbol, percent)
        self._step(last, mark=str(D(last) * (100 + gap) / 100), symbol=symbol)

    @rule(depth=st.integers(1, 60))
    def thin_the_book(self, *, depth: int) -> None:
        for quote in self.terminal.quotes.quotes.values():
            quote.depth = D(depth)

    @rule(rate=st.integers(-300, 300))
    def fund(self, *, rate: int) -> None:
        for quote in self.terminal.quotes.quotes.values():
            quote.funding_rate = D(rate) / 100_000
            quote.next_funding_ms = self.terminal.now_ms + 1_500
        self._step()
        self._step()
        for quote in self.terminal.quotes.quotes.values():
            quote.next_funding_ms = self.terminal.now_ms + HOUR_MS

    @rule(symbol=symbols, amount=st.integers(1, 200), kind=st.sampled_from([1, 2]))
    def shift_margin(self, *, symbol: str, amount: int, kind: int) -> None:
        side = "LONG" if self.terminal.account.is_hedged else "BOTH"
        self.terminal.attempt(
            "POST", "positionMargin", symbol=symbol, amount=amount, type=kind, positionSide=side
        )

    @rule(symbol=symbols)
    def cancel_everything(self, *, symbol: str) -> None:
        self.terminal.attempt("DELETE", "allOpenOrders", symbol=symbol)
        self.terminal.attempt("DELETE", "algoOpenOrders", symbol=symbol)

    @rule(symbol=symbols, leverage=st.integers(1, 50))
    def releverage(self, *, symbol: str, leverage: int) -> None:
        self.terminal.attempt("POST", "leverage", symbol=symbol, leverage=leverage)

    @invariant()
    def the_wallet_is_the_sum_of_its_incomes(self) -> None:
        account = self.terminal.account
        assert account.wallet == sum((one.amount for one in account.incomes), ZERO)

    @invariant()
    def equity_is_explained_by_trades_prices_fees_and_funding_alone(self) -> None:
        account, quotes = self.terminal.account, self.terminal.quotes
        flow = sum((-one.side.sign * one.price * one.quantity for one in account.trades), ZERO)
        worth = sum((one.quantity * quotes.mark(key[0]) for key, one in account.positions.items()), ZERO)
        kinds = (IncomeKind.TRANSFER, IncomeKind.FUNDING, IncomeKind.COMMISSION, IncomeKind.INSURANCE)
        rest = sum((one.amount for one in account.incomes if one.kind in kinds), ZERO)
        open_profit = sum(
            (one.unrealised(quotes.mark(key[0])) for key, one in account.positions.items()), ZERO
        )
        assert account.wallet + open_profit == flow + worth + rest

    @invariant()
    def positions_are_the_sum_of_their_trades(self) -> None:
        account = self.terminal.account
        sums: dict[Any, Decimal] = {}
        for one in account.trades:
            key = (one.symbol, one.position_side)
            sums[key] = sums.get(key, ZERO) + one.side.sign * one.quantity
        assert {key: one.quantity for key, one in account.positions.items()} == {
            key: total for key, total in sums.items() if total
        }

    @invariant()
    def open_books_hold_open_orders_only(self) -> None:
        account = self.terminal.account
        assert all(order.is_open and order.remaining > 0 for order in account.open_orders.values())
        assert all(one.status is AlgoStatus.NEW for one in account.open_conditionals.values())
        assert set(account.open_orders) == {key for key, one in account.orders.items() if one.is_open}

    @invariant()
    def hedged_sides_keep_their_sign(self) -> None:
        for (_, side), one in self.terminal.account.positions.items():
            assert side == "BOTH" or (one.quantity > 0) == (side == "LONG")

    def _near(self, symbol: str, percent: int) -> str:
        last = max(self.terminal.quotes.last(symbol) * (100 + percent) / 100, D(1))
        return str(contract().price_at_or_below(last))

    def _position(self, side: str, *, reduce_only: bool, closing: bool) -> dict[str, Any]:
        if not self.terminal.account.is_hedged:
            return {"reduceOnly": True} if reduce_only else {}
        is_long = (side == "BUY") != closing
        return {"positionSide": "LONG" if is_long else "SHORT"}

    def _step(self, price: str | None = None, **where: str) -> None:
        """Move the market; after it nobody may be left who was due for liquidation."""
        self.terminal.step(price, **where)
        units = risk_units(self.terminal.account, self.terminal.venue.floor)
        assert not any(unit.is_due for unit in units)


class LongTrading(AnyTrading):
    """The same, for longer."""


TestAnyTrading = AnyTrading.TestCase
TestAnyTrading.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)

TestLongTrading = pytest.mark.long(LongTrading.TestCase)
TestLongTrading.settings = settings(max_examples=1_000, stateful_step_count=60, deadline=None)
TestLongTrading = pytest.mark.timeout(900)(TestLongTrading)
