"""The desk for account settings: leverage, margin type, position mode, isolated margin, transfers."""

from dataclasses import replace
from decimal import Decimal
from enum import IntEnum

from exchange.sim.venue import events, margin
from exchange.sim.venue.account import Account, IncomeKind, PositionKey
from exchange.sim.venue.floor import Floor
from exchange.sim.venue.positions import ZERO, money
from exchange.sim.venue.rejections import Reason, VenueRejection
from exchange.sim.venue.terms import MarginType


class MarginChange(IntEnum):
    """The wire's ``type`` of POST /fapi/v1/positionMargin."""

    ADD = 1
    REDUCE = 2


class AccountDesk:
    """Changes what an account has set, and refuses what open positions and orders forbid."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    def deposit(self, account: Account, amount: Decimal, *, now_ms: int) -> None:
        """Move money in, or out when negative."""
        account.cross_wallet += amount
        account.book(IncomeKind.TRANSFER, "", amount, at_ms=now_ms)
        reason = "DEPOSIT" if amount > 0 else "WITHDRAW"
        account.push(
            events.account_update(
                account, self._floor.quotes, reason, keys=[], now_ms=now_ms, balance_change=amount
            )
        )

    def set_leverage(self, account: Account, symbol: str, leverage: int, *, now_ms: int) -> Decimal:
        """Set it and return the largest notional it allows."""
        instrument = self._floor.instrument(symbol)
        if not 1 <= leverage <= self._floor.max_leverage(symbol):
            raise VenueRejection.because(Reason.INVALID_LEVERAGE, leverage)
        setting = account.setting(symbol)
        cap = instrument.max_notional(leverage)
        live = [
            margin.margins(account, self._floor, key) for key in margin.live_keys(account) if key[0] == symbol
        ]
        if any(margin.exposure(one.notional, one.bids, one.asks) > cap for one in live):
            raise VenueRejection.because(Reason.POSITION_CAP)
        if leverage < setting.leverage:
            self._check_reduction(account, symbol, leverage, live)
        setting.leverage = leverage
        account.push(events.leverage_update(symbol, leverage, now_ms=now_ms))
        return cap

    def _check_reduction(
        self, account: Account, symbol: str, leverage: int, live: list[margin.Margins]
    ) -> None:
        held = sum((one.position_initial for one in live), ZERO)
        if account.is_isolated(symbol) and held:
            raise VenueRejection.because(Reason.LEVERAGE_REDUCTION)
        locked = held + sum((one.order_initial for one in live), ZERO)
        growth = locked * account.setting(symbol).leverage / leverage - locked
        if growth > 0 and growth > margin.totals(account, self._floor).available:
            raise VenueRejection.because(Reason.LEVERAGE_TOO_SMALL)

    def set_margin_type(self, account: Account, symbol: str, margin_type: MarginType) -> None:
        self._floor.instrument(symbol)
        setting = account.setting(symbol)
        if setting.margin_type is margin_type:
            raise VenueRejection.because(Reason.SAME_MARGIN_TYPE)
        if account.is_multi_assets:
            raise VenueRejection.because(Reason.ISOLATED_UNDER_MULTI_ASSETS)
        if _has_orders(account, symbol):
            raise VenueRejection.because(Reason.MARGIN_TYPE_HAS_ORDERS)
        if any(key[0] == symbol for key in account.positions):
            raise VenueRejection.because(Reason.MARGIN_TYPE_HAS_POSITION)
        setting.margin_type = margin_type

    def set_position_mode(self, account: Account, *, is_hedged: bool) -> None:
        if account.is_hedged is is_hedged:
            raise VenueRejection.because(Reason.SAME_POSITION_MODE)
        if account.open_orders or account.open_conditionals:
            raise VenueRejection.because(Reason.POSITION_MODE_HAS_ORDERS)
        if account.positions:
            raise VenueRejection.because(Reason.POSITION_MODE_HAS_POSITION)
        account.is_hedged = is_hedged

    def set_multi_assets(self, account: Account, *, is_on: bool, now_ms: int) -> None:
        if account.is_multi_assets is is_on:
            raise VenueRejection.because(Reason.SAME_MULTI_ASSETS_MODE)
        if account.open_orders or account.open_conditionals:
            raise VenueRejection.because(Reason.MULTI_ASSETS_OPEN_ORDERS)
        if is_on and any(one.margin_type is MarginType.ISOLATED for one in account.settings.values()):
            raise VenueRejection.because(Reason.MULTI_ASSETS_ISOLATED_SYMBOLS)
        account.is_multi_assets = is_on
        account.push(events.multi_assets_update(is_on, now_ms=now_ms))

    def change_position_margin(
        self, account: Account, key: PositionKey, amount: Decimal, *, change: MarginChange, now_ms: int
    ) -> None:
        """Move money between the cross wallet and an isolated position's wallet."""
        self._floor.instrument(key[0])
        if amount <= 0:
            raise VenueRejection.because(Reason.AMOUNT_NOT_POSITIVE)
        if not account.is_isolated(key[0]):
            raise VenueRejection.because(Reason.MARGIN_NOT_ISOLATED)
        if key not in account.positions:
            raise VenueRejection.because(Reason.MARGIN_WITHOUT_POSITION)
        added = money(amount) if change is MarginChange.ADD else -money(amount)
        self._check_margin_change(account, key, added)
        position = account.positions[key]
        wallet = position.isolated_wallet + added
        account.positions[key] = replace(position, isolated_wallet=wallet, updated_ms=now_ms)
        account.cross_wallet -= added
        account.margin_changes.append((now_ms, key, added))
        account.push(
            events.account_update(account, self._floor.quotes, "MARGIN_TRANSFER", keys=[key], now_ms=now_ms)
        )

    def _check_margin_change(self, account: Account, key: PositionKey, added: Decimal) -> None:
        if added > 0:
            if added > margin.totals(account, self._floor).available:
                raise VenueRejection.because(Reason.CROSS_BALANCE_INSUFFICIENT)
            return
        position = account.positions[key]
        one = margin.margins(account, self._floor, key)
        free = position.isolated_wallet + min(one.unrealised, ZERO) - one.position_initial
        if -added > free:
            raise VenueRejection.because(Reason.ISOLATED_BALANCE_INSUFFICIENT)


def _has_orders(account: Account, symbol: str) -> bool:
    """Count conditional orders too; Binance did while they were regular orders, and may not any more."""
    orders = any(order.symbol == symbol for order in account.open_orders.values())
    return orders or any(order.symbol == symbol for order in account.open_conditionals.values())
