"""Looks at key, account and stops before anything trades, and at the account again while it does."""

import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from core.clock import Clock
from core.errors import ExchangeRefused, ExchangeUnavailable, ModeRefused
from core.notices import Alert, Severity
from core.operation import OperatorRequest
from core.ports import Notifier
from core.preflight import AccountModes, KeyRights, key_objections, mode_objections
from core.risk_state import Halt
from services.operator import Operator
from services.rehearsal import Rehearsed

log = logging.getLogger(__name__)

LOOK_SECONDS = 300.0
REHEARSALS = 3
PAUSE_SECONDS = 2.0


class Examination(Protocol):
    """Who answers; see ``exchange.binance.examination``."""

    async def rights(self) -> KeyRights | None: ...

    async def modes(self) -> AccountModes: ...


class Preflight:
    """Refuses to start what must not, and halts entries where what is held must still be looked after."""

    def __init__(
        self,
        examination: Examination,
        *,
        post: Callable[[OperatorRequest], None],
        notifier: Notifier,
        clock: Clock,
    ) -> None:
        self._examination = examination
        self._operator = Operator(post)
        self._notifier = notifier
        self._clock = clock
        self._told: frozenset[Halt] = frozenset()

    async def before_start(self, *, holds: bool) -> None:
        """Judge the key, then the account's modes; with positions held the latter only halt entries.

        Raises ``ModeRefused``, or what the exchange raised: a key that can not be examined is not used.
        """
        self._judge_key(await self._examination.rights())
        found = tuple(mode_objections(await self._examination.modes()))
        if found and not holds:
            raise ModeRefused("\n".join(sentence for _, sentence in found))
        self._object(found)

    async def rehearse(self, rehearsal: Callable[[], Awaitable[Rehearsed]]) -> None:
        """See that stops are taken; without them there are no entries, and what is open is looked after."""
        for attempt in range(1, REHEARSALS + 1):
            try:
                rehearsed = await rehearsal()
            except (ExchangeUnavailable, ExchangeRefused) as fault:
                if attempt == REHEARSALS:
                    self._halt(Halt.SELF_TEST, str(fault))
                await self._clock.sleep(PAUSE_SECONDS)
                continue
            if not rehearsed.works:
                self._halt(Halt.SELF_TEST, rehearsed.text)
            elif not rehearsed.beside:
                self._say("stops_not_beside", Severity.WARNING)
            return

    async def run(self) -> None:
        """Look at the account's modes for ever: a person may switch them beside us."""
        while True:
            await self._clock.sleep(LOOK_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Look once; entries are halted for as long as somebody who resumes has not mended it."""
        try:
            self._object(tuple(mode_objections(await self._examination.modes())))
        except (ExchangeUnavailable, ExchangeRefused) as fault:
            log.warning("the account's modes were not read: %s", fault)

    def _judge_key(self, rights: KeyRights | None) -> None:
        if rights is None:
            self._say("key_unexamined", Severity.INFO)
            return
        if sentences := tuple(key_objections(rights)):
            raise ModeRefused("\n".join(sentences))
        if not rights.is_bound_to_addresses:
            self._say("key_unbound", Severity.WARNING)

    def _object(self, found: tuple[tuple[Halt, str], ...]) -> None:
        for halt, sentence in found:
            if halt in self._told:
                self._operator.halt("preflight", halt.value)
            else:
                self._halt(halt, sentence)
        self._told = frozenset(halt for halt, _ in found)

    def _halt(self, halt: Halt, text: str) -> None:
        self._say(halt.value, Severity.CRITICAL, text)
        self._operator.halt("preflight", halt.value)

    def _say(self, key: str, severity: Severity, text: str = "") -> None:
        self._notifier.notify(Alert(key=key, severity=severity, at=self._clock.market_ms(), text=text))
