"""What is listed now: contracts come with their onboarding, settle at their delivery, and then are gone."""

from collections.abc import Iterable
from dataclasses import replace

from core.instruments import Instrument, InstrumentStatus
from exchange.sim.market.funding import HOUR_MS

SETTLING_MS = HOUR_MS
"""How long a delisted contract is still shown as settling. Binance's own time differs from case to case."""


class Listings:
    """Keeps ``contracts``, which the venue and /exchangeInfo read, in step with market time."""

    def __init__(self, contracts: Iterable[Instrument], *, now_ms: int) -> None:
        self.contracts: dict[str, Instrument] = {}
        self._known = {each.symbol: each for each in contracts}
        self.update(now_ms)
        self._told = dict(self.contracts)

    def news(self) -> list[Instrument]:
        """Return the contracts that came, went, or changed in status or delivery since the last call."""
        gone = [
            replace(each, status=InstrumentStatus.CLOSED)
            for symbol, each in self._told.items()
            if symbol not in self.contracts
        ]
        changed = [each for each in self.contracts.values() if _differs(each, self._told.get(each.symbol))]
        if gone or changed:
            self._told = dict(self.contracts)
        return gone + changed

    def update(self, now_ms: int) -> None:
        """List, settle and remove what is due."""
        for symbol, contract in self._known.items():
            if contract.onboard_ms > now_ms or now_ms >= contract.delivery_ms + SETTLING_MS:
                self.contracts.pop(symbol, None)
            elif now_ms >= contract.delivery_ms:
                self.contracts[symbol] = replace(contract, status=InstrumentStatus.SETTLING)
            else:
                self.contracts[symbol] = contract

    def change(self, contract: Instrument, *, now_ms: int) -> None:
        """Put other terms in force from now on: filters, brackets, a date of delivery.

        Raises ``KeyError`` for a symbol that was never known.
        """
        if contract.symbol not in self._known:
            raise KeyError(contract.symbol)
        self._known[contract.symbol] = contract
        self.update(now_ms)


def _differs(contract: Instrument, told: Instrument | None) -> bool:
    if contract is told:
        return False
    return told is None or (contract.status, contract.delivery_ms) != (told.status, told.delivery_ms)
