"""A market that is suddenly another one, minutes behind what was seen, must not be traded in silence."""

from dataclasses import dataclass, field

import pytest

from core.clock import ManualClock
from core.errors import ExchangeUnavailable
from core.market import MINUTE_MS
from core.notices import Alert, Notice, Severity
from core.operation import OperatorRequest
from core.risk_state import Halt
from services.market_watch import BEHIND_MS, MarketWatch
from services.operator import Operator

NOW = 1_000 * MINUTE_MS


@dataclass
class World:
    """What news and REST tell of the time, and what came of it."""

    heard: int = NOW
    present: int | None = NOW
    asked: int = 0
    wishes: list[OperatorRequest] = field(default_factory=list)
    told: list[Alert] = field(default_factory=list)

    def notify(self, notice: Notice) -> None:
        assert isinstance(notice, Alert)
        self.told.append(notice)

    async def answer(self) -> int:
        self.asked += 1
        if self.present is None:
            raise ExchangeUnavailable("no answer")
        return self.present

    async def looked(self, times: int) -> "MarketWatch":
        watch = MarketWatch(
            lambda: self.heard,
            self.answer,
            operator=Operator(self.wishes.append),
            notifier=self,
            clock=ManualClock(NOW),
        )
        for _ in range(times):
            await watch.look()
        return watch


async def test_a_market_of_long_ago_is_told_once_and_halts_entries() -> None:
    world = World(present=NOW - 3 * 60 * MINUTE_MS)
    watch = await world.looked(4)
    assert [(each.key, each.severity) for each in world.told] == [("another_market", Severity.CRITICAL)]
    assert "180 min" in world.told[0].text
    assert [each.reason for each in world.wishes] == [Halt.ANOTHER_MARKET]
    world.heard += MINUTE_MS  # the one we know was back, and is away again
    await watch.look()
    await watch.look()
    assert len(world.told) == len(world.wishes) == 2


@pytest.mark.parametrize("present", [NOW - BEHIND_MS, NOW + 60 * MINUTE_MS, None])
async def test_a_market_that_stands_still_goes_on_or_is_silent_is_ours(present: int | None) -> None:
    world = World(present=present)
    await world.looked(3)
    assert world.asked == 2
    assert not world.told
    assert not world.wishes


async def test_while_news_goes_on_an_old_answer_means_nothing_and_is_not_asked_for() -> None:
    world = World(present=0)
    watch = await world.looked(1)
    for _ in range(3):
        world.heard += MINUTE_MS
        await watch.look()
    assert world.asked == 0


async def test_before_any_news_there_is_nothing_to_compare() -> None:
    world = World(heard=0, present=NOW)
    await world.looked(3)
    assert world.asked == 0
