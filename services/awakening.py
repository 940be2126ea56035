"""After a sleep of the machine, or a jump of its clock, nothing is decided before the account is known."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from core.clock import Clock
from core.market import AxisChanged, CandleHistory, MinuteClosed
from core.notices import Alert, Severity
from core.orders import AccountSurvey, StreamLost
from core.ports import Notifier
from services.trader import TraderEvent

log = logging.getLogger(__name__)

_MarketNews = MinuteClosed | CandleHistory | AxisChanged

SLEPT_SECONDS = 30.0
"""Nobody looked for so long, or wall clock and our own have parted by so much since the last look."""
DRAIN_SECONDS = 5.0
"""So long after waking, a minute may still come out of what was half-heard before the sleep."""


class SleepDetector:
    """Compares the wall clock with the monotonic one; most systems stop the latter in their sleep."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wall, self._mono = self._now()

    def look(self) -> float:
        """Return how many seconds were missed since the last look; 0 when it was nothing unusual."""
        wall, mono = self._now()
        unseen, parted = mono - self._mono, abs((wall - self._wall) - (mono - self._mono))
        self._wall, self._mono = wall, mono
        missed = max(unseen, parted)
        return missed if missed >= SLEPT_SECONDS else 0.0

    def _now(self) -> tuple[float, float]:
        return self._clock.wire_ms() / 1000, self._clock.monotonic()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sleep:
    """What is known of the last sleep: seconds it took, when it was noticed in market and machine time."""

    missed: float
    at: int
    mono: float


class Awakening:
    """Stands between inbox and trader, and lets everything pass while the machine is awake.

    On waking it has orders and account asked for, and holds the market's news back until an account asked
    for since has come. Minutes are then as old as the sleep was long, so that nothing is entered on them.
    ``woken`` is to have the account surveyed, ``post`` puts an event into the inbox.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        woken: Callable[[], None],
        post: Callable[[TraderEvent], None],
        notifier: Notifier,
    ) -> None:
        self._detector = SleepDetector(clock)
        self._clock = clock
        self._woken = woken
        self._post = post
        self._notifier = notifier
        self._sleep: _Sleep | None = None
        self._is_surveyed = True
        self._held_back: list[_MarketNews] = []

    def admit(self, event: TraderEvent) -> Iterable[TraderEvent]:
        """Return what may be processed now, in order."""
        missed = self._detector.look()
        if missed:
            self._wake(missed)
        if self._sleep is None:
            return (event,)
        if isinstance(event, _MarketNews):  # in its own order: a minute fits the axis before it
            self._held_back.append(event)
            return ()
        if isinstance(event, AccountSurvey) and event.at >= self._sleep.at:
            self._is_surveyed = True
        return (event, *self._released(self._sleep))

    def _wake(self, missed: float) -> None:
        log.warning("the machine slept, or its clock jumped: %.0f s", missed)
        at = self._clock.market_ms()
        self._sleep = _Sleep(missed=missed, at=at, mono=self._clock.monotonic())
        self._is_surveyed = False
        self._post(StreamLost(at=at, reason="the machine slept"))
        self._woken()
        alert = Alert(key="awoke", severity=Severity.WARNING, at=at, text=f"{missed:.0f} s")
        self._notifier.notify(alert)

    def _released(self, sleep: _Sleep) -> Iterable[_MarketNews]:
        if not self._is_surveyed or self._clock.monotonic() - sleep.mono < DRAIN_SECONDS:
            return ()
        held, self._held_back, self._sleep = self._held_back, [], None
        late = int(sleep.missed * 1000)
        return [_later(news, late) for news in held]


def _later(news: _MarketNews, late: int) -> _MarketNews:
    return replace(news, seen_at=news.seen_at + late) if isinstance(news, MinuteClosed) else news
