"""Two traders never share a folder, and a crash never leaves one locked."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import JournalError
from data.run_lock import RunLock

HOLD = """
import sys
from pathlib import Path
from data.run_lock import RunLock
lock = RunLock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.fault(49)
def test_the_second_one_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    with (
        RunLock(tmp_path),
        pytest.raises(JournalError, match=rf"in use by process {os.getpid()}: stop that one"),
    ):
        RunLock(tmp_path)


def test_a_released_folder_is_free(tmp_path: Path) -> None:
    RunLock(tmp_path / "new").release()
    RunLock(tmp_path / "new").release()


def test_a_lock_left_by_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(JournalError, match=f"process {holder.pid}"):
            RunLock(tmp_path)
        holder.kill()
        holder.wait()
    with RunLock(tmp_path):
        assert (tmp_path / "run.lock").read_text() == f"{os.getpid()}\n"


def test_a_folder_that_can_not_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JournalError, match="can not be written"):
        RunLock(tmp_path / "file")
