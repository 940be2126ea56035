"""One process a folder: two traders on one journal would each undo what the other did."""

import os
import sys
from pathlib import Path
from typing import IO, Self

from core.errors import JournalError

if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: IO[str]) -> bool:
        file.seek(_BEYOND_THE_TEXT)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try_lock(file: IO[str]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


_BEYOND_THE_TEXT = 1 << 20  # Windows locks bytes against reading too, and others shall read who holds it


class RunLock:
    """The operating system's lock on ``folder/run.lock``, which names its holder.

    The system lets go when the process ends, however it ends: a lock file left by a crash holds nothing.
    """

    def __init__(self, folder: Path) -> None:
        """Raises ``JournalError`` when another process has the folder, or it can not be written."""
        self._path = folder / "run.lock"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("a+", encoding="utf-8")
        except OSError as error:
            raise JournalError(
                f"The folder {folder} can not be written ({error.strerror}): choose another."
            ) from error
        if not _try_lock(self._file):
            holder = self._holder()
            self._file.close()
            raise JournalError(
                f"The folder {folder} is in use by process {holder}: stop that one, or choose another."
            )
        self._sign()

    def release(self) -> None:
        """Let the next one in; the file stays, because removing it would race with its next holder."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def _holder(self) -> str:
        self._file.seek(0)
        return self._file.read().strip() or "unknown"

    def _sign(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        self._file.write(f"{os.getpid()}\n")
        self._file.flush()
