"""Notes from one process to the next: whose a folder is, and that runs keep ending badly."""

from pathlib import Path

import pytest

from core.clock import ManualClock
from core.errors import JournalError
from data.folder_notes import CRASH_WINDOW_MS, MOST_CRASHES, BootNote, ExchangeNote

NOW = 1_764_547_200_000


def note(folder: Path, at: int = NOW) -> BootNote:
    return BootNote(folder / "boots.txt", ManualClock(at))


def test_a_folder_is_the_first_exchanges_for_good(tmp_path: Path) -> None:
    mark = ExchangeNote(tmp_path / "exchange.txt")
    assert mark.owner() == ""
    mark.claim("https://one.example")
    mark.claim("https://two.example")
    assert ExchangeNote(tmp_path / "exchange.txt").owner() == "https://one.example"


def test_a_note_that_can_not_be_kept_is_no_reason_to_guess(tmp_path: Path) -> None:
    (tmp_path / "exchange.txt").mkdir()
    with pytest.raises(JournalError, match=r"exchange\.txt"):
        ExchangeNote(tmp_path / "exchange.txt").owner()
    with pytest.raises(JournalError):
        ExchangeNote(tmp_path / "nowhere" / "exchange.txt").claim("https://one.example")


@pytest.mark.fault(89)
def test_runs_that_do_not_end_well_are_counted_and_waited_for_ever_longer(tmp_path: Path) -> None:
    pauses = []
    for start in range(12):
        pauses.append(note(tmp_path, NOW + start * 1000).pause())
        note(tmp_path, NOW + start * 1000).began()
    assert pauses[:6] == [0, 0, 1, 2, 4, 8]
    assert pauses[-1] == 60
    assert note(tmp_path, NOW + 12_000).crashes() == 12 > MOST_CRASHES


def test_a_run_that_ends_well_wipes_the_slate(tmp_path: Path) -> None:
    for _ in range(3):
        note(tmp_path).began()
    note(tmp_path).ended()
    assert note(tmp_path).crashes() == 0


def test_ten_minutes_without_a_crash_are_calm_enough(tmp_path: Path) -> None:
    for _ in range(3):
        note(tmp_path).began()
    assert note(tmp_path, NOW + CRASH_WINDOW_MS - 1).crashes() == 3
    assert note(tmp_path, NOW + CRASH_WINDOW_MS).crashes() == 0


def test_a_note_of_starts_that_is_damaged_is_worth_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "boots.txt").write_bytes(b"\xff yesterday")
    assert note(tmp_path).pause() == 0
    assert "can not be read" in caplog.text
    (tmp_path / "boots.tmp").mkdir()
    note(tmp_path).began()
    assert "can not be written" in caplog.text
