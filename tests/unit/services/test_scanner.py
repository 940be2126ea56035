"""One scan: which minute is judged, what it says, and that it agrees with the strategy."""

from dataclasses import replace

import numpy as np
import pytest

from core.market import MINUTE_MS, MinuteClosed
from core.signals import Side
from strategies.ict_smc import IctSmcParameters
from strategies.ict_smc.explanation import GateName, explain
from tests.builders_scan import AXIS, LAST_MS, LOADED, READY, WAITING, YOUNG, Minutes, last_minute, scanner


def later(minutes: int, *, absent: tuple[str, ...] = ()) -> MinuteClosed:
    minute = last_minute(absent=absent)
    return replace(minute, open_time=LAST_MS + minutes * MINUTE_MS)


async def test_the_first_minute_in_which_all_are_there_is_judged() -> None:
    looking, source = scanner(), Minutes(last_minute(absent=(WAITING,)), later(1), later(2))
    looking.progressed(LOADED)
    await looking.run(source)
    assert source.taken == 2
    assert not source.is_open
    assert looking.scan(near=0).at == LAST_MS + 2 * MINUTE_MS


async def test_nothing_is_judged_for_good_while_histories_are_on_their_way() -> None:
    looking, source = scanner(), Minutes(last_minute(), later(1))
    looking.progressed(replace(LOADED, done=2))
    await looking.run(source)
    assert source.taken == 2  # until the market had no more


async def test_those_that_are_late_are_waited_for_only_so_long() -> None:
    looking = scanner()
    source = Minutes(*(later(number, absent=(WAITING,)) for number in range(10)))
    looking.progressed(LOADED)
    await looking.run(source)
    assert source.taken == 4
    assert looking.scan(near=0).absent == (WAITING,)


async def test_what_could_not_be_loaded_is_not_waited_for() -> None:
    looking, source = scanner(), Minutes(last_minute(absent=(YOUNG,)), later(1))
    looking.progressed(replace(LOADED, done=2, failed=1))
    await looking.run(source)
    assert source.taken == 1


def test_a_scan_ranks_the_signal_and_names_the_nearest_miss() -> None:
    looking = scanner()
    looking.judge(last_minute())
    scan = looking.scan(near=5)
    assert [offer.signal.candidate.symbol for offer in scan.offers] == [READY]
    offer = scan.offers[0]
    assert offer.signal.rank == 1
    assert offer.signal.leverage == 3
    assert offer.prices is not None
    candidate = offer.signal.candidate
    assert candidate.stop - 0.01 < offer.prices.stop <= candidate.stop  # on a tick, away from the entry
    assert [near.explanation.symbol for near in scan.near] == [WAITING]
    assert scan.near[0].explanation.lacks == (GateName.RETEST,)
    assert (scan.symbols, scan.ready, scan.candidates, scan.absent) == (3, 2, 1, ())
    assert scan.elapsed_ms > 0


def test_an_explanation_holds_the_bounds_of_the_market_too() -> None:
    looking = scanner()
    looking.judge(last_minute(spread=0.01))
    long, short = looking.explained(READY)
    assert (long.side, short.side) == (Side.LONG, Side.SHORT)
    assert long.failed == ("spread",)
    names = [gate.name for gate in long.gates]
    assert names[-5:] == ["confidence", "spread", "volume", "trigger_protect", "not_in_universe"]


def test_the_chronicle_of_a_symbol_ends_where_the_market_stands() -> None:
    looking = scanner()
    looking.judge(last_minute())
    told = looking.chronicle(READY)
    assert told.open_times[-1] == LAST_MS
    again = explain(told.kernel, 0, Side.LONG, IctSmcParameters())
    assert again.factors == looking.explained(READY)[0].factors


def test_an_unknown_symbol_is_a_mistake_of_the_caller() -> None:
    looking = scanner()
    looking.judge(last_minute())
    with pytest.raises(KeyError, match="NOPEUSDT"):
        looking.explained("NOPEUSDT")


def test_nothing_can_be_said_before_a_minute_was_judged() -> None:
    with pytest.raises(RuntimeError, match="no minute"):
        scanner().scan(near=1)


def test_the_small_market_is_what_it_says() -> None:
    assert np.isfinite(last_minute().row).all()
    assert len(AXIS) == 3
