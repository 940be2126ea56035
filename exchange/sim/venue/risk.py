"""Which positions stand behind which margin: every isolated one alone, all cross ones together."""

from dataclasses import dataclass
from decimal import Decimal

from exchange.sim.venue import events
from exchange.sim.venue.account import Account, PositionKey
from exchange.sim.venue.floor import Floor
from exchange.sim.venue.margin import maintenance
from exchange.sim.venue.positions import ZERO

MARGIN_CALL_RATIO = Decimal("0.8")
"""Maintenance over balance at which a MARGIN_CALL is sent; Binance does not document its number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskUnit:
    """Positions that are liquidated by one common balance."""

    keys: tuple[PositionKey, ...]
    balance: Decimal
    maintenance: Decimal

    @property
    def is_due(self) -> bool:
        """Say whether the balance fell to the maintenance margin (binance.md §2.8)."""
        return self.balance <= self.maintenance

    @property
    def is_in_danger(self) -> bool:
        return self.maintenance >= self.balance * MARGIN_CALL_RATIO


def risk_units(account: Account, floor: Floor) -> list[RiskUnit]:
    units: list[RiskUnit] = []
    cross: list[PositionKey] = []
    balance, needed = account.cross_wallet, ZERO
    for key, position in account.positions.items():
        mark = floor.quotes.mark(key[0])
        least = maintenance(floor.instrument(key[0]), position.notional(mark))
        unrealised = position.unrealised(mark)
        if account.is_isolated(key[0]):
            own = position.isolated_wallet + unrealised
            units.append(RiskUnit(keys=(key,), balance=own, maintenance=least))
            continue
        cross.append(key)
        balance += unrealised
        needed += least
    if cross:
        units.append(RiskUnit(keys=tuple(cross), balance=balance, maintenance=needed))
    return units


def call_margin(account: Account, floor: Floor, units: list[RiskUnit], *, now_ms: int) -> None:
    """Send one MARGIN_CALL for each position that newly came close to liquidation."""
    endangered = {key for unit in units if unit.is_in_danger for key in unit.keys}
    fresh = [key for key in account.positions if key in endangered - account.margin_called]
    account.margin_called = endangered
    if fresh:
        account.push(events.margin_call(account, floor, fresh, now_ms=now_ms))
