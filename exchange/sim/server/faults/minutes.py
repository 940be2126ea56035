"""What befalls the exchange as a whole when a market minute closes."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any

from core.clock import Clock
from core.instruments import InstrumentStatus
from core.market import MINUTE_MS
from core.rng import seeded
from exchange.sim.listings import Listings
from exchange.sim.market.market import Market
from exchange.sim.server.faults.catalogue import MinuteFault
from exchange.sim.server.faults.plan import FaultPlan, Rule
from exchange.sim.server.hub import Hub
from exchange.sim.trading_api import ROUTES
from exchange.sim.venue.account import Account
from exchange.sim.venue.rejections import VenueRejection
from exchange.sim.venue.venue import Venue

_SPIKE = 0.10
_NOTICE_MS = 10 * MINUTE_MS
_COARSER = Decimal(10)


class MinuteFaults:
    """Asks the plan once a market minute whether something is to happen, and does it."""

    def __init__(
        self, plan: FaultPlan, market: Market, venue: Venue, *, listings: Listings, hub: Hub, clock: Clock
    ) -> None:
        self._plan = plan
        self._market = market
        self._venue = venue
        self._listings = listings
        self._hub = hub
        self._clock = clock
        self._rng = seeded(plan.seed + 1)
        self._unstuck_at: float | None = None
        self._actions: Mapping[MinuteFault, Callable[[Rule, Sequence[str]], None]] = {
            MinuteFault.PRICE_SPIKE: self._spike,
            MinuteFault.FILTERS_CHANGED: self._change_filters,
            MinuteFault.TRIGGERS_STUCK: self._stick,
            MinuteFault.CONDITIONAL_CANCELLED: self._cancel_conditional,
            MinuteFault.HEDGE_SWITCHED: self._switch_mode,
            MinuteFault.MULTI_ASSETS_SWITCHED: self._switch_assets,
            MinuteFault.DELISTED: self._delist,
            MinuteFault.MANUAL_TRADE: self._trade_by_hand,
            MinuteFault.DELEVERAGED: self._deleverage,
            MinuteFault.STREAMS_CUT: lambda *_: self._hub.cut_all(),
            MinuteFault.STREAMS_SILENT: lambda *_: self._hub.silence_all(),
        }

    def minute_closed(self, accounts: Sequence[str]) -> None:
        struck = self._plan.strike(MinuteFault, "minute")
        if struck is not None:
            fault, rule = struck
            self._actions[fault](rule, accounts)

    def housekeep(self) -> None:
        """Let what was stuck for a time go on."""
        if self._unstuck_at is not None and self._clock.monotonic() >= self._unstuck_at:
            self._unstuck_at = None
            self._venue.floor.triggers_stuck = False

    def _spike(self, _rule: Rule, _accounts: Sequence[str]) -> None:
        symbol = self._one_of(self._trading())
        if symbol is not None:
            self._market.spike(self._market.index_of[symbol], 1 + _SPIKE * self._rng.choice((-1, 1)))

    def _change_filters(self, _rule: Rule, _accounts: Sequence[str]) -> None:
        symbol = self._one_of(self._trading())
        if symbol is None:
            return
        contract = self._listings.contracts[symbol]
        changed = replace(
            contract,
            step_size=contract.step_size * _COARSER,
            min_quantity=contract.min_quantity * _COARSER,
            min_notional=contract.min_notional * _COARSER,
        )
        self._listings.change(changed, now_ms=self._market.now_ms)

    def _trading(self) -> list[str]:
        contracts = self._listings.contracts.values()
        return [each.symbol for each in contracts if each.status is InstrumentStatus.TRADING]

    def _one_of(self, symbols: Sequence[str]) -> str | None:
        """Draw one; of none there is none."""
        return symbols[int(self._rng.integers(len(symbols)))] if symbols else None

    def _stick(self, rule: Rule, _accounts: Sequence[str]) -> None:
        self._venue.floor.triggers_stuck = True
        self._unstuck_at = self._clock.monotonic() + rule.seconds

    def _cancel_conditional(self, _rule: Rule, accounts: Sequence[str]) -> None:
        for name in accounts:
            found = next(iter(self._venue.account(name).open_conditionals.values()), None)
            if found is not None:
                self._by_hand(name, "DELETE", "/fapi/v1/algoOrder", algoId=str(found.algo_id))

    def _switch_mode(self, _rule: Rule, accounts: Sequence[str]) -> None:
        for name in accounts:
            wanted = "false" if self._venue.account(name).is_hedged else "true"
            self._by_hand(name, "POST", "/fapi/v1/positionSide/dual", dualSidePosition=wanted)

    def _switch_assets(self, _rule: Rule, accounts: Sequence[str]) -> None:
        for name in accounts:
            wanted = "false" if self._venue.account(name).is_multi_assets else "true"
            self._by_hand(name, "POST", "/fapi/v1/multiAssetsMargin", multiAssetsMargin=wanted)

    def _delist(self, _rule: Rule, accounts: Sequence[str]) -> None:
        trading = self._trading()
        held = [symbol for name in accounts for symbol, _ in self._venue.account(name).positions]
        symbol = self._one_of([each for each in held if each in trading] or trading)
        if symbol is None:
            return
        delivery_ms = self._market.now_ms + _NOTICE_MS
        self._market.deliver(self._market.index_of[symbol], delivery_ms)
        contract = replace(self._listings.contracts[symbol], delivery_ms=delivery_ms)
        self._listings.change(contract, now_ms=self._market.now_ms)

    def _trade_by_hand(self, _rule: Rule, accounts: Sequence[str]) -> None:
        for name in accounts:
            for symbol, side, half in self._halves(self._venue.account(name)):
                self._by_hand(
                    name,
                    "POST",
                    "/fapi/v1/order",
                    symbol=symbol,
                    side=side,
                    type="MARKET",
                    quantity=str(half),
                )

    def _deleverage(self, _rule: Rule, accounts: Sequence[str]) -> None:
        for name in accounts:
            account = self._venue.account(name)
            for key in list(account.positions):
                half = self._half(key[0], account.positions[key].quantity)
                if half:
                    self._venue.deleverage(name, *key, quantity=half, now_ms=self._market.now_ms)

    def _halves(self, account: Account) -> list[tuple[str, str, Decimal]]:
        held = [(symbol, position.quantity) for (symbol, _), position in account.positions.items()]
        halves = [(symbol, "SELL" if size > 0 else "BUY", self._half(symbol, size)) for symbol, size in held]
        return [each for each in halves if each[2]]

    def _half(self, symbol: str, quantity: Decimal) -> Decimal:
        return self._venue.floor.instrument(symbol).round_quantity(abs(quantity) / 2)

    def _by_hand(self, account: str, method: str, path: str, **params: Any) -> None:
        """Do what a human with the same keys could do; what the venue refuses, he gives up."""
        with suppress(VenueRejection):
            ROUTES[method, path](self._venue, account, params, self._market.now_ms)
