"""What a key may do, how an account is set and what time the market has: asked before anything trades."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

import msgspec

from core.clock import Clock
from core.preflight import AccountModes, KeyRights
from core.rng import Rng
from exchange.binance import rest
from exchange.binance.rest import BinanceRest
from exchange.limits.retries import ReadRetries
from exchange.limits.weight import Priority

T = TypeVar("T")


class _KeyRights(msgspec.Struct, rename="camel"):
    """Reply of /sapi/v1/account/apiRestrictions. No field has a default: what is not told is not allowed."""

    ip_restrict: bool
    enable_futures: bool
    enable_withdrawals: bool
    enable_internal_transfer: bool
    permits_universal_transfer: bool


class _AccountConfig(msgspec.Struct, rename="camel"):
    """Reply of /fapi/v1/accountConfig."""

    can_trade: bool
    dual_side_position: bool
    multi_assets_margin: bool


class _PremiumIndex(msgspec.Struct, rename="camel"):
    symbol: str
    mark_price: Decimal
    time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """The whole market at one moment; ``at`` in market ms."""

    at: int
    marks: Mapping[str, Decimal]


class BinanceExamination:
    """Questions to one venue, each repeated until it is answered or clearly will not be."""

    def __init__(self, api: BinanceRest, *, clock: Clock, rng: Rng, has_wallet: bool) -> None:
        """``has_wallet`` where a key can be asked what it may do: demo trading has no such place."""
        self._api = api
        self._retries = ReadRetries(clock=clock, rng=rng)
        self._has_wallet = has_wallet

    async def rights(self) -> KeyRights | None:
        """Return what our key may do, ``None`` where the venue has no way to tell."""
        if not self._has_wallet:
            return None
        told = await self._ask(rest.KEY_RIGHTS, _KeyRights)
        return KeyRights(
            trades_futures=told.enable_futures,
            withdraws=told.enable_withdrawals,
            transfers=told.enable_internal_transfer or told.permits_universal_transfer,
            is_bound_to_addresses=told.ip_restrict,
        )

    async def modes(self) -> AccountModes:
        told = await self._ask(rest.ACCOUNT_CONFIG, _AccountConfig)
        return AccountModes(
            is_hedged=told.dual_side_position,
            is_multi_assets=told.multi_assets_margin,
            can_trade=told.can_trade,
        )

    async def glance(self) -> Glance:
        """Return the market's own time and every mark price; needs no key."""
        told = await self._ask(rest.PREMIUM_INDEX, list[_PremiumIndex])
        return Glance(
            at=max((each.time for each in told), default=0),
            marks={each.symbol: each.mark_price for each in told},
        )

    async def _ask(self, endpoint: rest.Endpoint, reply: type[T]) -> T:
        return await self._retries.run(
            lambda: self._api.call(endpoint, {}, priority=Priority.ACCOUNT, reply=reply)
        )
