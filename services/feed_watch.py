"""Tells people how the market reaches us, whenever that changes for the worse or for the better."""

from collections.abc import Callable, Collection, Mapping
from typing import Protocol

from core.clock import Clock
from core.notices import Alert, Severity
from core.ports import Notifier
from services.archivist import Loss
from services.set_aside import Exclusion

_LOOK_SECONDS = 1.0
_NAMED = 5


class Feed(Protocol):
    """Where candles come from; see ``services.data_service``."""

    @property
    def polled(self) -> Collection[str]: ...

    @property
    def excluded(self) -> Mapping[str, Exclusion]: ...


class FeedWatch:
    """Compares what is so now with what people were told last.

    A symbol without candles that we hold a position in is critical: nothing but its stop looks after it.
    """

    def __init__(
        self,
        feed: Feed,
        *,
        held: Callable[[], Collection[str]],
        unwritten: Callable[[], Loss],
        notifier: Notifier,
        clock: Clock,
    ) -> None:
        """``unwritten`` tells of the candles that never reached the disk."""
        self._feed = feed
        self._held = held
        self._unwritten = unwritten
        self._notifier = notifier
        self._clock = clock
        self._polled: frozenset[str] = frozenset()
        self._excluded: frozenset[tuple[str, bool]] = frozenset()
        self._told_unwritten = 0

    async def run(self) -> None:
        """Look every second, for ever."""
        while True:
            await self._clock.sleep(_LOOK_SECONDS)
            self.look()

    def look(self) -> None:
        """Tell what has changed since the last look."""
        held = frozenset(self._held())
        self._tell_polled(frozenset(self._feed.polled), held)
        self._tell_excluded(held)
        loss = self._unwritten()
        if loss.candles >= 2 * self._told_unwritten and loss.candles:
            self._told_unwritten = loss.candles
            self._say("candles_unwritten", Severity.WARNING, text=f"{loss.candles:,}, {loss.why}")

    def _tell_polled(self, polled: frozenset[str], held: frozenset[str]) -> None:
        if polled and not self._polled:
            worse = Severity.CRITICAL if polled & held else Severity.WARNING
            self._say("streams_silent", worse, text=_listed(polled, first=held))
        elif self._polled and not polled:
            self._say("streams_back", Severity.INFO)
        self._polled = polled

    def _tell_excluded(self, held: frozenset[str]) -> None:
        """Tell each once, and once more when a position turns out to be in it."""
        excluded = self._feed.excluded
        now = frozenset((symbol, symbol in held) for symbol in excluded)
        for symbol, is_held in sorted(now - self._excluded):
            if is_held:
                self._say("set_aside_held", Severity.CRITICAL, symbol=symbol, text=excluded[symbol].reason)
        others = {symbol for symbol, is_held in now - self._excluded if not is_held}
        others -= {symbol for symbol, _ in self._excluded}
        if others:
            reason = excluded[min(others)].reason
            self._say("set_aside", Severity.WARNING, text=f"{_listed(others)}: {reason}")
        self._excluded = now

    def _say(self, key: str, severity: Severity, *, symbol: str = "", text: str = "") -> None:
        alert = Alert(key=key, severity=severity, at=self._clock.market_ms(), symbol=symbol, text=text)
        self._notifier.notify(alert)


def _listed(symbols: Collection[str], *, first: Collection[str] = ()) -> str:
    """Name a few, those of ``first`` before others, and count the rest."""
    named = sorted(symbols, key=lambda symbol: (symbol not in first, symbol))
    rest = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    return ", ".join(named[:_NAMED]) + rest
