"""Where live orders are not switched on: every way to an order ends before the exchange."""

from collections.abc import Sequence
from decimal import Decimal

import pytest

from core.clock import ManualClock
from core.income import ReadIncomes
from core.orders import (
    CancelConditional,
    CloseAtMarket,
    Command,
    ListConditionals,
    OrderRejected,
    PlaceConditional,
    PrepareSymbol,
    QueryOrder,
    ReadAccount,
    Report,
    Role,
    SubmitEntry,
)
from core.signals import Side
from services.watching import NOT_SWITCHED_ON, WatchOnly
from tests.builders import SYMBOL

ID = "ps-1-e1"
PLACE = {"position_id": "p", "symbol": SYMBOL}
ORDERS: tuple[Command, ...] = (
    PrepareSymbol(**PLACE, leverage=3),
    SubmitEntry(**PLACE, client_order_id=ID, side=Side.LONG, quantity=Decimal(1)),
    CloseAtMarket(**PLACE, client_order_id=ID, side=Side.LONG, quantity=Decimal(1)),
    PlaceConditional(
        **PLACE, client_order_id=ID, side=Side.LONG, role=Role.STOP, trigger_price=Decimal(1), quantity=None
    ),
)
QUESTIONS: tuple[Command, ...] = (
    QueryOrder(**PLACE, client_order_id=ID, role=Role.STOP),
    ListConditionals(**PLACE),
    ReadAccount(**PLACE),
    ReadIncomes(since=0),
)


class Reached:
    """An execution that remembers what reached it."""

    def __init__(self) -> None:
        self.commands: list[Command] = []

    def submit(self, command: Command) -> Sequence[Report]:
        self.commands.append(command)
        return ()


@pytest.mark.parametrize("command", ORDERS, ids=lambda each: type(each).__name__)
def test_what_would_change_the_account_is_refused_on_the_spot(command: Command) -> None:
    reached = Reached()
    (report,) = WatchOnly(reached, clock=ManualClock()).submit(command)
    assert isinstance(report, OrderRejected)
    assert (report.position_id, report.symbol, report.message) == ("p", SYMBOL, NOT_SWITCHED_ON)
    assert report.client_order_id == ("" if isinstance(command, PrepareSymbol) else ID)
    assert reached.commands == []


def test_not_even_a_cancel_leaves() -> None:
    reached = Reached()
    command = CancelConditional(**PLACE, client_order_id=ID)
    assert WatchOnly(reached, clock=ManualClock()).submit(command) == ()
    assert reached.commands == []


@pytest.mark.parametrize("command", QUESTIONS, ids=lambda each: type(each).__name__)
def test_questions_are_asked(command: Command) -> None:
    reached = Reached()
    WatchOnly(reached, clock=ManualClock()).submit(command)
    assert reached.commands == [command]
