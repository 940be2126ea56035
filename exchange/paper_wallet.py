"""The money and the contracts of a paper account, and what they are worth."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from math import isfinite

from core.market import Floats, MinuteClosed, as_decimal
from core.orders import AccountRead, FundingPaid, HeldPosition, PlaceConditional
from core.positions import Position
from exchange.paper_holding import Holding


class PaperWallet:
    """A balance in USDT, and a holding for each symbol that was ever asked for."""

    def __init__(self, deposit: Decimal) -> None:
        self._balance = deposit
        self._holdings: dict[str, Holding] = {}

    def of(self, symbol: str) -> Holding:
        return self._holdings.setdefault(symbol, Holding())

    def held(self) -> Sequence[str]:
        """Return the symbols of which there is a position."""
        return [symbol for symbol, holding in self._holdings.items() if holding.quantity]

    def resting(self, symbol: str | None = None) -> Iterator[PlaceConditional]:
        """Yield what rests, on one symbol or all."""
        for name, holding in self._holdings.items():
            if symbol in {None, name}:
                yield from holding.resting.values()

    def forget_all_but(self, symbols: Collection[str]) -> None:
        """Keep these, and whatever is held or rests."""
        self._holdings = {
            symbol: holding
            for symbol, holding in self._holdings.items()
            if holding.quantity or holding.resting or symbol in symbols
        }

    def restore(self, position: Position) -> None:
        """Hold what an earlier process held, and have what it has brought so far."""
        self._holdings[position.symbol] = Holding.of(position)
        self._balance += position.gross_pnl - position.fees + position.funding

    def book(self, symbol: str, signed: Decimal, price: Decimal, *, fee: Decimal) -> Decimal:
        """Apply a fill and return the PnL it realised, before its fee."""
        realised = self.of(symbol).book(signed, price)
        self._balance += realised - fee
        return realised

    def settle_funding(self, minute: MinuteClosed, due: Collection[str]) -> Sequence[FundingPaid]:
        """Pay and collect on the contracts that are due, where rate and mark are known."""
        return [paid for symbol in self.held() if symbol in due for paid in self._funding(symbol, minute)]

    def look(self, marks: Mapping[str, Decimal]) -> None:
        """Take these marks; a symbol without one is worth what it was."""
        for symbol, holding in self._holdings.items():
            holding.mark = marks.get(symbol, holding.mark)

    def mark(self, minute: MinuteClosed) -> None:
        """Take this minute's marks, or closes where there are none; what has neither is worth what it was."""
        for symbol in self.held():
            candle = minute.candle(symbol)
            last = candle.close if candle else self.of(symbol).mark
            self.of(symbol).mark = _known(minute.context.mark, minute, symbol) or last

    def read(self, at: int) -> AccountRead:
        """Return the account as of ``at`` (ms)."""
        held = tuple(_position(symbol, self.of(symbol)) for symbol in self.held())
        unrealised = sum(((each.mark_price - each.entry_price) * each.quantity for each in held), Decimal(0))
        equity = self._balance + unrealised
        return AccountRead(
            wallet=self._balance, equity=equity, available=equity, positions=held, at=at, is_paper=True
        )

    def _funding(self, symbol: str, minute: MinuteClosed) -> Iterator[FundingPaid]:
        rate = _known(minute.context.funding_rate, minute, symbol)
        mark = _known(minute.context.mark, minute, symbol)
        if rate is not None and mark is not None:
            amount = -self.of(symbol).quantity * mark * rate
            self._balance += amount
            yield FundingPaid(symbol=symbol, amount=amount, at=minute.at)


def _position(symbol: str, holding: Holding) -> HeldPosition:
    return HeldPosition(
        symbol=symbol,
        quantity=holding.quantity,
        entry_price=holding.entry_price,
        mark_price=holding.mark,
        liquidation_price=Decimal(0),
    )


def _known(values: Floats, minute: MinuteClosed, symbol: str) -> Decimal | None:
    index = minute.index_of(symbol)
    if index is None or not isfinite(values[index]):
        return None
    return as_decimal(float(values[index]))
