"""Carries commands to a real venue and brings back what it said, as reports."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence

from core.clock import Clock
from core.errors import ExchangeRefused, ExchangeUnavailable, NotAllowed
from core.income import IncomesListed, ReadIncomes
from core.orders import (
    CancelConditional,
    CloseAtMarket,
    Command,
    ConditionalChanged,
    ConditionalsListed,
    ConditionalStatus,
    ContractRead,
    ListConditionals,
    OrderAbsent,
    OrderRejected,
    OrderUnknown,
    PlaceConditional,
    PrepareSymbol,
    QueryOrder,
    ReadAccount,
    ReadContract,
    Report,
    SubmitEntry,
    SymbolPrepared,
)
from core.ports import Exchange

_log = logging.getLogger(__name__)

_Question = QueryOrder | ListConditionals | ReadAccount | ReadContract | ReadIncomes


class ExecutionService:
    """Implements ``core.ports.Execution``: one command of a symbol after another, symbols side by side.

    By symbol and not by position, so that a close still waiting when its position ended can not overtake
    the entry of the next one on that symbol, and close that instead.

    Never sends an order twice. Whatever was not clearly answered is reported as unknown; who resolves
    that, by asking, is the lifecycle.
    """

    def __init__(self, exchange: Exchange, *, post: Callable[[Report], None], clock: Clock) -> None:
        self._exchange = exchange
        self._post = post
        self._clock = clock
        self._waiting: dict[str, deque[Command]] = {}
        self._workers: set[asyncio.Task[None]] = set()

    def submit(self, command: Command) -> Sequence[Report]:
        """Start carrying it out; what comes of it is posted later."""
        queue = self._waiting.get(command.symbol)
        if queue is not None:
            queue.append(command)
            return ()
        self._waiting[command.symbol] = deque((command,))
        worker = asyncio.get_running_loop().create_task(self._work(command.symbol))
        self._workers.add(worker)
        worker.add_done_callback(self._workers.discard)
        return ()

    async def drain(self, grace: float) -> bool:
        """Let what was submitted finish for ``grace`` seconds; ``False`` when some of it was cut off."""
        if not self._workers:
            return True
        _, unfinished = await asyncio.wait(self._workers, timeout=grace)
        for worker in unfinished:
            worker.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
        return not unfinished

    async def _work(self, symbol: str) -> None:
        queue = self._waiting[symbol]
        try:
            while queue:
                await self._carry_out(queue.popleft())
        finally:
            del self._waiting[symbol]

    async def _carry_out(self, command: Command) -> None:
        try:
            reports = await self._ask(command)
        except ExchangeRefused as refusal:
            reports = (self._refused(command, refusal),)
        except ExchangeUnavailable as silence:
            reports = (self._unknown(command, str(silence)),)
        except Exception as fault:  # noqa: BLE001 - outermost: a position must never wait in vain
            _log.exception("carrying out %s failed", command)
            reports = (self._unknown(command, repr(fault)),)
        for report in reports:
            self._post(report)

    async def _ask(self, command: Command) -> Sequence[Report]:  # noqa: C901 - a flat table
        match command:
            case PrepareSymbol():
                return await self._prepare(command)
            case SubmitEntry() | CloseAtMarket():
                await self._exchange.submit(command)
            case PlaceConditional():
                await self._exchange.place(command)
                return (self._resting(command),)
            case CancelConditional():
                await self._exchange.cancel(command)
            case QueryOrder():
                found = await self._exchange.find(command)
                return found or (self._absent(command),)
            case ListConditionals():
                return (await self._list(command),)
            case ReadAccount():
                return (await self._exchange.account(),)
            case ReadContract():
                return await self._read_contract(command)
            case ReadIncomes():
                listed = await self._exchange.incomes(command.since)
                return (IncomesListed(incomes=tuple(listed), at=self._clock.market_ms()),)
        return ()

    async def _prepare(self, command: PrepareSymbol) -> Sequence[Report]:
        leverage = await self._exchange.prepare(command.symbol, command.leverage)
        prepared = SymbolPrepared(
            position_id=command.position_id,
            symbol=command.symbol,
            leverage=leverage,
            at=self._clock.market_ms(),
        )
        return (prepared,)

    async def _list(self, command: ListConditionals) -> ConditionalsListed:
        resting = await self._exchange.open_conditionals(command.symbol)
        return ConditionalsListed(
            position_id=command.position_id,
            symbol=command.symbol,
            resting=tuple(resting),
            at=self._clock.market_ms(),
        )

    async def _read_contract(self, command: ReadContract) -> Sequence[ContractRead]:
        """A contract that is no longer listed has no terms to keep."""
        contract = (await self._exchange.instruments()).get(command.symbol)
        if contract is None:
            return ()
        read = ContractRead(
            position_id=command.position_id,
            symbol=command.symbol,
            instrument=contract,
            at=self._clock.market_ms(),
        )
        return (read,)

    def _resting(self, command: PlaceConditional) -> ConditionalChanged:
        return ConditionalChanged(
            symbol=command.symbol,
            client_order_id=command.client_order_id,
            status=ConditionalStatus.NEW,
            at=self._clock.market_ms(),
        )

    def _absent(self, query: QueryOrder) -> OrderAbsent:
        return OrderAbsent(
            position_id=query.position_id,
            symbol=query.symbol,
            client_order_id=query.client_order_id,
            at=self._clock.market_ms(),
        )

    def _refused(self, command: Command, refusal: ExchangeRefused) -> Report:
        """A refused cancel or question says nothing about the order itself, which may well exist."""
        if isinstance(command, _Question | CancelConditional):
            return self._unknown(command, str(refusal))
        return OrderRejected(
            position_id=command.position_id,
            symbol=command.symbol,
            client_order_id=_order_id(command),
            code=refusal.code,
            message=refusal.message,
            at=self._clock.market_ms(),
            is_barred=isinstance(refusal, NotAllowed),
        )

    def _unknown(self, command: Command, message: str) -> OrderUnknown:
        return OrderUnknown(
            position_id=command.position_id,
            symbol=command.symbol,
            client_order_id=_order_id(command),
            message=message,
            at=self._clock.market_ms(),
            asked=isinstance(command, QueryOrder),
        )


def _order_id(command: Command) -> str:
    if isinstance(command, PrepareSymbol | ListConditionals | ReadAccount | ReadContract | ReadIncomes):
        return ""
    return command.client_order_id
