"""Somebody else who trades on the bot's account: on a symbol of his own, and sometimes on the bot's."""

from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal

import numpy as np

from core.instruments import Instrument
from exchange.sim.trading_api import ROUTES
from exchange.sim.venue.liquidation import liquidate
from exchange.sim.venue.rejections import VenueRejection
from tests.faults.truth import ACCOUNT, HAND, Truth

_FAR = Decimal("0.04")
_STAKE = Decimal(500)  # USDT


class Human:
    """Does what the same keys allow; what the exchange refuses, he gives up."""

    def __init__(self, truth: Truth, rng: np.random.Generator) -> None:
        self._truth = truth
        self._rng = rng
        self._orders = 0

    def trade_own(self, side: str, notional: Decimal) -> None:
        """Trade his own symbol, and rest an order beside it."""
        symbol = self._truth.foreign
        quantity = self._contract(symbol).round_quantity(notional / self._truth.mark(symbol))
        self._market(symbol, side, quantity)
        self._limit(symbol, side, quantity)

    def reduce(self, share: Decimal) -> None:
        """Take a part of one of the bot's positions off."""
        for symbol, held in self._one(self._held()):
            wanted = abs(held) * min(share * Decimal("1.3"), Decimal(1))
            self._market(
                symbol, _against(held), self._contract(symbol).round_quantity(wanted), reduceOnly="true"
            )

    def add(self, share: Decimal) -> None:
        """Add to one of the bot's positions."""
        for symbol, held in self._one(self._held()):
            quantity = self._contract(symbol).round_quantity(abs(held) * max(share, Decimal("0.1")))
            self._truth.disturb(symbol)
            self._market(symbol, _with(held), quantity)

    def open(self, share: Decimal) -> None:
        """Take a position in a symbol that the bot may trade and holds nothing in."""
        for symbol, _ in self._one(
            (each, Decimal(0)) for each in self._truth.symbols if not self._truth.held(each)
        ):
            quantity = self._contract(symbol).round_quantity(_STAKE / self._truth.mark(symbol))
            self._truth.disturb(symbol)
            self._market(symbol, "BUY" if share < Decimal("0.5") else "SELL", quantity)

    def rest(self, share: Decimal) -> None:
        """Rest an order and a stop on one of the bot's symbols, far from where it trades."""
        for symbol, held in self._one((each, self._truth.held(each)) for each in self._truth.symbols):
            side = "BUY" if share < Decimal("0.5") else "SELL"
            quantity = self._contract(symbol).round_quantity(_STAKE / self._truth.mark(symbol))
            self._truth.disturb(symbol)
            self._limit(symbol, side, quantity)
            self._stop(symbol, _against(held), quantity)

    def be_liquidated(self) -> None:
        """Let the exchange take one of the bot's positions away."""
        venue = self._truth.simulator.venue
        for symbol, _ in self._one(self._held()):
            keys = [key for key in self._truth.account.positions if key[0] == symbol]
            for key in keys:
                liquidate(self._truth.account, venue.floor, key, now_ms=self._truth.simulator.market.now_ms)

    def move_money(self, share: float) -> None:
        """Deposit, or withdraw, a share of what the account could spare."""
        account, simulator = self._truth.account, self._truth.simulator
        amount = (account.cross_wallet * Decimal(share)).quantize(Decimal("0.01"))
        simulator.venue.settings.deposit(account, amount, now_ms=simulator.market.now_ms)

    def leave(self, symbol: str) -> None:
        """Take back everything of his on one of the bot's symbols, once the bot is out of it."""
        for order in list(self._truth.account.open_orders.values()):
            if order.symbol == symbol and order.client_id.startswith(HAND):
                self._call("DELETE", "/fapi/v1/order", symbol=symbol, orderId=str(order.order_id))
        for conditional in list(self._truth.account.open_conditionals.values()):
            if conditional.symbol == symbol and conditional.client_id.startswith(HAND):
                self._call("DELETE", "/fapi/v1/algoOrder", algoId=str(conditional.algo_id))
        held = self._truth.held(symbol)
        if held:
            contract = self._contract(symbol)
            self._market(symbol, _against(held), contract.quantity_at_or_above(abs(held)), reduceOnly="true")

    def _held(self) -> Iterator[tuple[str, Decimal]]:
        return ((each, held) for each in self._truth.symbols if (held := self._truth.held(each)))

    def _one(self, choices: Iterator[tuple[str, Decimal]]) -> Iterator[tuple[str, Decimal]]:
        """Yield one of them, or none of none."""
        found = list(choices)
        if found:
            yield found[int(self._rng.integers(len(found)))]

    def _contract(self, symbol: str) -> Instrument:
        return self._truth.simulator.venue.floor.instrument(symbol)

    def _market(self, symbol: str, side: str, quantity: Decimal, **more: str) -> None:
        self._order(symbol, side, quantity, type="MARKET", **more)

    def _limit(self, symbol: str, side: str, quantity: Decimal) -> None:
        away = 1 - _FAR if side == "BUY" else 1 + _FAR
        price = self._contract(symbol).price_nearest(self._truth.mark(symbol) * away)
        self._order(symbol, side, quantity, type="LIMIT", timeInForce="GTC", price=f"{price:f}")

    def _stop(self, symbol: str, side: str, quantity: Decimal) -> None:
        away = 1 - 2 * _FAR if side == "SELL" else 1 + 2 * _FAR
        price = self._contract(symbol).price_nearest(self._truth.mark(symbol) * away)
        self._call(
            "POST",
            "/fapi/v1/algoOrder",
            algoType="CONDITIONAL",
            symbol=symbol,
            side=side,
            type="STOP_MARKET",
            triggerPrice=f"{price:f}",
            quantity=f"{quantity:f}",
            clientAlgoId=self._name(),
        )

    def _order(self, symbol: str, side: str, quantity: Decimal, **more: str) -> None:
        name = self._name()
        wanted = {"symbol": symbol, "side": side, "quantity": f"{quantity:f}", "newClientOrderId": name}
        self._call("POST", "/fapi/v1/order", **wanted, **more)

    def _name(self) -> str:
        self._orders += 1
        return f"{HAND}{self._orders}"

    def _call(self, method: str, path: str, **parameters: str) -> None:
        simulator = self._truth.simulator
        with suppress(VenueRejection):
            ROUTES[method, path](simulator.venue, ACCOUNT, parameters, simulator.market.now_ms)


def _against(held: Decimal) -> str:
    return "SELL" if held > 0 else "BUY"


def _with(held: Decimal) -> str:
    return "BUY" if held > 0 else "SELL"
