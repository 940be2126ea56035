"""A second witness of how far the journal reached: SQLite drops a damaged tail of its log without a word."""

import logging
import os
from pathlib import Path
from zlib import crc32

from data.journal_chain import Tail
from data.parquet_parts import sync_folder

log = logging.getLogger(__name__)

_UNKNOWN = "nothing tells whether the journal has lost its end"
_SLOT = 512  # one sector: a torn write spoils this mark and leaves the one before it


class Witness:
    """Remembers the newest committed event in a small file beside the journal.

    It is told after each commit, so after a crash the journal may be ahead of it, and never behind. Two slots
    take turns, each with a number that grows and a checksum. The witness is a guard, not the truth: where its
    file can not be read or written it says so in the log and nothing else changes.
    """

    def __init__(self, journal: Path, *, durable: bool = True) -> None:
        self._path = _path_of(journal)
        self._durable = durable
        self._file = self._opened()
        self._turn, self.seen = self._newest()

    def note(self, tail: Tail) -> None:
        """Take note of a commit, on the disk where the journal is to be durable."""
        if self._file is None:
            return
        self._turn += 1
        told = f"{self._turn} {tail.seq} {tail.hash}"
        mark = f"{told} {crc32(told.encode()):08x}\n".encode().ljust(_SLOT)
        try:
            os.lseek(self._file, self._turn % 2 * _SLOT, os.SEEK_SET)
            os.write(self._file, mark)
            if self._durable:
                _SYNC(self._file)
        except OSError as error:
            log.warning("the journal has no second witness any more: %s: %s", self._path, error)
            self.close()

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _opened(self) -> int | None:
        is_new = not self._path.exists()
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
            if is_new:
                sync_folder(self._path.parent)
        except OSError as error:
            log.warning("the journal has no second witness: %s: %s", self._path, error)
            return None
        return file

    def _newest(self) -> tuple[int, Tail | None]:
        if self._file is None:
            return 0, None
        content = os.read(self._file, 2 * _SLOT)
        turn, seen = _newest_in(content)
        if content and seen is None:
            log.warning("%s is damaged: %s", self._path, _UNKNOWN)
        return turn, seen


def ask_witness(journal: Path) -> tuple[Tail | None, str]:
    """Return what the witness of a journal saw last, or what is wrong with the witness; changes nothing."""
    path = _path_of(journal)
    try:
        seen = _newest_in(path.read_bytes())[1]
    except FileNotFoundError:
        return None, f"{path.name} is missing: {_UNKNOWN}"
    except OSError as error:
        return None, f"{path.name} can not be read ({error.strerror}): {_UNKNOWN}"
    return seen, "" if seen else f"{path.name} is damaged: {_UNKNOWN}"


def _newest_in(content: bytes) -> tuple[int, Tail | None]:
    marks = [mark for at in (0, _SLOT) if (mark := _mark_in(content[at : at + _SLOT])) is not None]
    return max(marks, key=lambda mark: mark[0], default=(0, None))


def _path_of(journal: Path) -> Path:
    return journal.with_name(f"{journal.name}.witness")


def _mark_in(slot: bytes) -> tuple[int, Tail] | None:
    told, _, checksum = slot.strip().rpartition(b" ")
    if f"{crc32(told):08x}".encode() != checksum:
        return None
    turn, seq, digest = told.decode().split(" ")
    return int(turn), Tail(seq=int(seq), hash=digest)


_SYNC = getattr(os, "fdatasync", os.fsync)
