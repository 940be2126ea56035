"""A paper account asked as a real one: what it holds, what rests, and what it is worth before any minute."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from core.instruments import Instrument
from core.orders import CancelConditional, PlaceConditional, QueryOrder, Role, SubmitEntry
from core.signals import Side
from exchange.paper import PaperExchange
from exchange.paper_account import PaperAccount, PublicContracts
from tests.builders import SYMBOL, T0, brackets, instrument, position
from tests.unit.exchange.test_paper import minute, paper

ID = "ps-1-s1"
STOP = PlaceConditional(
    position_id="p",
    client_order_id=ID,
    symbol=SYMBOL,
    side=Side.LONG,
    role=Role.STOP,
    trigger_price=Decimal(90),
)


class Listed:
    """Contracts as they are told to everybody."""

    def __init__(self, *contracts: Instrument) -> None:
        self._contracts = {each.symbol: each for each in contracts}

    async def instruments(self) -> Mapping[str, Instrument]:
        return self._contracts


def account(venue: PaperExchange, mark: int = 100) -> PaperAccount:
    return PaperAccount(venue, Listed(instrument()), marks={SYMBOL: Decimal(mark)}, at=T0)


async def test_before_the_first_minute_it_is_worth_what_the_marks_of_the_start_say() -> None:
    venue, held = paper(), position()
    venue.restore([held])
    read = await account(venue, mark=120).account()
    assert read.at == T0
    assert read.is_paper
    (holding,) = read.positions
    assert (holding.quantity, holding.mark_price) == (held.quantity * held.side, Decimal(120))
    assert read.equity == read.wallet + (120 - held.entry_price) * held.quantity * held.side


async def test_from_the_first_minute_on_it_is_what_the_minute_left() -> None:
    venue = paper()
    venue.open_minute(minute((100, 101, 99, 100)))
    *_, told = venue.close_minute(minute((100, 101, 99, 100)))
    assert await account(venue).account() == told


async def test_orders_go_to_the_same_paper() -> None:
    venue = paper()
    asked = account(venue)
    assert await asked.prepare(SYMBOL, 7) == 7
    await asked.place(STOP)
    (resting,) = await asked.open_conditionals()
    assert (resting.client_order_id, resting.trigger_price) == (ID, Decimal(90))
    assert await asked.open_conditionals("OTHERUSDT") == ()
    assert await asked.find(QueryOrder(position_id="p", client_order_id=ID, symbol=SYMBOL, role=Role.STOP))
    await asked.cancel(CancelConditional(position_id="p", client_order_id=ID, symbol=SYMBOL))
    assert await asked.open_conditionals() == ()
    await asked.submit(
        SubmitEntry(
            position_id="p", client_order_id="ps-1-e1", symbol=SYMBOL, side=Side.LONG, quantity=Decimal(1)
        )
    )
    assert await asked.open_orders() == ()  # it waits for a candle, not in a book
    assert venue.open_minute(minute((100, 101, 99, 100)))


async def test_brackets_that_nobody_tells_without_a_key_are_taken_from_the_record() -> None:
    known, unknown = instrument(), replace(instrument(), symbol="NEWUSDT", brackets=())
    bare = known.with_brackets(())
    contracts = await PublicContracts(Listed(bare, unknown), {SYMBOL: brackets()}).instruments()
    assert contracts[SYMBOL].brackets == brackets()
    assert contracts["NEWUSDT"].brackets == ()  # and nothing is entered there
    told = await PublicContracts(Listed(known), {SYMBOL: brackets()[:1]}).instruments()
    assert told[SYMBOL].brackets == known.brackets
