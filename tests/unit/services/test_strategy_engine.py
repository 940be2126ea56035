"""The engine hosts strategies on one kernel, and a feed with gaps makes every symbol whole again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
import pytest

from core.market import MINUTE_MS, CandleHistory, MarketContext, MinuteClosed, SymbolAxis
from core.monitoring import Structure
from core.signals import Candidate
from services.strategy_engine import StrategyEngine
from strategies.catalogue import CATALOGUE, line_up
from strategies.ict_smc import IctSmc, IctSmcParameters
from strategies.kernel.market import MarketKernel
from strategies.kernel.parameters import KernelParameters
from strategies.strategy import Strategy
from strategies.tuning import Described, describe, tuned
from tests.fakes.virtual_time import VirtualClock
from tests.unit.services.fake_market import AXIS, START, FakeMarket, Heard, candle, played, warmed
from tests.unit.strategies.markets import START_MS, random_walk

YOUNG = KernelParameters(min_bars_1m=60, min_bars_15m=20)
MINUTES, SYMBOLS = 1500, 4


# --- several strategies -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class EchoParameters:
    """Of the second strategy."""

    enabled: bool = True
    at_least: float = 0.0


@dataclass(frozen=True, slots=True)
class Echo:
    """A second strategy, all of it: repeats what the first one finds, from a confidence on."""

    parameters: EchoParameters = field(default_factory=EchoParameters)
    name: str = "echo"

    @property
    def enabled(self) -> bool:
        return self.parameters.enabled

    def candidates(self, kernel: MarketKernel, closed_minute_ms: int) -> Sequence[Candidate]:
        found = IctSmc().candidates(kernel, closed_minute_ms)
        return [
            replace(each, strategy=self.name) for each in found if each.confidence >= self.parameters.at_least
        ]

    def described(self) -> Iterator[Described]:
        return describe(self.parameters, {"enabled": "whether it is asked", "at_least": "from which on"})

    def tuned(self, changes: Mapping[str, str]) -> Self:
        return type(self)(tuned(self.parameters, changes))


def found(strategies: Sequence[Strategy]) -> list[Candidate]:
    """Run strategies through a random market."""
    axis = SymbolAxis(tuple(f"S{place}USDT" for place in range(SYMBOLS)))
    engine = StrategyEngine(axis, strategies, MarketKernel(axis.names, YOUNG))
    present = np.ones(SYMBOLS, dtype=np.bool_)
    rows = random_walk(21, minutes=MINUTES, symbols=SYMBOLS)
    context = MarketContext.unknown(SYMBOLS)
    return [
        candidate
        for minute, row in enumerate(rows)
        for candidate in engine.on_minute(
            MinuteClosed(
                open_time=START_MS + minute * MINUTE_MS,
                axis=axis,
                row=row,
                present=present,
                context=context,
                seen_at=0,
            )
        )
    ]


def names(candidates: Sequence[Candidate], strategy: str) -> list[tuple[str, int]]:
    return [(each.symbol, each.at) for each in candidates if each.strategy == strategy]


def test_a_second_strategy_plugs_in_and_both_read_the_same_market() -> None:
    chosen = line_up({}, catalogue=(*CATALOGUE, Echo()))
    assert [owner for owner, _ in chosen.described()] == ["kernel", "ict_smc", "echo"]
    candidates = found(chosen.strategies)
    assert len(names(candidates, "ict_smc")) > 5
    assert names(candidates, "echo") == names(candidates, "ict_smc")
    assert len({each.signal_id for each in candidates}) == len(candidates)


def test_each_strategy_has_its_own_parameters() -> None:
    chosen = line_up({"echo.at_least": "60"}, catalogue=(*CATALOGUE, Echo()))
    candidates = found(chosen.strategies)
    assert 0 < len(names(candidates, "echo")) < len(names(candidates, "ict_smc"))


@pytest.mark.parametrize(("off", "left"), [("ict_smc", {"echo"}), ("echo", {"ict_smc"})])
def test_a_strategy_that_is_off_is_not_asked(off: str, left: set[str]) -> None:
    chosen = line_up({f"{off}.enabled": "false"}, catalogue=(*CATALOGUE, Echo()))
    assert {each.strategy for each in found(chosen.strategies)} == left


def test_the_flag_is_the_hosts_business() -> None:
    assert found([IctSmc(IctSmcParameters(enabled=False))]) == []


# --- a feed with gaps -------------------------------------------------------------------------------


def told(events: Sequence[MinuteClosed | CandleHistory]) -> tuple[MarketKernel, StrategyEngine, list[int]]:
    """Tell an engine what a feed said, and return how many symbols were ready after each minute."""
    kernel = MarketKernel(AXIS.names)
    engine = StrategyEngine(AXIS, [IctSmc()], kernel)
    ready = []
    for event in events:
        if isinstance(event, CandleHistory):
            engine.warm_up(event)
        else:
            engine.on_minute(event)
            ready.append(engine.ready())
    return kernel, engine, ready


async def stream(market: FakeMarket, clock: VirtualClock, *, until: int, gap: range) -> None:
    """Close minutes of all symbols, but none of BUSDT's within ``gap``."""
    await warmed(market, clock)
    for minute in range(until):
        market.closes(minute, *((0, 2) if minute in gap else ()))
        await clock.sleep(3)


@pytest.mark.parametrize(
    "gap",
    [range(3, 4), range(3, 21), range(3, 590), range(3, 700)],
    ids=["a minute", "across a quarter of an hour", "all that is remembered", "more than is remembered"],
)
def test_a_gap_in_the_feed_makes_a_symbol_unready_and_its_history_makes_it_whole_again(gap: range) -> None:
    until = gap.stop + 40

    async def broken(market: FakeMarket, _: Heard, clock: VirtualClock) -> None:
        await stream(market, clock, until=until, gap=gap)

    async def whole(market: FakeMarket, _: Heard, clock: VirtualClock) -> None:
        await stream(market, clock, until=until, gap=range(0))

    kernel, engine, ready = told(played(broken).events)
    untroubled, _, always = told(played(whole).events)
    assert always == [3] * until
    assert ready[: gap.start] == [3] * gap.start
    assert set(ready[gap.start : gap.stop]) == {2}
    assert ready[gap.stop + 2 :] == [3] * (until - gap.stop - 2)
    assert engine.structure("BUSDT") is not None
    for place in (0, 2):
        assert kernel.minute[place] == untroubled.minute[place]
    if gap.stop - gap.start < 600:
        assert kernel.snapshot() == untroubled.snapshot()


def test_a_hole_in_the_first_history_is_filled_before_the_symbol_counts() -> None:
    holes = {("BUSDT", START - minutes * MINUTE_MS) for minutes in (40, 41, 230)}

    async def story(market: FakeMarket, _: Heard, clock: VirtualClock) -> None:
        await stream(market, clock, until=3, gap=range(0))

    kernel, engine, ready = told(played(story, holes=holes).events)
    assert ready[-1] == 3
    assert int(kernel.minute[1].bars) >= 499
    structure: Structure | None = engine.structure("BUSDT")
    assert structure is not None
    assert float(kernel.minute[1].close) == candle(1, START + 2 * MINUTE_MS)[3]


def test_history_of_a_stranger_is_a_mistake() -> None:
    _, engine, _ = told([])
    blank = np.zeros((5, 0))
    stranger = CandleHistory(
        symbol="XUSDT", timeframe_ms=MINUTE_MS, open_times=np.zeros(0, np.int64), candles=blank
    )
    with pytest.raises(KeyError, match="XUSDT"):
        engine.warm_up(stranger)
