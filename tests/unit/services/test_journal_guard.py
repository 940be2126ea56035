"""What the guard lets through when the journal can not be written."""

import pytest

from core.errors import JournalError
from core.journal import CommandSent, Entry, IntentRecorded, PositionChanged
from core.orders import CloseAtMarket, PrepareSymbol, SubmitEntry
from services.journal_guard import JournalGuard
from tests.builders import T0, plan, position
from tests.fakes.journal import MemoryJournal

PLAN = plan()
OPENING = (
    IntentRecorded(plan=PLAN),
    CommandSent(command=PrepareSymbol(position_id="p", symbol="SOLUSDT", leverage=3)),
    CommandSent(
        command=SubmitEntry(
            position_id="p", client_order_id="e", symbol="SOLUSDT", side=PLAN.side, quantity=PLAN.quantity
        )
    ),
)
CLOSING = CommandSent(
    command=CloseAtMarket(
        position_id="p", client_order_id="c", symbol="SOLUSDT", side=PLAN.side, quantity=PLAN.quantity
    )
)


def entry(body: IntentRecorded | CommandSent | PositionChanged) -> Entry:
    return Entry(body=body, at=T0, seen_at=T0)


def guarded() -> tuple[JournalGuard, MemoryJournal, list[str]]:
    journal, faults = MemoryJournal(), list[str]()
    return JournalGuard(journal, failed=faults.append), journal, faults


@pytest.mark.parametrize("body", OPENING, ids=["intent", "prepare", "entry"])
def test_nothing_is_opened_unwritten(body: IntentRecorded | CommandSent) -> None:
    guard, journal, faults = guarded()
    journal.is_broken = True
    with pytest.raises(JournalError):
        guard.append([entry(PositionChanged(position=position())), entry(body)])
    assert faults == ["the disk is full"]


def test_what_closes_goes_on_and_is_made_up_for_later() -> None:
    guard, journal, faults = guarded()
    journal.is_broken = True
    guard.append([entry(CLOSING)])
    assert faults == ["the disk is full"]
    journal.is_broken = False
    guard.append([entry(PositionChanged(position=position()))])
    assert guard.live_positions() == [position()]


def test_what_could_not_be_written_goes_before_what_comes_next() -> None:
    guard, journal, _ = guarded()
    changed = PositionChanged(position=position())
    journal.is_broken = True
    guard.append([entry(CLOSING)])
    journal.is_broken = False
    guard.append([entry(changed)])
    guard.append([entry(changed)])
    assert [each.body for each in journal.entries] == [CLOSING, changed, changed]
