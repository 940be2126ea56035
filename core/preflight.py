"""What an API key and an account must be like before anything trades: facts, and what they forbid."""

from collections.abc import Iterator
from dataclasses import dataclass

from core.risk_state import Halt


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRights:
    """What the exchange lets an API key do."""

    trades_futures: bool
    withdraws: bool
    transfers: bool
    is_bound_to_addresses: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountModes:
    """Settings of a whole account that somebody may change beside us."""

    is_hedged: bool
    is_multi_assets: bool
    can_trade: bool


def key_objections(rights: KeyRights) -> Iterator[str]:
    """Yield why a key must not be used; a program that only trades has no need to move money."""
    if rights.withdraws:
        yield "The API key can withdraw: switch withdrawals off for this key, or make another."
    if rights.transfers:
        yield (
            "The API key can move money: switch universal and internal transfers off for this key,"
            " or make another."
        )
    if not rights.trades_futures:
        yield "The API key may not trade futures: switch futures on for this key, or make another."


def mode_objections(modes: AccountModes) -> Iterator[tuple[Halt, str]]:
    """Yield why the account takes no entries as it is set, and what to do."""
    if modes.is_hedged:
        yield Halt.HEDGE_MODE, "The account is in hedge mode: switch its position mode to one-way."
    if modes.is_multi_assets:
        yield Halt.MULTI_ASSETS, "The account is in multi-assets mode: switch its asset mode to single-asset."
    if not modes.can_trade:
        yield Halt.CAN_NOT_TRADE, "The exchange lets the account not trade: see what it says there."
