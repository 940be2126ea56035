"""A paper account as a whole ``core.ports.Exchange``, so that nobody need know that it is one."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from decimal import Decimal
from typing import Protocol

from core.income import Income
from core.instruments import Instrument, LeverageBracket
from core.orders import (
    AccountRead,
    CancelConditional,
    CloseAtMarket,
    PlaceConditional,
    QueryOrder,
    Report,
    RestingConditional,
    RestingOrder,
    SubmitEntry,
)
from exchange.paper import PaperExchange

Brackets = Mapping[str, tuple[LeverageBracket, ...]]


class Contracts(Protocol):
    """Whoever lists contracts; the one question that paper trading asks a real exchange."""

    async def instruments(self) -> Mapping[str, Instrument]: ...


class PublicContracts:
    """Contracts as they are told without a key, completed with leverage brackets recorded before.

    A contract without recorded brackets keeps none, and the risk gate takes no entry on it.
    """

    def __init__(self, contracts: Contracts, brackets: Brackets) -> None:
        self._contracts = contracts
        self._brackets = brackets

    async def instruments(self) -> Mapping[str, Instrument]:
        told = await self._contracts.instruments()
        return {
            symbol: each if each.brackets else each.with_brackets(self._brackets.get(symbol, ()))
            for symbol, each in told.items()
        }


class PaperAccount:
    """A ``PaperExchange`` asked as a real one is; what becomes of orders comes with the minutes.

    ``marks`` are those of the moment ``at`` (ms), for an account that is read before the first minute.
    """

    def __init__(
        self, paper: PaperExchange, contracts: Contracts, *, marks: Mapping[str, Decimal], at: int
    ) -> None:
        self._paper = paper
        self._contracts = contracts
        self._marks = marks
        self._at = at

    async def instruments(self) -> Mapping[str, Instrument]:
        return await self._contracts.instruments()

    async def account(self) -> AccountRead:
        return self._paper.account or self._paper.look(self._marks, at=self._at)

    async def prepare(self, symbol: str, leverage: int) -> int:  # noqa: ARG002 - the port's name
        return leverage

    async def submit(self, order: SubmitEntry | CloseAtMarket) -> None:
        self._paper.submit(order)

    async def place(self, conditional: PlaceConditional) -> None:
        self._paper.submit(conditional)

    async def cancel(self, conditional: CancelConditional) -> None:
        self._paper.submit(conditional)

    async def find(self, query: QueryOrder) -> Sequence[Report]:
        return self._paper.submit(query)

    async def open_conditionals(self, symbol: str | None = None) -> Sequence[RestingConditional]:
        return self._paper.resting(symbol)

    async def open_orders(self) -> Sequence[RestingOrder]:
        return ()

    async def incomes(self, since: int) -> Sequence[Income]:  # noqa: ARG002 - the port's name
        """Return nothing: what moves paper money is told with every fill and every funding."""
        return ()

    async def reports(self) -> AsyncIterator[Report]:
        """Yield nothing, for ever: the minutes bring it."""
        never: asyncio.Future[Report] = asyncio.get_running_loop().create_future()
        yield await never

    async def close(self) -> None: ...
