"""Positions of one account, real or paper: applies the lifecycle, writes the journal, sends the orders."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Protocol

from core import lifecycle
from core.clock import Clock
from core.errors import JournalError
from core.instruments import Instrument
from core.journal import Body, CommandSent, Entry, IntentRecorded, PositionChanged, ReportReceived
from core.lifecycle import LifecycleParameters
from core.lifecycle_moves import Concern, Step, open_questions
from core.market import MinuteClosed
from core.order_ids import position_tag
from core.orders import (
    AccountRead,
    AccountSurvey,
    Command,
    ConditionalsListed,
    FundingPaid,
    HeldPosition,
    OrderFilled,
    Report,
)
from core.ports import Execution, Recorder
from core.positions import ExitReason, Position, PositionPlan, Source, Stage
from core.reconciliation import (
    Finding,
    late_entries,
    lost_protections,
    most_urgent_first,
    oddities,
    orphans,
    ours_on,
)
from services.given_up import GivenUp
from services.known_tags import KnownTags

log = logging.getLogger(__name__)


class MinuteDriven(Protocol):
    """An execution whose venue is made of closed candles; see ``exchange.paper``."""

    def open_minute(self, minute: MinuteClosed) -> Sequence[Report]: ...

    def close_minute(self, minute: MinuteClosed) -> Sequence[Report]: ...

    def restore(self, positions: Sequence[Position]) -> None: ...

    def follow(self, contracts: Mapping[str, Instrument]) -> None: ...

    def withdraw(self, symbol: str) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BookListener:
    """Whom a book tells of what happened in it, after the journal has it.

    ``entered`` at the first fill, ``opened`` once it is protected and its entry whole, or has to be left,
    ``closed`` whether or not anything was ever held, ``stray`` for reports about nothing this book knows.
    ``ending`` is asked before: what it returns is written in the very transaction that ends the position.
    """

    ending: Callable[[Position], Sequence[Entry]]
    entered: Callable[[Position], None]
    opened: Callable[[Position], None]
    closed: Callable[[Position], None]
    worried: Callable[[Position, Concern], None]
    account: Callable[[AccountRead], None]
    stray: Callable[[Report], None]


def unheard(*_news: object) -> None:
    """Be the ears for news that is nobody's business."""


