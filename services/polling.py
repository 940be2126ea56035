"""Closed candles over REST for symbols whose streams stay silent: later and dearer, but never nothing."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from core.clock import Clock
from core.errors import ExchangeRefused, ExchangeUnavailable
from core.market import MINUTE_MS, CandleHistory
from exchange.limits.weight import Priority
from services.candle_pages import CHEAP_PAGE, CandleReader

_log = logging.getLogger(__name__)

MISSED = 2
"""Closed candles that a stream may owe; before the third is due its symbol is asked for."""
PATIENCE = 5.0
"""Machine seconds of silence before anything is asked: at sixty times its speed a minute is one of them."""
MOST_A_MINUTE = 1_000
"""Symbols asked for in one minute, weight 1 each: four tenths of 2,400, the rest is for everybody else."""
ROUND_SECONDS = 20.0
"""How long one minute's answers are waited for; who has not answered is asked in the next."""
_SETTLING_MS = 2_000
_LOOK_SECONDS = 0.5
_CONCURRENCY = 24
_RENEW_ROUNDS = 15


class CandlePoller:
    """Looks once a minute which streams owe candles, and asks for those of their symbols.

    ``silent(before_ms)`` tells the symbols whose streams have brought no candle since, each with the newest
    one that is known otherwise. What a round brings is handed to ``take`` in one piece, so that no minute
    leaves half of it behind, and only what is followed by a later candle, which alone proves that it has
    closed. ``renew`` is told whose streams should be asked for again.
    """

    def __init__(
        self,
        candles: CandleReader,
        *,
        silent: Callable[[int], Mapping[str, int]],
        take: Callable[[Sequence[CandleHistory]], None],
        renew: Callable[[Sequence[str]], None],
        clock: Clock,
    ) -> None:
        self._candles = candles
        self._silent = silent
        self._take = take
        self._renew = renew
        self._clock = clock
        self._since: dict[str, float] = {}
        self._rounds: dict[str, int] = {}
        self._asked_ms = 0
        self.brought = 0

    @property
    def polled(self) -> frozenset[str]:
        """Whose candles come this way now."""
        return frozenset(self._rounds)

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await self._clock.sleep(_LOOK_SECONDS)
            newest = (self._clock.market_ms() - _SETTLING_MS) // MINUTE_MS * MINUTE_MS - MINUTE_MS
            owing = self._out_of_patience(self._silent(newest - (MISSED - 1) * MINUTE_MS))
            self._rounds = {symbol: self._rounds.get(symbol, 0) for symbol in owing}
            if owing and newest != self._asked_ms:
                self._asked_ms = newest
                self._ask_for_streams()
                await self._round(owing, newest)

    def _out_of_patience(self, silent: Mapping[str, int]) -> Mapping[str, int]:
        now = self._clock.monotonic()
        self._since = {symbol: self._since.get(symbol, now) for symbol in silent}
        return {symbol: known for symbol, known in silent.items() if now - self._since[symbol] >= PATIENCE}

    def _ask_for_streams(self) -> None:
        """Let everybody be subscribed anew when one has just fallen silent, and now and then while one is."""
        if any(rounds % _RENEW_ROUNDS == 0 for rounds in self._rounds.values()):
            self._renew(list(self._rounds))
        self._rounds = {symbol: rounds + 1 for symbol, rounds in self._rounds.items()}

    async def _round(self, owing: Mapping[str, int], newest: int) -> None:
        queue = deque(sorted(owing, key=lambda symbol: (owing[symbol], symbol))[:MOST_A_MINUTE])
        brought: list[CandleHistory] = []
        failed: dict[str, str] = {}

        async def work() -> None:
            while queue:
                symbol = queue.popleft()
                try:
                    brought.append(await self._ask(symbol, (newest - owing[symbol]) // MINUTE_MS + 1))
                except (ExchangeRefused, ExchangeUnavailable) as fault:
                    failed[symbol] = str(fault)

        with suppress(TimeoutError):
            async with asyncio.timeout(ROUND_SECONDS):
                await asyncio.gather(*(work() for _ in range(_CONCURRENCY)))
        if failed:
            symbol, fault = next(iter(failed.items()))
            _log.info(
                "no new candles of %d of %d symbols, such as %s: %s", len(failed), len(owing), symbol, fault
            )
        self.brought += sum(len(history.open_times) for history in brought)
        self._take(brought)

    async def _ask(self, symbol: str, count: int) -> CandleHistory:
        limit = min(count, CHEAP_PAGE)
        page = await self._candles.page(symbol, MINUTE_MS, limit=limit, priority=Priority.SCAN)
        closed = page.open_times < page.open_times.max(initial=0)
        return replace(page, open_times=page.open_times[closed], candles=page.candles[:, closed])
