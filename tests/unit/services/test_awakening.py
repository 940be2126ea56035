"""A machine that slept, or whose clock jumped: the account first, and no entry on what is old."""

from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
import pytest

from core.market import MINUTE_MS, AxisChanged, MarketContext, MinuteClosed, SymbolAxis
from core.notices import Alert, Notice
from core.orders import AccountRead, AccountSurvey, StreamLost
from core.parameters import RiskParameters
from services.awakening import DRAIN_SECONDS, Awakening
from services.trader import Tick, TraderEvent
from tests.builders import SYMBOL, T0

HOUR_S = 3600.0
AXIS = SymbolAxis((SYMBOL,))


@dataclass
class Clocks:
    """Three clocks that part when the machine sleeps: the market's goes on by our own seconds."""

    wall: float = T0 / 1000
    mono: float = 100.0

    def pass_by(self, seconds: float, *, wall: float | None = None) -> None:
        self.mono += seconds
        self.wall += seconds if wall is None else wall

    def wire_ms(self) -> int:
        return int(self.wall * 1000)

    def market_ms(self) -> int:
        return T0 + int((self.mono - 100.0) * 1000)

    def monotonic(self) -> float:
        return self.mono

    async def sleep(self, seconds: float) -> None:
        self.pass_by(seconds)


@dataclass
class Bedside:
    """An awakening with what it asked for and said."""

    clocks: Clocks = field(default_factory=Clocks)
    posted: list[TraderEvent] = field(default_factory=list)
    told: list[Notice] = field(default_factory=list)
    surveys: int = 0

    def __post_init__(self) -> None:
        self.gate = Awakening(self.clocks, woken=self._count, post=self.posted.append, notifier=self)

    def _count(self) -> None:
        self.surveys += 1

    def notify(self, notice: Notice) -> None:
        self.told.append(notice)

    def admit(self, event: TraderEvent) -> list[TraderEvent]:
        return list(self.gate.admit(event))

    def survey(self) -> AccountSurvey:
        at = self.clocks.market_ms()
        account = AccountRead(wallet=Decimal(1), equity=Decimal(1), available=Decimal(1), positions=(), at=at)
        return AccountSurvey(account=account, conditionals=(), orders=(), at=at)

    def minute(self) -> MinuteClosed:
        at = self.clocks.market_ms()
        return MinuteClosed(
            open_time=at - MINUTE_MS,
            axis=AXIS,
            row=np.ones((5, 1)),
            present=np.ones(1, dtype=np.bool_),
            context=MarketContext.unknown(1),
            seen_at=at,
        )


def test_awake_everything_passes_at_once() -> None:
    bed = Bedside()
    for _ in range(300):
        bed.clocks.pass_by(0.25)
        assert len(bed.admit(Tick())) == 1
    minute = bed.minute()
    assert bed.admit(minute) == [minute]
    assert (bed.posted, bed.told, bed.surveys) == ([], [], 0)


@pytest.mark.fault(93)
def test_after_an_hour_asleep_the_account_comes_first_and_old_candles_are_too_old_to_enter_on() -> None:
    bed = Bedside()
    old = bed.minute()
    bed.clocks.pass_by(0.1, wall=HOUR_S)  # our own clock stood still
    assert bed.admit(old) == []
    assert (bed.surveys, [type(each) for each in bed.posted]) == (1, [StreamLost])
    (alert,) = bed.told
    assert isinstance(alert, Alert)
    assert (alert.key, alert.text) == ("awoke", "3600 s")
    bed.clocks.pass_by(DRAIN_SECONDS + 1)
    assert bed.admit(Tick()) == [Tick()], "orders and ticks pass, minutes wait for the account"
    survey = bed.survey()
    first, late = bed.admit(survey)
    assert first == survey
    assert isinstance(late, MinuteClosed)
    assert late.seen_at - late.at > RiskParameters().max_signal_age_ms
    fresh = bed.minute()
    assert bed.admit(fresh) == [fresh]


@pytest.mark.fault(93)
def test_an_account_asked_for_before_the_sleep_does_not_end_the_wait() -> None:
    bed = Bedside()
    before = bed.survey()
    bed.clocks.pass_by(HOUR_S)  # this machine's clocks went on, but nobody looked
    assert bed.admit(before) == [before]
    bed.clocks.pass_by(DRAIN_SECONDS + 1)
    assert bed.admit(bed.minute()) == []


@pytest.mark.fault(93)
def test_a_minute_that_was_half_heard_before_the_sleep_is_as_old_as_the_others() -> None:
    bed = Bedside()
    bed.admit(Tick())
    bed.clocks.pass_by(0.1, wall=HOUR_S)
    bed.admit(Tick())
    survey = bed.survey()
    assert bed.admit(survey) == [survey]
    bed.clocks.pass_by(DRAIN_SECONDS - 1)
    assert bed.admit(bed.minute()) == []
    bed.clocks.pass_by(1.5)
    _, late = bed.admit(Tick())
    assert isinstance(late, MinuteClosed)
    assert late.seen_at - late.at > RiskParameters().max_signal_age_ms


@pytest.mark.fault(94)
@pytest.mark.parametrize("jump", [HOUR_S, -HOUR_S])
def test_a_wall_clock_that_jumps_has_the_account_read_before_anything_is_entered(jump: float) -> None:
    bed = Bedside()
    bed.clocks.pass_by(0.25, wall=jump)
    assert bed.admit(bed.minute()) == []
    assert bed.surveys == 1
    bed.clocks.pass_by(DRAIN_SECONDS + 1)
    assert len(bed.admit(bed.survey())) == 2
    bed.clocks.pass_by(10.0)
    assert len(bed.admit(bed.minute())) == 1, "one jump is one alarm"
    assert len(bed.told) == 1


@pytest.mark.fault(94)
def test_a_clock_that_drifts_or_is_set_by_seconds_alarms_nobody() -> None:
    bed = Bedside()
    for _ in range(100):
        bed.clocks.pass_by(10.0, wall=10.5)
        assert len(bed.admit(Tick())) == 1
    bed.clocks.pass_by(0.25, wall=-2.0)
    assert len(bed.admit(Tick())) == 1
    assert bed.told == []


def test_a_change_of_the_axis_overtakes_no_minute_that_waits() -> None:
    bed = Bedside()
    before, changed = bed.minute(), AxisChanged(axis=SymbolAxis((SYMBOL, "NEWUSDT")))
    bed.clocks.pass_by(0.1, wall=HOUR_S)
    assert bed.admit(before) == bed.admit(changed) == []
    bed.clocks.pass_by(DRAIN_SECONDS + 1)
    _, late, after = bed.admit(bed.survey())
    assert isinstance(late, MinuteClosed)
    assert late.axis == AXIS
    assert after == changed
