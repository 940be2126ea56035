"""Listings and delistings: noticed within the hour, and told once for what they are."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from core.clock import ManualClock
from core.errors import ExchangeUnavailable
from core.instruments import Instrument, InstrumentStatus
from core.market import DAY_MS
from core.parameters import UniverseParameters
from core.universe import HISTORY_MS, UniverseRefreshed, compare
from services.universe import HOUR_MS, Universe
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


def test_a_new_contract_is_listed_once_its_history_is_long_enough() -> None:
    known = contracts("AUSDT")
    young = replace(instrument("BUSDT"), onboard_ms=NOW - HISTORY_MS + 1)
    assert compared(known, {**known, "BUSDT": young}).listed == ()
    assert compared(known, {**known, "BUSDT": replace(young, onboard_ms=NOW - HISTORY_MS)}).listed == (
        "BUSDT",
    )


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


def test_a_contract_leaves_a_day_before_its_delivery() -> None:
    known = contracts("AUSDT")
    for delivery, leaving in ((NOW + DAY_MS, ("AUSDT",)), (NOW + DAY_MS + 1, ())):
        now = {"AUSDT": replace(known["AUSDT"], delivery_ms=delivery)}
        assert compared(known, now).leaving == leaving


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
class Watched:
    exchange: Exchange
    told: list[UniverseRefreshed] = field(default_factory=list)

    def universe(self, clock: VirtualClock | ManualClock) -> Universe:
        return Universe(
            self.exchange,
            tuple(self.exchange.listing),
            dict(self.exchange.listing),
            post=self.told.append,
            clock=clock,
            parameters=PARAMETERS,
        )


def watch(exchange: Exchange, seconds: float, *, wishes: int = 0) -> Watched:
    """Let a universe run for so many seconds of market and machine."""
    watched = Watched(exchange)

    async def story() -> None:
        universe = watched.universe(VirtualClock())
        task = asyncio.create_task(universe.run())
        for _ in range(wishes):
            universe.wish()
            await VirtualClock().sleep(1)
        await VirtualClock().sleep(seconds - wishes)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    run_virtually(story())
    return watched


def test_the_exchange_is_asked_every_hour_on_the_hour() -> None:
    watched = watch(Exchange(contracts("AUSDT")), 3 * 3600 + 60)
    assert [told.at // HOUR_MS for told in watched.told] == [
        watched.told[0].at // HOUR_MS + n for n in range(3)
    ]
    assert all(told.at % HOUR_MS < 1000 for told in watched.told)


def test_many_wishes_are_one_question() -> None:
    watched = watch(Exchange(contracts("AUSDT")), 25, wishes=20)
    assert watched.exchange.asked == 1
    assert len(watched.told) == 20


def test_silence_is_asked_again_and_tells_nothing() -> None:
    watched = watch(Exchange(contracts("AUSDT"), silent=True), 10, wishes=1)
    assert watched.told == []
    assert watched.exchange.asked > 5
