"""The reconciler and a venue that does not always answer."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from core.errors import ExchangeRefused, ExchangeUnavailable, NotAllowed, RateLimited
from core.orders import AccountRead, AccountSurvey, AccountUnreadable, RestingConditional, RestingOrder
from services.reconciler import (
    ALARM_SECONDS,
    BARRED_SECONDS,
    READ_SECONDS,
    SURVEY_SECONDS,
    Reconciler,
)
from tests.fakes.virtual_time import VirtualClock, run_virtually

ACCOUNT = AccountRead(wallet=Decimal(1), equity=Decimal(1), available=Decimal(1), positions=(), at=1)


@dataclass
class Venue:
    """Answers what the reconciler asks; names in ``broken`` fail."""

    broken: dict[str, Exception] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def _answer(self, what: str) -> None:
        self.asked.append(what)
        if what in self.broken:
            raise self.broken[what]

    async def account(self) -> AccountRead:
        self._answer("account")
        return ACCOUNT

    async def open_conditionals(self, symbol: str | None = None) -> Sequence[RestingConditional]:
        self._answer("conditionals")
        return ()

    async def open_orders(self) -> Sequence[RestingOrder]:
        self._answer("orders")
        return ()


def lived(venue: Venue, wishes: Sequence[float]) -> list[Any]:
    """Wish for the account at the given times (seconds) and return what was posted."""

    async def story() -> list[Any]:
        clock, posted = VirtualClock(), list[Any]()
        exchange: Any = venue
        reconciler = Reconciler(exchange, post=posted.append, clock=clock)
        task = asyncio.create_task(reconciler.run())
        for at in wishes:
            await clock.sleep(at - clock.monotonic())
            reconciler.wish()
        await clock.sleep(0.5)
        task.cancel()
        return posted

    return run_virtually(story())


def test_the_first_thing_known_is_everything() -> None:
    (first,) = lived(Venue(), [])
    assert isinstance(first, AccountSurvey)


def test_between_surveys_the_account_alone_is_read() -> None:
    venue = Venue()
    posted = lived(venue, [1.0, 2.0, SURVEY_SECONDS + 1])
    assert [type(each) for each in posted] == [AccountSurvey, AccountRead, AccountRead, AccountSurvey]
    assert venue.asked.count("orders") == 2


@pytest.mark.fault(14)
@pytest.mark.parametrize("part", ["account", "conditionals", "orders"])
@pytest.mark.parametrize("fault", [ExchangeUnavailable("silence"), ExchangeRefused(-1003, "too much")])
def test_a_read_that_fails_in_any_part_is_no_news(part: str, fault: Exception) -> None:
    assert lived(Venue(broken={part: fault}), [3.0]) == []


def test_an_account_that_can_not_be_read_for_long_is_told() -> None:
    posted = lived(Venue(broken={"account": ExchangeUnavailable("silence")}), [ALARM_SECONDS + 5])
    assert [type(each) for each in posted] == [AccountUnreadable]
    assert posted[0].reason == "silence"


@pytest.mark.fault(9, 10)
def test_a_ban_that_lasts_is_told_and_nothing_is_learned_from_it() -> None:
    banned = RateLimited(-1003, "we are banned for now", retry_after=600.0)
    posted = lived(Venue(broken={"account": banned}), [2 * ALARM_SECONDS + 5])
    assert [type(each) for each in posted] == [AccountUnreadable] * 2
    assert "banned" in posted[0].reason


@pytest.mark.fault(12)
def test_who_is_not_let_in_says_so_at_once_and_asks_rarely() -> None:
    venue = Venue(broken={"account": NotAllowed(-2015, "invalid API key, IP, or permissions")})
    posted = lived(venue, [2 * BARRED_SECONDS + 1])
    assert [(type(each), each.is_refused) for each in posted] == [(AccountUnreadable, True)] * 3
    assert venue.asked == ["account"] * 3


def test_while_nobody_wishes_for_it_the_account_is_read_every_minute_all_the_same() -> None:
    venue = Venue()
    lived(venue, [2 * READ_SECONDS + 1])
    assert venue.asked.count("account") == 4


@pytest.mark.fault(93)
def test_a_wish_for_a_survey_while_one_is_being_read_is_for_another() -> None:
    async def story() -> list[Any]:
        clock, posted, venue = VirtualClock(), list[Any](), Venue()
        exchange: Any = venue
        reconciler = Reconciler(exchange, post=posted.append, clock=clock)
        orders = venue.open_orders

        async def slow() -> Sequence[RestingOrder]:
            await clock.sleep(0.3)
            return await orders()

        venue.open_orders = slow  # type: ignore[method-assign]
        task = asyncio.create_task(reconciler.run())
        await clock.sleep(0.2)
        reconciler.wish(survey=True)
        await clock.sleep(1.0)
        task.cancel()
        return posted

    assert [type(each) for each in run_virtually(story())] == [AccountSurvey, AccountSurvey]


def test_a_wish_for_a_survey_is_fulfilled_at_once() -> None:
    async def story() -> list[Any]:
        clock, posted = VirtualClock(), list[Any]()
        exchange: Any = Venue()
        reconciler = Reconciler(exchange, post=posted.append, clock=clock)
        task = asyncio.create_task(reconciler.run())
        await clock.sleep(1.0)
        reconciler.wish(survey=True)
        await clock.sleep(0.1)
        task.cancel()
        return posted

    assert [type(each) for each in run_virtually(story())] == [AccountSurvey, AccountSurvey]


@pytest.mark.fault(12)
def test_who_is_not_let_in_is_told_at_once_and_asks_seldom() -> None:
    venue = Venue(broken={"account": NotAllowed(-2015, "Invalid API-key")})
    posted = lived(venue, [2 * BARRED_SECONDS + 1])
    assert [(type(each), each.is_refused) for each in posted] == [(AccountUnreadable, True)] * 3
    assert len(venue.asked) == 3
