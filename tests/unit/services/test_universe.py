"""Listings and delistings: noticed within the hour, and told once for what they are."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from core.errors import ExchangeUnavailable
from core.instruments import Instrument, InstrumentStatus
from core.market import DAY_MS, SymbolAxis
from core.parameters import UniverseParameters
from core.universe import UniverseRefreshed, compare
from services.universe import HOUR_MS, MIDDLE_MS, Universe
from tests.builders import instrument
from tests.fakes.virtual_time import VirtualClock, run_virtually

NOW = 20_500 * DAY_MS
PARAMETERS = UniverseParameters()


def contracts(*symbols: str) -> dict[str, Instrument]:
    return {symbol: instrument(symbol) for symbol in symbols}


def compared(followed: dict[str, Instrument], now: Mapping[str, Instrument]) -> UniverseRefreshed:
    return compare(tuple(followed), followed, now, at=NOW, parameters=PARAMETERS)


def test_nothing_new_is_no_news() -> None:
    known = contracts("AUSDT", "1000PEPEUSDT")
    found = compared(known, known)
    assert (found.listed, found.leaving) == ((), ())
    assert found.instruments == known


def test_a_new_contract_is_listed_however_young_unless_nobody_wants_it() -> None:
    known = contracts("AUSDT")
    young = {"BUSDT": replace(instrument("BUSDT"), onboard_ms=NOW)}
    found = compared(known, {**known, **young})
    assert found.listed == ("BUSDT",)
    assert found.tradable == {"AUSDT", "BUSDT"}
    assert found.instruments["BUSDT"] == young["BUSDT"]
    unwanted = compare(
        tuple(known), known, {**known, **young}, at=NOW, parameters=PARAMETERS, blacklist={"BUSDT"}
    )
    assert unwanted.listed == ()
    assert unwanted.tradable == {"AUSDT"}


def test_what_is_not_ours_is_never_listed() -> None:
    known = contracts("AUSDT")
    strangers = {
        "币安USDT": instrument("币安USDT"),
        "BUSDC": instrument("BUSDC"),
        "TSLAUSDT": replace(instrument("TSLAUSDT"), contract_type="TRADIFI_PERPETUAL"),
        "CUSDT_260327": replace(instrument("CUSDT_260327"), contract_type="CURRENT_QUARTER"),
        "DUSDT": instrument("DUSDT", status=InstrumentStatus.PENDING),
    }
    assert compared(known, {**known, **strangers}).listed == ()


def test_a_contract_that_settles_leaves_and_keeps_its_brackets() -> None:
    known = contracts("AUSDT", "BUSDT")
    settling = replace(known["BUSDT"], status=InstrumentStatus.SETTLING, brackets=())
    found = compared(known, {**known, "BUSDT": settling})
    assert found.leaving == ("BUSDT",)
    assert found.instruments["BUSDT"].brackets == known["BUSDT"].brackets


@pytest.mark.fault(61)
def test_a_contract_leaves_a_day_before_its_delivery() -> None:
    known = contracts("AUSDT")
    for delivery, leaving in ((NOW + DAY_MS, ("AUSDT",)), (NOW + DAY_MS + 1, ())):
        now = {"AUSDT": replace(known["AUSDT"], delivery_ms=delivery)}
        assert compared(known, now).leaving == leaving


@pytest.mark.fault(62)
def test_a_contract_the_exchange_no_longer_lists_is_closed_and_still_known() -> None:
    found = compared(contracts("AUSDT", "BUSDT"), contracts("AUSDT"))
    assert found.leaving == ("BUSDT",)
    assert found.instruments["BUSDT"].status is InstrumentStatus.CLOSED


@dataclass
class Exchange:
    listing: dict[str, Instrument]
    silent: bool = False
    asked: int = 0

    async def instruments(self) -> Mapping[str, Instrument]:
        self.asked += 1
        if self.silent:
            raise ExchangeUnavailable("no answer")
        return self.listing


@dataclass
class Market:
    """What is followed, and all that ever was."""

    axis: SymbolAxis
    changes: list[tuple[str, ...]] = field(default_factory=list)

    def follow(self, symbols: Iterable[str]) -> None:
        axis = SymbolAxis.of(symbols)
        if axis != self.axis:
            self.axis = axis
            self.changes.append(axis.names)


@dataclass
class Watched:
    """A universe at work, with what it told and followed; ``held`` are positions."""

    exchange: Exchange
    told: list[UniverseRefreshed] = field(default_factory=list)
    held: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.clock = VirtualClock()
        self.market = Market(SymbolAxis.of(self.exchange.listing))
        self.universe = Universe(
            self.exchange,
            self.market,
            dict(self.exchange.listing),
            held=lambda: self.held,
            post=self.told.append,
            clock=self.clock,
            parameters=PARAMETERS,
        )

    def lists(self, *symbols: str, **changed: Instrument) -> None:
        """Let the exchange tell these contracts from now on."""
        self.exchange.listing = {**contracts(*symbols), **changed}

    async def hours(self, count: float) -> None:
        await self.clock.sleep(count * 3600)


Story = Callable[[Watched], Coroutine[Any, Any, None]]


def watch(exchange: Exchange, story: Story) -> Watched:
    """Let a universe run while ``story`` happens."""

    async def play() -> Watched:
        watched = Watched(exchange)
        task = asyncio.create_task(watched.universe.run())
        await story(watched)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return watched

    return run_virtually(play())


async def wished(watched: Watched, seconds: int) -> None:
    """Wish once a second."""
    for _ in range(seconds):
        watched.universe.wish()
        await watched.clock.sleep(1)


def test_the_exchange_is_asked_every_hour_half_a_minute_after_it_began() -> None:
    watched = watch(Exchange(contracts("AUSDT")), lambda watched: watched.hours(3))
    assert [told.at // HOUR_MS for told in watched.told] == [
        watched.told[0].at // HOUR_MS + n for n in range(3)
    ]
    assert all(0 <= told.at % HOUR_MS - MIDDLE_MS < 1000 for told in watched.told)
    assert watched.market.changes == []


def test_many_wishes_are_one_question() -> None:
    watched = watch(Exchange(contracts("AUSDT")), lambda watched: wished(watched, 20))
    assert watched.exchange.asked == 1
    assert len(watched.told) == 20


def test_silence_is_asked_again_and_tells_nothing() -> None:
    async def story(watched: Watched) -> None:
        await wished(watched, 1)
        await watched.clock.sleep(9)

    watched = watch(Exchange(contracts("AUSDT"), silent=True), story)
    assert watched.told == []
    assert watched.exchange.asked > 5


def test_a_listing_is_followed_as_soon_as_it_is_known() -> None:
    async def story(watched: Watched) -> None:
        watched.lists("AUSDT", "BUSDT")
        await watched.hours(1.1)

    watched = watch(Exchange(contracts("AUSDT")), story)
    assert watched.told[0].listed == ("BUSDT",)
    assert watched.market.changes == [("AUSDT", "BUSDT")]


@pytest.mark.fault(62)
def test_what_leaves_is_followed_until_nothing_of_it_is_held() -> None:
    settling = {"BUSDT": instrument("BUSDT", status=InstrumentStatus.SETTLING)}

    async def story(watched: Watched) -> None:
        watched.held = {"BUSDT"}
        watched.lists("AUSDT", **settling)
        await watched.hours(2)
        assert watched.market.changes == []
        watched.held = set()
        await watched.clock.sleep(1)

    watched = watch(Exchange(contracts("AUSDT", "BUSDT")), story)
    assert [told.leaving for told in watched.told] == [("BUSDT",)] * 2
    assert watched.market.changes == [("AUSDT",)]


def test_what_is_still_held_from_an_earlier_run_is_followed_though_it_may_not_be_entered() -> None:
    async def story(watched: Watched) -> None:
        watched.market.follow(("AUSDT",))
        watched.market.changes.clear()
        watched.universe = Universe(
            watched.exchange,
            watched.market,
            dict(watched.exchange.listing),
            held=lambda: {"BUSDT", "GONEUSDT"},
            post=watched.told.append,
            clock=watched.clock,
            parameters=PARAMETERS,
        )
        watched.universe.follow()

    settling = {"BUSDT": instrument("BUSDT", status=InstrumentStatus.SETTLING)}
    watched = watch(Exchange({**contracts("AUSDT"), **settling}), story)
    assert watched.market.changes == [("AUSDT", "BUSDT")]


def test_one_torn_list_takes_nobody_away() -> None:
    async def story(watched: Watched) -> None:
        watched.lists("AUSDT")
        watched.universe.wish()
        await watched.clock.sleep(10)
        watched.lists("AUSDT", "BUSDT")
        await watched.hours(2)

    watched = watch(Exchange(contracts("AUSDT", "BUSDT")), story)
    assert {told.leaving for told in watched.told} == {()}
    assert watched.market.changes == []


def test_what_two_lists_lack_is_gone() -> None:
    async def story(watched: Watched) -> None:
        watched.lists("AUSDT")
        watched.universe.wish()
        await watched.clock.sleep(40)
        assert watched.market.changes == []
        watched.lists("AUSDT")
        await watched.clock.sleep(80)

    watched = watch(Exchange(contracts("AUSDT", "BUSDT")), story)
    assert watched.told[-1].leaving == ("BUSDT",)
    assert watched.told[-1].instruments["BUSDT"].status is InstrumentStatus.CLOSED
    assert watched.market.changes == [("AUSDT",)]


def test_what_trades_again_is_followed_again() -> None:
    settling = {"BUSDT": instrument("BUSDT", status=InstrumentStatus.SETTLING)}

    async def story(watched: Watched) -> None:
        watched.lists("AUSDT", **settling)
        await watched.hours(1.1)
        watched.lists("AUSDT", "BUSDT")
        await watched.hours(1)

    watched = watch(Exchange(contracts("AUSDT", "BUSDT")), story)
    assert watched.market.changes == [("AUSDT",), ("AUSDT", "BUSDT")]
