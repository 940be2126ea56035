"""The execution service between commands and a venue that answers late, twice, wrongly or not at all."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest

from core.errors import ExchangeRefused, ExchangeUnavailable, NotAllowed, RateLimited
from core.income import Income, IncomeKind, IncomesListed, ReadIncomes
from core.instruments import Instrument
from core.orders import (
    AccountRead,
    CancelConditional,
    CloseAtMarket,
    Command,
    ConditionalChanged,
    ConditionalsListed,
    ConditionalStatus,
    ContractRead,
    ListConditionals,
    OrderAbsent,
    OrderEnded,
    OrderRejected,
    OrderUnknown,
    PlaceConditional,
    PrepareSymbol,
    QueryOrder,
    ReadAccount,
    ReadContract,
    Report,
    RestingConditional,
    RestingOrder,
    Role,
    SubmitEntry,
    SymbolPrepared,
)
from core.signals import Side
from services.execution import ExecutionService
from tests.builders import instrument
from tests.fakes.virtual_time import VirtualClock, run_virtually

SYMBOL = "SOLUSDT"
PREPARE = PrepareSymbol(position_id="p1", symbol=SYMBOL, leverage=5)
ENTRY = SubmitEntry(
    position_id="p1", client_order_id="ps-1-e1", symbol=SYMBOL, side=Side.LONG, quantity=Decimal(1)
)
STOP = PlaceConditional(
    position_id="p1",
    client_order_id="ps-1-s1",
    symbol=SYMBOL,
    side=Side.LONG,
    role=Role.STOP,
    trigger_price=Decimal(90),
)
CANCEL = CancelConditional(position_id="p1", client_order_id="ps-1-s1", symbol=SYMBOL)
CLOSE = CloseAtMarket(
    position_id="p1", client_order_id="ps-1-c1", symbol=SYMBOL, side=Side.LONG, quantity=Decimal(1)
)
QUERY = QueryOrder(position_id="p1", client_order_id="ps-1-e1", symbol=SYMBOL, role=Role.ENTRY)
LIST = ListConditionals(position_id="p1", symbol=SYMBOL)
READ = ReadAccount(position_id="p1", symbol=SYMBOL)
TERMS = ReadContract(position_id="p1", symbol=SYMBOL)
EVERY_COMMAND: tuple[Command, ...] = (PREPARE, ENTRY, STOP, CANCEL, CLOSE, QUERY, LIST, READ, TERMS)
INCOMES = ReadIncomes(since=7)
PAID = Income(income_id="1", kind=IncomeKind.FUNDING, symbol=SYMBOL, amount=Decimal(-1), at=8)
ACCOUNT = AccountRead(wallet=Decimal(1), equity=Decimal(1), available=Decimal(1), positions=(), at=1)


@dataclass
class ScriptedExchange:
    """Answers with ``fault`` if there is one, after ``delay`` seconds; notes what it was asked."""

    clock: VirtualClock
    fault: Exception | None = None
    delay: float = 0.1
    known: Sequence[Report] = ()
    resting: Sequence[RestingConditional] = ()
    asked: list[tuple[float, object]] = field(default_factory=list)

    async def _answer(self, what: object) -> None:
        self.asked.append((self.clock.monotonic(), what))
        await self.clock.sleep(self.delay)
        if self.fault is not None:
            raise self.fault

    async def prepare(self, symbol: str, leverage: int) -> int:
        await self._answer(symbol)
        return leverage

    async def submit(self, order: SubmitEntry | CloseAtMarket) -> None:
        await self._answer(order)

    async def place(self, conditional: PlaceConditional) -> None:
        await self._answer(conditional)

    async def cancel(self, conditional: CancelConditional) -> None:
        await self._answer(conditional)

    async def find(self, query: QueryOrder) -> Sequence[Report]:
        await self._answer(query)
        return self.known

    async def instruments(self) -> Mapping[str, Instrument]:
        await self._answer("instruments")
        return {SYMBOL: instrument()}

    async def account(self) -> AccountRead:
        await self._answer("account")
        return ACCOUNT

    async def open_conditionals(self, symbol: str | None = None) -> Sequence[RestingConditional]:
        await self._answer(symbol)
        return self.resting

    async def open_orders(self) -> Sequence[RestingOrder]:
        return ()

    async def incomes(self, since: int) -> Sequence[Income]:
        await self._answer(since)
        return (PAID,)

    async def reports(self) -> AsyncIterator[Report]:
        return
        yield

    async def close(self) -> None: ...


def told(
    *commands: Command, fault: Exception | None = None, known: Sequence[Report] = ()
) -> tuple[list[Report], ScriptedExchange]:
    """Carry commands out and return what was reported, and the exchange."""

    async def story() -> tuple[list[Report], ScriptedExchange]:
        clock, reports = VirtualClock(), list[Report]()
        exchange = ScriptedExchange(clock, fault=fault, known=known)
        service = ExecutionService(exchange, post=reports.append, clock=clock)
        for command in commands:
            assert service.submit(command) == ()
        assert await service.drain(60)
        return reports, exchange

    return run_virtually(story())


def test_each_accepted_command_says_what_is_known_at_once() -> None:
    (prepared,) = told(PREPARE)[0]
    assert isinstance(prepared, SymbolPrepared)
    assert prepared.leverage == 5
    (resting,) = told(STOP)[0]
    assert isinstance(resting, ConditionalChanged)
    assert (resting.client_order_id, resting.status) == ("ps-1-s1", ConditionalStatus.NEW)
    assert told(ENTRY)[0] == told(CLOSE)[0] == told(CANCEL)[0] == []


def test_a_query_brings_what_was_found_or_that_nothing_was() -> None:
    ended = OrderEnded(symbol=SYMBOL, client_order_id="ps-1-e1", filled=Decimal(1), at=1)
    assert told(QUERY, known=(ended,))[0] == [ended]
    (absent,) = told(QUERY)[0]
    assert isinstance(absent, OrderAbsent)
    assert absent.client_order_id == "ps-1-e1"


@pytest.mark.parametrize("command", [PREPARE, ENTRY, STOP, CLOSE])
@pytest.mark.parametrize(
    "fault", [ExchangeRefused(-2019, "no margin"), RateLimited(-1003, "slow down", retry_after=9)]
)
def test_a_definite_no_is_reported_with_its_code(command: Command, fault: ExchangeRefused) -> None:
    (rejected,) = told(command, fault=fault)[0]
    assert isinstance(rejected, OrderRejected)
    assert (rejected.code, rejected.message) == (fault.code, fault.message)
    assert rejected.client_order_id == getattr(command, "client_order_id", "")


def test_a_list_brings_what_rests_and_a_read_the_account() -> None:
    (listed,) = told(LIST)[0]
    assert isinstance(listed, ConditionalsListed)
    assert (listed.symbol, listed.resting) == (SYMBOL, ())
    assert told(READ)[0] == [ACCOUNT]


def test_a_contract_is_read_with_its_terms_and_one_no_longer_listed_has_none() -> None:
    (read,) = told(TERMS)[0]
    assert isinstance(read, ContractRead)
    assert read.instrument == instrument()
    assert told(replace(TERMS, symbol="GONEUSDT"))[0] == []


@pytest.mark.parametrize("command", [CANCEL, QUERY, LIST, READ, TERMS])
def test_a_refused_cancel_or_query_does_not_say_that_the_order_is_gone(command: Command) -> None:
    (unknown,) = told(command, fault=ExchangeRefused(-4117, "triggering"))[0]
    assert isinstance(unknown, OrderUnknown)


@pytest.mark.parametrize("command", EVERY_COMMAND)
@pytest.mark.parametrize("fault", [ExchangeUnavailable("silence"), ZeroDivisionError("a mistake of ours")])
def test_silence_or_our_own_mistake_leaves_the_outcome_unknown(command: Command, fault: Exception) -> None:
    reports, exchange = told(command, fault=fault)
    (unknown,) = reports
    assert isinstance(unknown, OrderUnknown)
    assert unknown.client_order_id == getattr(command, "client_order_id", "")
    assert len(exchange.asked) == 1, "nothing is ever sent twice"


def test_commands_of_one_position_go_one_after_another_in_order() -> None:
    _, exchange = told(PREPARE, ENTRY, STOP)
    assert [what for _, what in exchange.asked] == [SYMBOL, ENTRY, STOP]
    assert [round(at, 2) for at, _ in exchange.asked] == [0.0, 0.1, 0.2]


def test_symbols_do_not_wait_for_each_other() -> None:
    other = PrepareSymbol(position_id="p2", symbol="XRPUSDT", leverage=3)
    _, exchange = told(PREPARE, other)
    assert [round(at, 2) for at, _ in exchange.asked] == [0.0, 0.0]


def test_a_close_left_over_can_not_overtake_the_next_position_on_its_symbol() -> None:
    entry = replace(ENTRY, position_id="p2", client_order_id="ps-2-e1")
    _, exchange = told(QUERY, CLOSE, entry)
    assert [what for _, what in exchange.asked] == [QUERY, CLOSE, entry]
    assert [round(at, 2) for at, _ in exchange.asked] == [0.0, 0.1, 0.2]


def test_draining_waits_no_longer_than_its_grace() -> None:
    async def story() -> tuple[bool, float]:
        clock = VirtualClock()
        service = ExecutionService(ScriptedExchange(clock, delay=100), post=lambda _: None, clock=clock)
        service.submit(ENTRY)
        return await service.drain(2), clock.monotonic()

    finished, waited = run_virtually(story())
    assert not finished
    assert waited == pytest.approx(2, abs=0.01)


def test_with_nothing_to_do_draining_is_done() -> None:
    async def story() -> bool:
        clock = VirtualClock()
        return await ExecutionService(ScriptedExchange(clock), post=lambda _: None, clock=clock).drain(1)

    assert asyncio.run(story())


def test_the_records_of_the_wallet_are_listed() -> None:
    (listed,), exchange = told(INCOMES)
    assert isinstance(listed, IncomesListed)
    assert listed.incomes == (PAID,)
    assert [what for _, what in exchange.asked] == [7]


def test_records_that_do_not_come_are_no_empty_list() -> None:
    (unknown,), _ = told(INCOMES, fault=ExchangeUnavailable("silence"))
    assert isinstance(unknown, OrderUnknown)


@pytest.mark.fault(12)
def test_an_order_refused_for_what_we_are_says_so() -> None:
    (barred,), _ = told(ENTRY, fault=NotAllowed(-2015, "no"))
    (rejected,), _ = told(ENTRY, fault=ExchangeRefused(-2019, "no"))
    assert isinstance(barred, OrderRejected)
    assert isinstance(rejected, OrderRejected)
    assert (barred.is_barred, rejected.is_barred) == (True, False)
