"""Market time: moved on by one task, a market second at a time, at a multiple of the machine's."""

from collections.abc import Callable
from math import ceil
from typing import Protocol

from core.clock import Clock
from core.market import MINUTE_MS
from exchange.sim.market.market import SECOND_MS, Market

_SHORTEST_SLEEP = 0.002
_PUSH_PERIOD = 0.25  # Binance sends an unfinished candle at most four times a second
_SPEED_WINDOW = 5.0
_FLAT_OUT_STEPS = 60  # steps between two chances for the sockets when there is no speed to keep


class MarketTime:
    """Market time for those who only look: limiters and status. ``speed`` 0 is as fast as possible."""

    def __init__(self, market: Market, clock: Clock, *, speed: float, minutes: int | None) -> None:
        self._market = market
        self._clock = clock
        self._held_since: float | None = None
        self.started_ms = market.now_ms
        self.speed = speed
        self.hold_ms = None if minutes is None else market.now_ms + minutes * MINUTE_MS

    @property
    def now_ms(self) -> int:
        return self._market.now_ms

    @property
    def is_held(self) -> bool:
        """Whether the market stands still: the minutes asked for are over, or the recording is."""
        return self._market.has_ended or (self.hold_ms is not None and self._market.now_ms >= self.hold_ms)

    def wire_ms(self) -> int:
        return self._clock.wire_ms()

    def limiter_ms(self) -> int:
        """Return the time that limits are counted in: market time, which goes on where the market holds."""
        if not self.is_held:
            self._held_since = None
            return self._market.now_ms
        if self._held_since is None:
            self._held_since = self._clock.monotonic()
        held = self._clock.monotonic() - self._held_since
        return self._market.now_ms + int(held * 1000 * (self.speed or 1.0))

    def machine_seconds(self, market_ms: int) -> int:
        """Return how many whole seconds a client must wait for so much market time to pass, at least 1."""
        return max(1, ceil(market_ms / 1000 / self.speed)) if self.speed else 1

    def run_for(self, minutes: int | None) -> None:
        """Let the market go on for so many minutes from the next full minute's start, or for ever."""
        self.hold_ms = None if minutes is None else self._market.minute_ms + minutes * MINUTE_MS

    @property
    def minutes_done(self) -> int:
        return (self._market.now_ms - self.started_ms) // MINUTE_MS


class Listener(Protocol):
    """What hears each step."""

    def stepped(self, *, minute_closed: bool) -> None:
        """A market second has passed."""
        ...

    def push(self) -> None:
        """It is time to show unfinished candles, marks and tickers."""
        ...

    def housekeep(self) -> None:
        """Called a few times a second of machine time, whether or not the market moves."""
        ...

    def is_congested(self) -> bool:
        """Whether clients read too slowly for the market to go on."""
        ...


class Stepper:
    """Owns the passing of time: steps the market, tells the listener, waits, slows down for slow readers."""

    def __init__(self, market: Market, time: MarketTime, listener: Listener, *, clock: Clock) -> None:
        self._market = market
        self._time = time
        self._listener = listener
        self._clock = clock
        self._pushed_at = clock.monotonic()
        self._shown_ms = market.now_ms
        self._samples: list[tuple[float, int]] = []
        self.anchor()

    async def run(self) -> None:
        """Step for ever; cancel to stop."""
        while True:
            if self._time.is_held or self._listener.is_congested():
                await self._clock.sleep(0.02)
                self.anchor()
            else:
                self._step_all_due()
                await self._clock.sleep(self._until_next())
            self._push_if_due()
            self._sample()

    def advance(self, until: Callable[[], bool]) -> None:
        """Step without waiting until ``until`` holds or the market stands; for tests."""
        while not until() and not self._time.is_held:
            self._step()
        self._listener.push()

    def effective_speed(self) -> float:
        """Return market seconds a machine second over the last few seconds."""
        if len(self._samples) < 2:
            return 0.0
        (first_at, first_ms), (last_at, last_ms) = self._samples[0], self._samples[-1]
        return (last_ms - first_ms) / 1000 / max(last_at - first_at, 1e-9)

    def _step_all_due(self) -> None:
        if not self._time.speed:
            due = _FLAT_OUT_STEPS
        else:
            due = int((self._due_ms() - self._market.now_ms) // SECOND_MS)
        if due > 4 * _FLAT_OUT_STEPS:  # the machine was asleep or too slow: let time go, do not race after it
            self.anchor()
            due = 1
        for _ in range(due):
            if self._time.is_held:
                return
            self._step()

    def _step(self) -> None:
        closed = self._market.step()
        self._listener.stepped(minute_closed=closed)

    def _due_ms(self) -> float:
        elapsed = self._clock.monotonic() - self._anchored_at
        return self._anchor_ms + elapsed * 1000 * self._time.speed

    def _until_next(self) -> float:
        if not self._time.speed:
            return 0.0
        missing = self._market.now_ms + SECOND_MS - self._due_ms()
        return max(_SHORTEST_SLEEP, min(missing / 1000 / self._time.speed, _PUSH_PERIOD))

    def anchor(self) -> None:
        """Let market time go on from where it is, whatever time has passed."""
        self._anchored_at = self._clock.monotonic()
        self._anchor_ms = self._market.now_ms

    def _push_if_due(self) -> None:
        now = self._clock.monotonic()
        if now - self._pushed_at >= _PUSH_PERIOD and self._shown_ms != self._market.now_ms:
            self._pushed_at, self._shown_ms = now, self._market.now_ms
            self._listener.push()

    def _sample(self) -> None:
        now = self._clock.monotonic()
        if self._samples and now - self._samples[-1][0] < _PUSH_PERIOD:
            return
        self._listener.housekeep()
        self._samples.append((now, self._market.now_ms))
        while now - self._samples[0][0] > _SPEED_WINDOW:
            self._samples.pop(0)
