"""A ban outlives the process that was banned."""

from pathlib import Path

import pytest

from core.clock import ManualClock
from core.errors import RateLimited
from exchange.limits.ban import BanNote
from exchange.limits.weight import Priority, WeightLimiter


@pytest.mark.fault(9)
async def test_the_next_process_keeps_away_until_the_ban_is_over(tmp_path: Path) -> None:
    clock = ManualClock(1_000_000)
    note = BanNote(tmp_path / "ban.txt", clock)
    WeightLimiter(clock, note=note).close_for(120.0)
    clock.advance_to(1_000_000 + 119_000)
    with pytest.raises(RateLimited) as refusal:
        await WeightLimiter(clock, note=note).acquire(1, Priority.PROTECTIVE)
    assert refusal.value.retry_after == pytest.approx(1.0, abs=0.01)
    clock.advance_to(1_000_000 + 121_000)
    await WeightLimiter(clock, note=note).acquire(1, Priority.PROTECTIVE)


def test_a_shorter_ban_does_not_shorten_a_longer_one(tmp_path: Path) -> None:
    note = BanNote(tmp_path / "ban.txt", ManualClock(0))
    note.write(60.0)
    note.write(5.0)
    assert note.left() == pytest.approx(60.0, abs=0.01)


@pytest.mark.parametrize("content", [b"", b"soon", b"\xff\x00"])
def test_a_note_that_can_not_be_read_is_no_ban(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "ban.txt").write_bytes(content)
    assert BanNote(tmp_path / "ban.txt", ManualClock(0)).left() == 0.0


def test_without_a_place_to_write_there_is_only_a_warning(tmp_path: Path) -> None:
    note = BanNote(tmp_path / "nowhere" / "ban.txt", ManualClock(0))
    note.write(60.0)
    assert note.left() == 0.0
