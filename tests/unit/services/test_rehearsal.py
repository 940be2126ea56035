"""A rehearsal of the stops: it proves the way they take, and can neither open nor close anything."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from core.clock import ManualClock
from core.errors import ExchangeRefused, ExchangeUnavailable
from core.order_ids import position_tag, tag_of
from core.orders import (
    AccountRead,
    CancelConditional,
    ConditionalStatus,
    HeldPosition,
    PlaceConditional,
    RestingConditional,
    Role,
)
from core.ports import Exchange
from core.signals import Side
from services.rehearsal import Rehearsed, StopRehearsal
from tests.builders import SYMBOL, instrument

OTHER = "AAAUSDT"
INSTRUMENTS = {SYMBOL: instrument(), OTHER: replace(instrument(), symbol=OTHER)}
MARKS = {SYMBOL: Decimal(100), OTHER: Decimal(200)}


class Book:
    """The conditional side of an exchange; refuses by role, and hides what it was told to hide."""

    def __init__(self, **refusals: int) -> None:
        self.refusals = {Role[name]: code for name, code in refusals.items()}
        self.placed: list[PlaceConditional] = []
        self.resting: dict[str, RestingConditional] = {}
        self.held: tuple[HeldPosition, ...] = ()
        self.unreadable: frozenset[str] = frozenset()
        self.lists_after = 0
        self.silent = False

    async def account(self) -> AccountRead:
        zero = Decimal(0)
        return AccountRead(
            wallet=zero,
            equity=zero,
            available=zero,
            positions=self.held,
            unreadable=self.unreadable,
            at=0,
        )

    async def place(self, order: PlaceConditional) -> None:
        self.placed.append(order)
        if self.silent:
            raise ExchangeUnavailable("no answer")
        if order.role in self.refusals:
            raise ExchangeRefused(self.refusals[order.role], "no")
        self.resting[order.client_order_id] = RestingConditional(
            client_order_id=order.client_order_id,
            symbol=order.symbol,
            status=ConditionalStatus.NEW,
            trigger_price=order.trigger_price,
            quantity=order.quantity,
        )

    async def cancel(self, order: CancelConditional) -> None:
        self.resting.pop(order.client_order_id, None)

    async def open_conditionals(self, symbol: str | None = None) -> Sequence[RestingConditional]:
        if symbol is not None and self.lists_after:
            self.lists_after -= 1
            return ()
        return [each for each in self.resting.values() if symbol in {None, each.symbol}]


async def rehearse(book: Book) -> Rehearsed:
    exchange: Exchange = book  # type: ignore[assignment]  # as much of one as a rehearsal may touch
    return await StopRehearsal(exchange, clock=ManualClock()).run(INSTRUMENTS, MARKS)


async def test_both_stops_are_taken_and_nothing_is_left() -> None:
    book = Book()
    assert await rehearse(book) == Rehearsed(works=True)
    assert [each.role for each in book.placed] == [Role.STOP, Role.TRAIL]
    assert book.resting == {}


async def test_what_is_sent_can_open_close_and_fill_nothing() -> None:
    book = Book()
    zero = Decimal(0)
    book.held = (
        HeldPosition(
            symbol=SYMBOL, quantity=Decimal(1), entry_price=zero, mark_price=zero, liquidation_price=zero
        ),
    )
    await rehearse(book)
    for order in book.placed:
        assert order.symbol == OTHER  # nothing is held there
        assert order.trigger_price == Decimal(160)  # a long's stop sells, a fifth below
        assert tag_of(order.client_order_id) is None  # nobody takes it for a position's, or a second bot's
        assert not order.client_order_id.startswith(position_tag("")[:3])
    assert len(book.placed) == 2


async def test_what_may_be_held_is_no_contract_to_rehearse_on() -> None:
    book = Book()
    book.unreadable = frozenset({SYMBOL})
    await rehearse(book)
    assert {each.symbol for each in book.placed} == {OTHER}


async def test_without_a_contract_that_nobody_holds_nothing_is_sent() -> None:
    book = Book()
    book.held = tuple(
        HeldPosition(
            symbol=symbol,
            quantity=Decimal(1),
            entry_price=Decimal(1),
            mark_price=Decimal(1),
            liquidation_price=Decimal(0),
        )
        for symbol in INSTRUMENTS
    )
    assert not (await rehearse(book)).works
    assert book.placed == []


@pytest.mark.fault(42)
@pytest.mark.parametrize("role", ["STOP", "TRAIL"])
@pytest.mark.parametrize("code", [-4120, -4045, -1102, -2021])
async def test_an_exchange_that_takes_no_stops_fails_the_rehearsal_and_keeps_none(
    role: str, code: int
) -> None:
    book = Book(**{role: code})
    rehearsed = await rehearse(book)
    assert not rehearsed.works
    assert str(code) in rehearsed.text
    assert book.resting == {}


@pytest.mark.parametrize("code", [-4509, -2022])
async def test_to_be_told_that_nothing_is_held_proves_the_way_as_well(code: int) -> None:
    assert (await rehearse(Book(STOP=code, TRAIL=code))).works


async def test_an_exchange_that_takes_only_one_stop_is_told() -> None:
    assert await rehearse(Book(TRAIL=-4130)) == Rehearsed(works=True, beside=False)


async def test_a_list_that_lags_behind_is_asked_again_and_one_that_never_shows_it_fails() -> None:
    late, never = Book(), Book()
    late.lists_after, never.lists_after = 3, 1000
    assert (await rehearse(late)).works
    assert not (await rehearse(never)).works
    assert never.resting == {}


async def test_silence_is_no_proof_and_nothing_is_sent_twice() -> None:
    book = Book()
    book.silent = True
    with pytest.raises(ExchangeUnavailable):
        await rehearse(book)
    assert len(book.placed) == 1


async def test_what_a_crash_left_is_taken_away_first() -> None:
    book = Book()
    await book.place(
        PlaceConditional(
            position_id="x",
            client_order_id="perpscout-rehearsal-s",
            symbol=OTHER,
            side=Side.LONG,
            role=Role.STOP,
            trigger_price=Decimal(1),
        )
    )
    cancelled: list[str] = []
    cancel = book.cancel

    async def noted(order: CancelConditional) -> None:
        cancelled.append(order.client_order_id)
        await cancel(order)

    book.cancel = noted  # type: ignore[method-assign]
    assert (await rehearse(book)).works
    assert cancelled[0] == "perpscout-rehearsal-s"
    assert book.resting == {}
