"""An entry that was given up, and fills after all."""

from dataclasses import replace
from decimal import Decimal

import pytest

from core import lifecycle
from core.lifecycle_moves import Concern
from core.orders import (
    AccountRead,
    AccountSurvey,
    CloseAtMarket,
    HeldPosition,
    PlaceConditional,
    Role,
)
from core.positions import ExitReason, Position, Stage
from core.reconciliation import late_entries
from tests.builders import T0
from tests.unit.core.lives import PARAMETERS, Life, entering


def given_up() -> Life:
    life = entering()
    life.hears(life.ended("0"))
    assert (life.position.stage, life.position.exit_reason) == (Stage.CLOSED, ExitReason.NOT_FILLED)
    return life


def test_it_is_protected_and_left_at_once() -> None:
    life = given_up()
    step = lifecycle.entered_late(life.position, life.filled(), PARAMETERS, mono=life.mono)
    stop, close = step.commands
    assert isinstance(stop, PlaceConditional)
    assert stop.role is Role.STOP
    assert isinstance(close, CloseAtMarket)
    assert close.quantity == Decimal(10)
    assert (step.position.stage, step.position.exit_reason) == (Stage.CLOSING, ExitReason.LATE_ENTRY)
    assert step.concerns == (Concern.ENTERED_LATE,)


def test_it_ends_like_any_other_once_all_of_it_is_gone() -> None:
    life = given_up()
    life.position = lifecycle.entered_late(
        life.position, life.filled("4"), PARAMETERS, mono=life.mono
    ).position
    life.hears(life.filled("6"))
    life.hears(life.ended("10"))
    assert life.position.quantity == 10
    life.hears(life.filled("10", opening=False, by=life.id(Role.CLOSE)))
    assert (life.position.stage, life.position.exit_reason) == (Stage.CLOSED, ExitReason.LATE_ENTRY)


def survey(position: Position, quantity: str) -> AccountSurvey:
    held = HeldPosition(
        symbol=position.symbol,
        quantity=Decimal(quantity),
        entry_price=Decimal(100),
        mark_price=Decimal(100),
        liquidation_price=Decimal(0),
    )
    money = Decimal(1000)
    account = AccountRead(wallet=money, equity=money, available=money, positions=(held,), at=T0)
    return AccountSurvey(account=account, conditionals=(), orders=(), at=T0)


@pytest.mark.parametrize(("quantity", "is_asked"), [("10", True), ("3", True), ("11", False), ("-10", False)])
def test_an_account_that_holds_what_it_would_have_opened_is_asked_about_it(
    quantity: str, *, is_asked: bool
) -> None:
    life = given_up()
    asked = late_entries(survey(life.position, quantity), {}, [life.position])
    expected = [life.id(Role.ENTRY)] if is_asked else []
    assert [each.client_order_id for each in asked] == expected


def test_nothing_is_asked_about_what_is_known_to_be_held() -> None:
    life = given_up()
    live = {life.position.symbol: replace(life.position, stage=Stage.OPEN)}
    assert late_entries(survey(life.position, "10"), live, [life.position]) == ()
