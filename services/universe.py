"""Which contracts there are, looked up every hour and whenever one refuses to be traded; who is followed."""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Protocol

from core.clock import Clock
from core.errors import ExchangeRefused, ExchangeUnavailable
from core.instruments import Instrument
from core.market import MINUTE_MS, SymbolAxis
from core.notices import Alert, Notice
from core.parameters import UniverseParameters
from core.universe import UniverseRefreshed, compare
from data.cache import Cache

_log = logging.getLogger(__name__)

HOUR_MS = 3_600_000
MIDDLE_MS = MINUTE_MS // 2
"""How far into the hour's first minute it is looked: reading the list and moving arrays take milliseconds,
which as a minute closes others need."""
_LOOK_SECONDS = 0.5


class Instruments(Protocol):
    """The one thing asked of ``core.ports.Exchange``."""

    async def instruments(self) -> Mapping[str, Instrument]: ...


class Market(Protocol):
    """What is followed; see ``services.data_service``."""

    @property
    def axis(self) -> SymbolAxis: ...

    def follow(self, symbols: Iterable[str]) -> None: ...


class Universe:
    """Compares the exchange's contracts with the followed ones every market hour, and follows the news.

    Followed is what may be entered, and what is held: a contract that is leaving stays until nothing of it
    is. ``wish`` asks for a look out of turn; however often, the exchange is asked twice a minute at most.
    """

    def __init__(
        self,
        exchange: Instruments,
        market: Market,
        instruments: Mapping[str, Instrument],
        *,
        held: Callable[[], Collection[str]],
        post: Callable[[UniverseRefreshed], None],
        clock: Clock,
        parameters: UniverseParameters,
        blacklist: Collection[str] = (),
    ) -> None:
        """``held`` tells the symbols of all positions; ``post`` goes to who decides on entries."""
        self._exchange = exchange
        self._market = market
        self._instruments = instruments
        self._held = held
        self._post = post
        self._clock = clock
        self._parameters = parameters
        self._blacklist = blacklist
        self._tradable: Collection[str] = market.axis.names
        self._list: Mapping[str, Instrument] = instruments
        self._lacking: frozenset[str] = frozenset()
        self._doubted: frozenset[str] = frozenset()
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
            self.follow()

    async def refresh(self) -> None:
        """Look now, and post what was found; after a failure the next look is still due."""
        try:
            now = await self._cache.get("instruments", self._exchange.instruments)
        except (ExchangeRefused, ExchangeUnavailable) as fault:
            _log.warning("the list of contracts could not be read: %s", fault)
            return
        self._wished.clear()
        at = self._clock.market_ms()
        believed = self._believed(now)
        self._due_ms = at + MINUTE_MS if self._doubted else _next_hour(at)
        found = compare(
            self._market.axis.names,
            self._instruments,
            believed,
            at=at,
            parameters=self._parameters,
            blacklist=self._blacklist,
        )
        self._instruments, self._tradable = found.instruments, found.tradable
        self._post(found)

    def follow(self) -> None:
        """Follow what may be entered, and what is held as long as anything is known of it."""
        held = (symbol for symbol in self._held() if symbol in self._instruments)
        self._market.follow({*self._tradable, *held})

    def _believed(self, now: Mapping[str, Instrument]) -> Mapping[str, Instrument]:
        """Return the list, with what only this one lacks as it was: a list may be torn.

        That a contract is gone takes a second list that lacks it too.
        """
        if now is not self._list:
            lacking = frozenset(symbol for symbol in self._market.axis.names if symbol not in now)
            self._doubted = lacking - self._lacking
            self._list, self._lacking = now, lacking
        return {**{symbol: self._instruments[symbol] for symbol in self._doubted}, **now}


def _next_hour(at: int) -> int:
    return ((at - MIDDLE_MS) // HOUR_MS + 1) * HOUR_MS + MIDDLE_MS
