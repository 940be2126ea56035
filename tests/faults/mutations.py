"""Safeguards, each taken away: a storm that does not notice would be no proof of anything."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

import core.lifecycle
import services.book
from core.errors import ExchangeRefused, ExchangeUnavailable
from core.lifecycle_moves import LifecycleParameters, Step, finished
from core.orders import (
    AccountRead,
    CancelConditional,
    Command,
    OrderAbsent,
    Report,
    Role,
    SubmitEntry,
    role_of,
)
from core.positions import ExitReason, Position, Stage
from exchange.binance.futures import BinanceFutures
from services.book import Book
from services.execution import ExecutionService

Mutation = Callable[[pytest.MonkeyPatch], None]


def intent_after_order(patch: pytest.MonkeyPatch) -> None:
    """Write every step down together with the next one, when its orders are long gone."""
    write = Book._write
    late: dict[int, tuple[Step, dict[str, Any]]] = {}

    def write_behind(self: Book, step: Step, **rest: Any) -> None:
        before = late.pop(id(self), None)
        if before is not None:
            write(self, before[0], **before[1])
        late[id(self)] = (step, rest)

    patch.setattr(Book, "_write", write_behind)


def resend_without_a_query(patch: pytest.MonkeyPatch) -> None:
    """Send an entry again when nothing came back, as retrying libraries do."""
    ask = ExecutionService._ask

    async def ask_twice(self: ExecutionService, command: Command) -> Sequence[Report]:
        try:
            return await ask(self, command)
        except ExchangeUnavailable:
            if isinstance(command, SubmitEntry):
                return await ask(self, command)
            raise

    patch.setattr(ExecutionService, "_ask", ask_twice)


def no_stop_check(patch: pytest.MonkeyPatch) -> None:
    """Send a stop once, and never look whether it is there."""

    def unwatched(position: Position, parameters: LifecycleParameters, mono: float) -> Step:
        return Step(position=position)

    patch.setitem(core.lifecycle._WATCHES, Stage.PROTECTING, unwatched)
    patch.setattr(core.lifecycle, "watch_protecting", unwatched)
    patch.setattr(services.book, "lost_protections", lambda *_: ())


def no_orphan_sweep(patch: pytest.MonkeyPatch) -> None:
    """Leave behind whatever rests when a position has ended."""

    async def keep(self: BinanceFutures, conditional: CancelConditional) -> None: ...

    patch.setattr(BinanceFutures, "cancel", keep)


def not_found_is_absent(patch: pytest.MonkeyPatch) -> None:
    """Take the first "not found" for proof that an entry was never placed."""
    on_report = core.lifecycle.on_report

    def believe(position: Position, report: Report, parameters: LifecycleParameters, *, mono: float) -> Step:
        is_entry = isinstance(report, OrderAbsent) and role_of(report.client_order_id) is Role.ENTRY
        if is_entry and not position.fills:
            return finished(replace(position, exit_reason=ExitReason.NOT_PLACED), report.at, mono)
        return on_report(position, report, parameters, mono=mono)

    patch.setattr(core.lifecycle, "on_report", believe)


def failed_read_is_flat(patch: pytest.MonkeyPatch) -> None:
    """Take an account that can not be read for one that holds nothing."""
    read = BinanceFutures.account

    async def read_something(self: BinanceFutures) -> AccountRead:
        try:
            return await read(self)
        except (ExchangeUnavailable, ExchangeRefused):
            nothing = Decimal(10_000)
            return AccountRead(
                wallet=nothing,
                equity=nothing,
                available=nothing,
                positions=(),
                at=self._clock.market_ms(),
            )

    patch.setattr(BinanceFutures, "account", read_something)


MUTATIONS: Mapping[str, Mutation] = {
    "intent before order": intent_after_order,
    "query before resend": resend_without_a_query,
    "stop check": no_stop_check,
    "orphan sweep": no_orphan_sweep,
    "not found is not absent": not_found_is_absent,
    "a failed read is not flat": failed_read_is_flat,
}
