"""Funding: every position pays or receives notional at mark × rate, when its time has come."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from exchange.sim.venue import events
from exchange.sim.venue.account import Account, IncomeKind, PositionKey
from exchange.sim.venue.floor import Floor
from exchange.sim.venue.positions import money


@dataclass(frozen=True, slots=True)
class _Due:
    at_ms: int
    rate: Decimal


class FundingDesk:
    """Remembers each held symbol's next funding, so that it does not matter when the market rolls it over."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._due: dict[str, _Due] = {}

    def settle(self, accounts: Iterable[Account], *, now_ms: int) -> None:
        held: dict[str, list[tuple[Account, PositionKey]]] = {}
        for account in accounts:
            for key in account.positions:
                held.setdefault(key[0], []).append((account, key))
        for symbol, holders in held.items():
            due = self._due.get(symbol)
            if due is not None and now_ms >= due.at_ms:
                for account, key in holders:
                    self._charge(account, key, due, now_ms=now_ms)
        self._due = {symbol: due for symbol in held if (due := self._next(symbol)).at_ms > now_ms}

    def _next(self, symbol: str) -> _Due:
        quotes = self._floor.quotes
        return _Due(quotes.next_funding_ms(symbol), quotes.funding_rate(symbol))

    def _charge(self, account: Account, key: PositionKey, due: _Due, *, now_ms: int) -> None:
        """Take the fee from the wallet that holds the margin; longs pay a positive rate (binance.md §2.8)."""
        symbol = key[0]
        position = account.positions[key]
        amount = -money(position.quantity * self._floor.quotes.mark(symbol) * due.rate)
        is_isolated = account.is_isolated(symbol)
        if is_isolated:
            wallet = position.isolated_wallet + amount
            account.positions[key] = replace(position, isolated_wallet=wallet, updated_ms=now_ms)
        else:
            account.cross_wallet += amount
        account.book(IncomeKind.FUNDING, symbol, amount, at_ms=due.at_ms)
        account.push(
            events.account_update(
                account,
                self._floor.quotes,
                "FUNDING_FEE",
                keys=[key] if is_isolated else [],
                now_ms=now_ms,
                balance_change=amount,
            )
        )
