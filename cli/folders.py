"""The folder of one run: fresh, writable, and never one that holds another run."""

from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from core.errors import PerpscoutError


def fresh_folder(home: Path, command: str, *, now_ms: int, chosen: Path | None = None) -> Path:
    """Make and return the folder ``chosen``, or a new one named by the time under ``home``.

    Raises ``PerpscoutError`` in one sentence when it can not be used; then nothing was written.
    """
    if chosen is not None:
        return _made(chosen)
    stamp = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y%m%d-%H%M%S")
    names = (stamp if number == 1 else f"{stamp}-{number}" for number in count(1))
    return _made(next(path for name in names if not (path := home / command / name).exists()))


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise PerpscoutError(f"{folder} is not empty: choose a new folder with --out, or empty this one.")
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as fault:
        reason = fault.strerror or str(fault)
        raise PerpscoutError(f"{folder} can not be written to ({reason}): choose another folder.") from None
    return folder
