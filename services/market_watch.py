"""Notices that another market answers where ours was, such as a simulator started anew on the same port."""

import logging
from collections.abc import Awaitable, Callable

from core.clock import Clock
from core.errors import ExchangeRefused, ExchangeUnavailable
from core.market import MINUTE_MS
from core.notices import Alert, Severity
from core.ports import Notifier
from core.risk_state import Halt
from services.operator import Operator

log = logging.getLogger(__name__)

LOOK_SECONDS = 10.0
BEHIND_MS = 5 * MINUTE_MS
"""How far the present lies behind what a market told before, until it is taken for another one."""


class MarketWatch:
    """Asks for the market's time whenever its news stands still, and halts entries where that is long past.

    Candles of a market that is behind ours are older than those we have and are passed over, so that nobody
    else would notice. While news goes on the market is the one we know, whatever REST answers.
    """

    def __init__(
        self,
        heard: Callable[[], int],
        present: Callable[[], Awaitable[int]],
        *,
        operator: Operator,
        notifier: Notifier,
        clock: Clock,
    ) -> None:
        """``heard`` is the newest time (ms) that news told, 0 before any; ``present`` asks for now's."""
        self._heard = heard
        self._present = present
        self._operator = operator
        self._notifier = notifier
        self._clock = clock
        self._newest = 0
        self._has_told = False

    async def run(self) -> None:
        """Look every few seconds, for ever."""
        while True:
            await self._clock.sleep(LOOK_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Look once; what was told is told again only after news went on meanwhile."""
        newest = self._heard()
        if newest > self._newest:
            self._newest, self._has_told = newest, False
            return
        if not newest or self._has_told:
            return
        try:
            present = await self._present()
        except (ExchangeUnavailable, ExchangeRefused) as fault:
            log.debug("the market's time was not told: %s", fault)
            return
        if self._heard() == newest and present < newest - BEHIND_MS:
            self._has_told = True
            self._tell(behind_ms=newest - present)

    def _tell(self, *, behind_ms: int) -> None:
        key, at = Halt.ANOTHER_MARKET.value, self._clock.market_ms()
        text = f"its present is {behind_ms // MINUTE_MS} min before what was seen here"
        self._notifier.notify(Alert(key=key, severity=Severity.CRITICAL, at=at, text=text))
        self._operator.halt("market watch", key)
