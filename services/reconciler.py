"""Reads the whole account, again and again, so that what we believe never drifts from what is."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from math import inf

from core.clock import Clock
from core.errors import ExchangeRefused, ExchangeUnavailable, NotAllowed
from core.orders import AccountRead, AccountSurvey, AccountUnreadable
from core.ports import Exchange

log = logging.getLogger(__name__)

RETRY_SECONDS = 1.0
SURVEY_SECONDS = 5.0
"""No two surveys are nearer than this; with one wish a minute they weigh 90 of the minute's 2,400."""
ALARM_SECONDS = 30.0
BARRED_SECONDS = 30.0
"""Who is not let in asks no oftener: only a person can change that."""

READ_SECONDS = 60.0
"""The account is read so often even when nobody wishes for it, as while the market says nothing."""


class Reconciler:
    """Posts the account whenever it is wished for, and everything that rests there as often as is sensible.

    The first thing posted is a survey: nothing trades before one was read whole. A read that fails in any
    part is no news at all, never a flat account; only that it keeps failing is, and that we are not let in.
    """

    def __init__(
        self,
        exchange: Exchange,
        *,
        post: Callable[[AccountRead | AccountSurvey | AccountUnreadable], None],
        clock: Clock,
    ) -> None:
        self._exchange = exchange
        self._post = post
        self._clock = clock
        self._wished = asyncio.Event()
        self._surveyed = -inf
        self._survey_wished = False
        self._failing_since: float | None = None

    def wish(self, *, survey: bool = False) -> None:
        """Have the account read soon; with ``survey``, all of it."""
        self._survey_wished |= survey
        self._wished.set()

    async def run(self) -> None:
        """Work until cancelled."""
        self._wished.set()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(READ_SECONDS):
                    await self._wished.wait()
            self._wished.clear()
            try:
                self._post(await self._read())
            except NotAllowed as refusal:
                self._tell(refusal, is_refused=True)
                await self._clock.sleep(BARRED_SECONDS)
                self._wished.set()
            except (ExchangeUnavailable, ExchangeRefused) as fault:
                self._failed(fault)
                await self._clock.sleep(RETRY_SECONDS)
                self._wished.set()
            else:
                self._failing_since = None

    async def _read(self) -> AccountRead | AccountSurvey:
        now = self._clock.monotonic()
        if now - self._surveyed < SURVEY_SECONDS and not self._survey_wished:
            return await self._exchange.account()
        self._survey_wished = False  # a wish while this one is being read is for another
        try:
            survey = await self._survey()
        except (ExchangeUnavailable, ExchangeRefused):
            self._survey_wished = True
            raise
        self._surveyed = now
        return survey

    async def _survey(self) -> AccountSurvey:
        """Read positions first: an order listed after them can be nobody's leftover from before."""
        at = self._clock.market_ms()
        account = await self._exchange.account()
        conditionals = await self._exchange.open_conditionals()
        orders = await self._exchange.open_orders()
        return AccountSurvey(account=account, conditionals=tuple(conditionals), orders=tuple(orders), at=at)

    def _failed(self, fault: Exception) -> None:
        log.warning("account not read: %s", fault)
        now = self._clock.monotonic()
        if self._failing_since is None:
            self._failing_since = now
        if now - self._failing_since >= ALARM_SECONDS:
            self._failing_since = now
            self._tell(fault)

    def _tell(self, fault: Exception, *, is_refused: bool = False) -> None:
        at = self._clock.market_ms()
        self._post(AccountUnreadable(at=at, reason=str(fault), is_refused=is_refused))