class Book:
    """Live positions of one account by symbol. Only the trader's task calls it; readers take ``positions``.

    The order is always: decide (pure), journal, then send. A step that can not be journalled is not sent.
    """

    def __init__(
        self,
        source: Source,
        execution: Execution,
        *,
        journal: Recorder,
        clock: Clock,
        parameters: LifecycleParameters,
        listener: BookListener,
        venue: MinuteDriven | None = None,
    ) -> None:
        self.source = source
        self._execution = execution
        self._journal = journal
        self._clock = clock
        self._parameters = parameters
        self._listener = listener
        self._venue = venue
        self._positions: dict[str, Position] = {}
        self._tags = KnownTags()
        self._given_up = GivenUp()
        self._beginning: set[str] = set()  # what is held, and nobody was told of yet

    @property
    def positions(self) -> Mapping[str, Position]:
        """Return live positions by symbol; the values never change, the mapping does."""
        return self._positions

    def restore(self, positions: Sequence[Position], known_ids: Sequence[str] = ()) -> None:
        """Take up positions that an earlier run left open, and ask about all that is not known of them.

        ``known_ids`` are those of positions already closed, newest first: by them their leftovers are told
        from others'.
        """
        self._tags.keep(reversed(known_ids))
        self._tags.keep(each.position_id for each in positions)
        if self._venue is not None:
            self._venue.restore(positions)
        for position in positions:
            self._positions[position.symbol] = position
            if _is_beginning(position):
                self._beginning.add(position.position_id)
        for position in positions:
            step = lifecycle.resumed(position, mono=self._clock.monotonic())
            self._carry_out(step, at=self._clock.market_ms())

    def remember(self, given_up: Iterable[Position]) -> None:
        """Know again what earlier runs gave up, the oldest first: an entry may fill, or be found, late."""
        self._given_up.keep(given_up)

    def knows(self, position_id: str) -> bool:
        """Tell whether a position of this id was ever begun: the same signal is acted on once."""
        return position_tag(position_id) in self._tags

    def open(self, plan: PositionPlan) -> None:
        """Record the intent, then begin. A symbol already held is a mistake of the caller's."""
        if plan.symbol in self._positions:
            raise ValueError(f"{plan.symbol} is already held in the {self.source} book")
        step = lifecycle.begin(plan, mono=self._clock.monotonic())
        self._carry_out(step, at=plan.planned_at, cause=IntentRecorded(plan=plan))

    def withdraw(self, symbol: str) -> bool:
        """Take back an entry that waits for the next candle; ``False`` where there is none to take back."""
        position = self._positions.get(symbol)
        if self._venue is None or position is None or position.fills:
            return False
        if not self._venue.withdraw(symbol):
            return False
        return self._move(symbol, lambda each, mono: lifecycle.withdrawn(each, each.plan.planned_at, mono))

    def receive(self, report: Report) -> None:
        """Apply a venue's report to the position it is about."""
        if isinstance(report, AccountRead):
            self._listener.account(report)
            self._compare(report)
            return
        if isinstance(report, ConditionalsListed):
            # What another trader like us placed is not ours to judge.
            report = replace(report, resting=ours_on(report.symbol, report.resting, self._tags))
        symbol = getattr(report, "symbol", None)
        position = self._positions.get(symbol) if symbol else None
        if position is None and isinstance(report, OrderFilled) and self._enter_late(report):
            return
        if position is None or getattr(report, "position_id", position.position_id) != position.position_id:
            self._listener.stray(report)
            return
        if isinstance(report, FundingPaid) and not position.held_at(report.at):
            self._listener.stray(report)  # for the one that held the symbol before
            return
        step = lifecycle.on_report(position, report, self._parameters, mono=self._clock.monotonic())
        if step.position is not position or step.commands:
            self._carry_out(step, at=report.at, cause=ReportReceived(book=self.source, report=report))

    def reconcile(self, survey: AccountSurvey) -> tuple[Finding, ...]:
        """Hold everything we believe against everything the venue shows; returns what is not ours.

        The unprotected come first. Orders we believe in and do not see are asked about, orders of ours
        that should not be there are cancelled.
        """
        self._listener.account(survey.account)
        self._compare(survey.account)
        for position in most_urgent_first(self._positions.values()):
            self._order(lost_protections(position, survey), at=survey.at)
            resting = tuple(each for each in survey.conditionals if each.symbol == position.symbol)
            self.receive(
                ConditionalsListed(
                    position_id=position.position_id, symbol=position.symbol, resting=resting, at=survey.at
                )
            )
        self._order(orphans(survey, self._positions, self._tags), at=survey.at)
        self._order(late_entries(survey, self._positions, self._given_up), at=survey.at)
        return oddities(survey, self._positions, self._tags)

    def ask_everything(self) -> None:
        """Ask what became of every order, because news of them may have been lost."""
        for position in most_urgent_first(self._positions.values()):
            self._order(open_questions(position), at=self._clock.market_ms())

    def advance(self, minute: MinuteClosed) -> None:
        """Let a candle-made venue live through the minute, and note how far prices went."""
        if self._venue is not None:
            for report in self._venue.open_minute(minute):
                self.receive(report)
            self._widen(minute)
            for report in self._venue.close_minute(minute):
                self.receive(report)
        else:
            self._widen(minute)

    def tick(self, marks: Mapping[str, Decimal] | None = None) -> None:
        """Look at every deadline, and at what the marks of this moment say of the stops."""
        for symbol in list(self._positions):
            self._move(symbol, lambda each, mono: lifecycle.on_time(each, self._parameters, mono=mono))
        for symbol, mark in (marks or {}).items():
            self._look_at(symbol, mark)

    def follow(self, contracts: Mapping[str, Instrument]) -> None:
        """Hold every position to its contract's terms of now; one no longer listed keeps those it had."""
        if self._venue is not None:
            self._venue.follow(contracts)
        for symbol in list(self._positions):
            contract = contracts.get(symbol)
            if contract is not None:
                self._learn(symbol, contract)

    def request_close(self, symbol: str, reason: ExitReason) -> bool:
        """Start closing what is held; ``False`` when there is nothing to close."""
        return self._move(symbol, lambda each, mono: lifecycle.request_close(each, reason, mono=mono))

    def tighten(self, symbol: str, price: Decimal) -> bool:
        """Move the stop of a position; ``False`` when it stays where it is."""
        return self._move(symbol, lambda each, mono: lifecycle.tighten(each, price, mono))

    def _learn(self, symbol: str, contract: Instrument) -> None:
        self._move(symbol, lambda each, mono: lifecycle.on_terms(each, contract, mono=mono))

    def _enter_late(self, fill: OrderFilled) -> bool:
        """Take up what was given up and is held after all; ``False`` where the fill is not of such."""
        position = self._given_up.entered_by(fill.client_order_id)
        if position is None:
            return False
        step = lifecycle.entered_late(position, fill, self._parameters, mono=self._clock.monotonic())
        self._carry_out(step, at=fill.at, cause=ReportReceived(book=self.source, report=fill))
        return True

    def _look_at(self, symbol: str, mark: Decimal) -> None:
        self._move(symbol, lambda each, mono: lifecycle.on_mark(each, mark, self._parameters, mono=mono))

    def _move(self, symbol: str, rule: Callable[[Position, float], Step]) -> bool:
        """Let a rule look at a position; tells whether anything came of it."""
        position = self._positions.get(symbol)
        if position is None:
            return False
        step = rule(position, self._clock.monotonic())
        if step.position is position and not step.commands:
            return False
        self._carry_out(step, at=self._clock.market_ms())
        return True

    def _compare(self, account: AccountRead) -> None:
        """Hold what we believe against a read of the account, where that is newer than our last fill."""
        held = {each.symbol: each for each in account.positions}
        for symbol, position in list(self._positions.items()):
            if account.may_hold(symbol) or _is_older(account, position):
                continue
            step = self._seen(position, held.get(symbol), account.at)
            if step.position is not position:
                self._carry_out(step, at=account.at, cause=ReportReceived(book=self.source, report=account))

    def _seen(self, position: Position, held: HeldPosition | None, at: int) -> Step:
        mono = self._clock.monotonic()
        if held is None:
            return lifecycle.found_flat(position, self._parameters, at=at, mono=mono)
        return lifecycle.found_held(position, held, self._parameters, at=at, mono=mono)

    def _widen(self, minute: MinuteClosed) -> None:
        for symbol, position in self._positions.items():
            candle = minute.candle(symbol)
            if candle is not None:
                self._positions[symbol] = lifecycle.with_excursion(position, high=candle.high, low=candle.low)

    def _carry_out(self, step: Step, *, at: int, cause: Body | None = None) -> None:
        before = self._positions.get(step.position.symbol)
        try:
            self._write(step, at=at, cause=cause)
        except JournalError:
            if before is None:
                raise
            # The entry could not be written down, so it does not leave, and nothing will ever be held.
            log.warning("%s is given up: its entry could not be written down", before.position_id)
            self._carry_out(lifecycle.withdrawn(before, at, self._clock.monotonic()), at=at)
            return
        self._keep(step.position)
        self._tell(before, step.position)
        for concern in step.concerns:
            self._listener.worried(step.position, concern)
        for command in step.commands:
            self._send(command)

    def _write(self, step: Step, *, at: int, cause: Body | None) -> None:
        bodies: list[Body] = [cause] if cause else []
        bodies.append(PositionChanged(position=step.position))
        bodies.extend(CommandSent(command=command) for command in step.commands)
        seen_at = self._clock.market_ms()
        entries = [Entry(body=body, at=at, seen_at=seen_at) for body in bodies]
        if not step.position.is_live:
            entries.extend(self._listener.ending(step.position))
        self._journal.append(entries)

    def _keep(self, position: Position) -> None:
        if position.is_live:
            self._tags.keep((position.position_id,))
            self._positions[position.symbol] = position
        else:
            self._positions.pop(position.symbol, None)
            self._given_up.keep((position,))

    def _tell(self, before: Position | None, after: Position) -> None:
        if after.entered and not (before and before.entered):
            self._listener.entered(after)
            self._beginning.add(after.position_id)
        if after.position_id in self._beginning and _has_begun(after):
            self._beginning.discard(after.position_id)
            self._listener.opened(after)
        if not after.is_live:
            self._listener.closed(after)

    def _order(self, commands: Sequence[Command], *, at: int) -> None:
        """Write down and send what follows from no change of a position."""
        seen_at = self._clock.market_ms()
        bodies = [CommandSent(command=command) for command in commands]
        self._journal.append([Entry(body=body, at=at, seen_at=seen_at) for body in bodies])
        for command in commands:
            self._send(command)

    def _send(self, command: Command) -> None:
        for report in self._execution.submit(command):
            self.receive(report)


def _has_begun(position: Position) -> bool:
    """Whether all there is to tell of an opened position is known, its target among it."""
    is_whole = position.stage is not Stage.OPEN or position.entry_settled
    return is_whole and position.stage is not Stage.PROTECTING


def _is_beginning(position: Position) -> bool:
    """Whether an earlier run held it and had not told of it yet."""
    was_never_protected = position.stage is Stage.PROTECTING and not position.unprotected_seconds
    return was_never_protected or (position.stage is Stage.OPEN and not _has_begun(position))


def _is_older(account: AccountRead, position: Position) -> bool:
    """Whether a read was asked for, or answered from what was known, before our last execution."""
    if not position.fills:
        return False
    last = position.fills[-1].at
    return account.at <= last or 0 < account.updated_at < last
