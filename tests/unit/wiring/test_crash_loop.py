"""A run that has crashed too often lately: it watches over what is open, and opens nothing."""

import asyncio
from pathlib import Path

import pytest

from core.clock import SystemClock
from core.errors import JournalError
from core.risk_state import Halt
from data.folder_notes import MOST_CRASHES, BootNote
from data.journal_reader import JournalReader
from tests.unit.wiring.test_live import PATIENCE, SWITCHES, live, market, trading


@pytest.mark.fault(89)
async def test_after_five_crashes_in_ten_minutes_entries_stay_off_until_a_person_resumes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BootNote, "pause", lambda _: 0.0)
    async with market() as wire:
        settings = live(tmp_path, wire, **SWITCHES)
        settings.folder.mkdir(parents=True)
        for _ in range(MOST_CRASHES):
            BootNote(settings.folder / "boots.txt", SystemClock()).began()
        async with trading(settings, wire):
            async with asyncio.timeout(PATIENCE):
                while halted(settings.folder) != Halt.CRASH_LOOP:
                    await SystemClock().sleep(0.1)
    assert "fapi/v1/order" not in wire.sent("POST")
    assert BootNote(settings.folder / "boots.txt", SystemClock()).crashes() == 0  # this one has ended well


def halted(folder: Path) -> str:
    try:
        with JournalReader(folder / "journal.db") as reader:
            state = reader.risk_state()
    except JournalError:  # it is being made
        return ""
    return state.halted if state else ""
