"""Which contracts there are, looked up every hour and whenever one refuses to be traded."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from core.clock import Clock
from core.errors import ExchangeRefused, ExchangeUnavailable
from core.instruments import Instrument
from core.notices import Alert, Notice
from core.parameters import UniverseParameters
from core.universe import UniverseRefreshed, compare
from data.cache import Cache

_log = logging.getLogger(__name__)

HOUR_MS = 3_600_000
_LOOK_SECONDS = 0.5


class Instruments(Protocol):
    """The one thing asked of ``core.ports.Exchange``."""

    async def instruments(self) -> Mapping[str, Instrument]: ...


class Universe:
    """Compares the exchange's contracts with the ``followed`` ones at every market hour.

    ``wish`` asks for it out of turn; however often, the exchange is asked twice a minute at most.
    """

    def __init__(
        self,
        exchange: Instruments,
        followed: Sequence[str],
        instruments: Mapping[str, Instrument],
        *,
        post: Callable[[UniverseRefreshed], None],
        clock: Clock,
        parameters: UniverseParameters,
    ) -> None:
        self._exchange = exchange
        self._followed = tuple(followed)
        self._instruments = instruments
        self._post = post
        self._clock = clock
        self._parameters = parameters
        self._cache: Cache[str, Mapping[str, Instrument]] = Cache(clock, size=1)
        self._due_ms = _next_hour(clock.market_ms())
        self._wished = asyncio.Event()

    def wish(self) -> None:
        """Look as soon as possible: somebody has met a contract that will not be traded."""
        self._wished.set()

    def notify(self, notice: Notice) -> None:
        """Hear, as a ``core.ports.Notifier``, of entries that failed."""
        if isinstance(notice, Alert) and notice.key == "entry_failed":
            self.wish()

    async def run(self) -> None:
        """Refresh for ever; an exchange that does not answer is asked again."""
        while True:
            await self._clock.sleep(_LOOK_SECONDS)
            if self._wished.is_set() or self._clock.market_ms() >= self._due_ms:
                await self.refresh()

    async def refresh(self) -> None:
        """Look now, and post what was found; after a failure the next look is still due."""
        try:
            now = await self._cache.get("instruments", self._exchange.instruments)
        except (ExchangeRefused, ExchangeUnavailable) as fault:
            _log.warning("the list of contracts could not be read: %s", fault)
            return
        self._wished.clear()
        at = self._clock.market_ms()
        self._due_ms = _next_hour(at)
        found = compare(self._followed, self._instruments, now, at=at, parameters=self._parameters)
        self._instruments = found.instruments
        self._post(found)


def _next_hour(at: int) -> int:
    return (at // HOUR_MS + 1) * HOUR_MS
