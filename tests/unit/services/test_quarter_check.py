"""15m candles built here against the exchange's own: agreement is silent, a difference is not."""

import asyncio
from dataclasses import dataclass, field

import numpy as np
import pytest

from core.clock import ManualClock
from core.errors import ExchangeUnavailable
from core.market import MINUTE_MS, QUARTER_MS, CandleHistory, Field, SymbolAxis
from core.notices import Alert, Notice
from data.candle_store import CandleStore
from exchange.limits.weight import Priority
from services.quarter_check import HOUR_MS, SYMBOLS_AN_HOUR, QuarterCheck
from tests.fakes.virtual_time import VirtualClock, run_virtually

AXIS = SymbolAxis(("AUSDT", "BUSDT"))
START = 20_000 * 96 * QUARTER_MS
MINUTES = 61


def minutes(*, volume: float = 0.1) -> CandleHistory:
    opened = 100.0 + np.arange(MINUTES) % 7
    candles = np.stack([opened, opened + 2, opened - 2, opened + 1, np.full(MINUTES, volume)])
    return CandleHistory(
        symbol="AUSDT",
        timeframe_ms=MINUTE_MS,
        open_times=START + np.arange(MINUTES, dtype=np.int64) * MINUTE_MS,
        candles=candles,
    )


@dataclass
class Truth:
    """The exchange's 15m candles of ``minutes()``, one of them off by ``error``."""

    error: float = 0.0
    row: Field = Field.CLOSE
    silent: bool = False
    asked: list[tuple[str, int]] = field(default_factory=list)

    async def page(
        self,
        symbol: str,
        timeframe_ms: int,
        *,
        limit: int,
        start_ms: int | None = None,
        end_ms: int | None = None,
        priority: Priority = Priority.SCAN,
    ) -> CandleHistory:
        self.asked.append((symbol, limit))
        if self.silent:
            raise ExchangeUnavailable("no answer")
        assert start_ms is not None
        blocks = minutes().candles[:, :60].reshape(5, 4, 15)
        bars = np.stack(
            [blocks[0, :, 0], blocks[1].max(1), blocks[2].min(1), blocks[3, :, -1], np.full(4, 1.5)]
        )
        bars[self.row, 2] += self.error
        times = START + np.arange(4, dtype=np.int64) * QUARTER_MS
        wanted = (times >= start_ms) & (times <= (end_ms or 0))
        return CandleHistory(
            symbol=symbol, timeframe_ms=timeframe_ms, open_times=times[wanted], candles=bars[:, wanted]
        )


@dataclass
class Checked:
    truth: Truth
    store: CandleStore = field(default_factory=lambda: CandleStore(AXIS))
    told: list[Notice] = field(default_factory=list)
    distrusted: list[str] = field(default_factory=list)

    def notify(self, notice: Notice) -> None:
        self.told.append(notice)

    def check(self, clock: ManualClock | VirtualClock) -> QuarterCheck:
        return QuarterCheck(
            lambda: AXIS.names,
            self.truth,
            self.store,
            distrust=self.distrusted.append,
            notifier=self,
            clock=clock,
        )


def checked(truth: Truth, *, symbol: str = "AUSDT") -> tuple[bool | None, Checked]:
    world = Checked(truth)
    world.store.load(minutes())
    return asyncio.run(world.check(ManualClock(START)).check(symbol)), world


def test_candles_that_agree_are_nobodys_business() -> None:
    agreed, world = checked(Truth())
    assert agreed
    assert (world.told, world.distrusted) == ([], [])
    assert world.truth.asked == [("AUSDT", 3)]


@pytest.mark.parametrize("row", list(Field))
def test_any_difference_is_told_and_the_symbol_fetched_anew(row: Field) -> None:
    agreed, world = checked(Truth(error=0.0001, row=row))
    assert agreed is False
    assert [notice.key for notice in world.told if isinstance(notice, Alert)] == ["candles_differ"]
    assert world.distrusted == ["AUSDT"]


def test_silence_and_missing_minutes_prove_nothing() -> None:
    agreed, world = checked(Truth(silent=True))
    assert agreed is None
    assert world.distrusted == []
    agreed, world = checked(Truth(), symbol="BUSDT")
    assert agreed is None
    assert world.truth.asked == []


def test_a_few_symbols_an_hour_are_asked_for_one_after_another() -> None:
    world = Checked(Truth())

    async def story() -> None:
        clock = VirtualClock()
        task = asyncio.create_task(world.check(clock).run())
        world.store.load(minutes())
        await clock.sleep(HOUR_MS / 1000 + 60)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    run_virtually(story())
    assert len(world.truth.asked) == SYMBOLS_AN_HOUR / 2  # the other symbol has no candles yet
