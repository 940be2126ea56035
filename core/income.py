"""What moved the wallet, in the exchange's own records: trades, funding, and money that came or went."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class IncomeKind(StrEnum):
    """What a change of the wallet was for."""

    TRADE = "trade"  # realised profit, fees, liquidation: our executions tell of them too
    FUNDING = "funding"
    TRANSFER = "transfer"  # whatever no trading explains is money that came or went
    UNEXPLAINED = "unexplained"  # what the wallet moved beyond all records


@dataclass(frozen=True, slots=True, kw_only=True)
class Income:
    """One change of the wallet by ``amount`` USDT at the exchange's time ``at`` (ms).

    ``income_id`` is the exchange's, unique in the account; ``symbol`` is empty where it is about none.
    """

    income_id: str
    kind: IncomeKind
    symbol: str
    amount: Decimal
    at: int

    @property
    def is_transfer(self) -> bool:
        """Whether it is neither gain nor loss. What nobody can explain is never a gain, but may be a loss."""
        return self.kind is IncomeKind.TRANSFER or (self.kind is IncomeKind.UNEXPLAINED and self.amount > 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadIncomes:
    """Ask for every change of the wallet since ``since`` (market ms); it is about no position."""

    since: int
    position_id: str = ""
    symbol: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomesListed:
    """The whole answer to ``ReadIncomes``, in the exchange's order."""

    incomes: tuple[Income, ...]
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletMoved:
    """The venue's news say that the wallet moved without a trade; what it was, its records tell."""

    at: int
