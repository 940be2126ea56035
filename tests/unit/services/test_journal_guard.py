"""What the guard lets through when the journal can not be written."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from core.errors import EntryUnwritable, JournalError
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
CLOSE = CloseAtMarket(
    position_id="p", client_order_id="c", symbol="SOLUSDT", side=PLAN.side, quantity=PLAN.quantity
)
CLOSING = CommandSent(command=CLOSE)


def entry(body: IntentRecorded | CommandSent | PositionChanged) -> Entry:
    return Entry(body=body, at=T0, seen_at=T0)


def guarded(journal: MemoryJournal | None = None) -> tuple[JournalGuard, MemoryJournal, list[str]]:
    journal, faults = journal or MemoryJournal(), list[str]()
    return JournalGuard(journal, failed=faults.append, lost=lambda: faults.append("lost")), journal, faults


class TightJournal(MemoryJournal):
    """A disk for ``room`` entries in all and ``most`` at once; ``poison`` is what can not be encoded."""

    def __init__(self, *, room: int = 1_000_000, most: int = 1_000_000, poison: object = None) -> None:
        super().__init__()
        self.room, self.most, self.poison = room, most, poison

    def append(self, entries: Sequence[Entry]) -> None:
        if any(each.body is self.poison for each in entries):
            raise EntryUnwritable("NaN has no JSON")
        if len(entries) > min(self.most, self.room - len(self.entries)):
            raise JournalError("the disk is full")
        super().append(entries)


def closings(count: int) -> list[CommandSent]:
    return [CommandSent(command=replace(CLOSE, client_order_id=f"c{index}")) for index in range(count)]


def test_a_disk_with_little_room_loses_nothing_of_what_waits() -> None:
    guard, journal, _ = guarded(TightJournal(most=2))
    journal.is_broken = True
    bodies = closings(6)
    for body in bodies[:5]:
        guard.append([entry(body)])
    journal.is_broken = False
    guard.append([entry(bodies[5])])
    assert [each.body for each in journal.entries] == bodies


def test_what_still_finds_no_room_goes_on_waiting_in_order() -> None:
    tight = TightJournal(room=2)
    guard, journal, faults = guarded(tight)
    journal.is_broken = True
    bodies = closings(6)
    for body in bodies[:4]:
        guard.append([entry(body)])
    journal.is_broken = False
    guard.append([entry(bodies[4])])
    assert [each.body for each in journal.entries] == bodies[:2]
    with pytest.raises(JournalError):
        guard.append([entry(OPENING[0])])
    tight.room = 100
    guard.append([entry(bodies[5])])
    assert [each.body for each in journal.entries] == bodies
    assert "lost" not in faults


def test_only_what_can_not_be_encoded_is_given_up_and_people_hear_of_it() -> None:
    bodies = closings(5)
    guard, journal, faults = guarded(TightJournal(poison=bodies[1]))
    guard.append([entry(body) for body in bodies[:3]])
    guard.append([entry(bodies[3])])
    guard.append([entry(bodies[4])])
    assert [each.body for each in journal.entries] == [bodies[0], *bodies[2:]]
    assert faults.count("lost") == 1


def test_when_too_much_waits_the_oldest_goes_and_people_hear_of_it_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.journal_guard._MOST_WAITING", 3)
    guard, journal, faults = guarded()
    journal.is_broken = True
    bodies = closings(6)
    for body in bodies[:5]:
        guard.append([entry(body)])
    assert faults.count("lost") == 1
    journal.is_broken = False
    guard.append([entry(bodies[5])])
    assert [each.body for each in journal.entries] == bodies[2:]


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
    assert journal.live_positions() == [position()]


def test_what_could_not_be_written_goes_before_what_comes_next() -> None:
    guard, journal, _ = guarded()
    changed = PositionChanged(position=position())
    journal.is_broken = True
    guard.append([entry(CLOSING)])
    journal.is_broken = False
    guard.append([entry(changed)])
    guard.append([entry(changed)])
    assert [each.body for each in journal.entries] == [CLOSING, changed, changed]


def test_what_waits_is_written_as_soon_as_it_can_be_though_nothing_else_is() -> None:
    guard, journal, faults = guarded()
    journal.is_broken = True
    guard.append([entry(CLOSING)])
    guard.make_up()
    assert faults == ["the disk is full"]
    assert not journal.entries
    journal.is_broken = False
    guard.make_up()
    guard.make_up()
    assert [each.body for each in journal.entries] == [CLOSING]
