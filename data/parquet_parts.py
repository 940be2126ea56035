"""One Parquet file among many: written whole or not at all, checked when read."""

import logging
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.parquet as pq

log = logging.getLogger(__name__)

# Arrow's readers skip names that begin with a dot or an underscore: what is not data hides behind one.
_UNFINISHED, _DAMAGED = ".", "_damaged-"
_SEAL = b"CRC1"
_SEAL_BYTES = len(_SEAL) + 4

DAMAGE: Final = (pa.ArrowException, OSError, ValueError)
"""What reading a damaged part raises."""


def is_part(path: Path) -> bool:
    """Tell a part from what hides in the same folder."""
    return path.suffix == ".parquet" and not path.name.startswith((_UNFINISHED, "_"))


def write_part(
    path: Path, table: pa.Table, *, metadata: Mapping[bytes, str] | None = None, **layout: Any
) -> None:
    """Write a part that is there in full, on the disk, or not at all; ``layout`` goes to Arrow's writer.

    Raises ``OSError`` where the disk refuses, and where Arrow does.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = unfinished_name(path)
    if metadata:
        table = table.replace_schema_metadata(dict(metadata))
    with unfinished.open("w+b") as file:
        try:
            pq.write_table(table, file, compression="zstd", write_page_checksum=True, **layout)
        except pa.ArrowException as error:
            raise OSError(f"{path} could not be written: {error}") from error
        _seal(file)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    sync_folder(path.parent)


def read_part(path: Path, *, columns: Sequence[str] | None = None, remedy: str) -> pa.Table | None:
    """Return a part's rows; a damaged one is set aside with a warning that ends in ``remedy``."""
    try:
        with opened_part(path) as file:
            present = (
                None if columns is None else [name for name in columns if name in file.schema_arrow.names]
            )
            return file.read(columns=present).replace_schema_metadata(None)
    except (FileNotFoundError, PermissionError):
        raise
    except DAMAGE as error:
        set_aside(path, error, remedy=remedy)
        return None


@contextmanager
def opened_part(path: Path, **options: Any) -> Iterator[pq.ParquetFile]:
    """Open a part whose footer is what was written, its pages checked as they are read; raises ``DAMAGE``."""
    with path.open("rb") as file:
        _check_seal(file)
    with pq.ParquetFile(path, page_checksum_verification=True, **options) as part:
        yield part


def _seal(file: BinaryIO) -> None:
    """Put the footer's checksum between the pages and the footer, where every reader passes over it.

    Pages have checksums of their own. On some damaged footers Arrow does not raise but ends the process.
    """
    start, footer = _footer(file)
    file.seek(start)
    file.write(_SEAL + zlib.crc32(footer).to_bytes(4, "little") + footer)


def _check_seal(file: BinaryIO) -> None:
    start, footer = _footer(file)
    file.seek(max(start - _SEAL_BYTES, 0))
    mark, stated = file.read(len(_SEAL)), file.read(4)
    if mark == _SEAL and stated != zlib.crc32(footer).to_bytes(4, "little"):
        raise pa.ArrowInvalid("its footer is not the one that was written")


def _footer(file: BinaryIO) -> tuple[int, bytes]:
    """Return where the footer starts, and the footer with its length and the closing mark of the format."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - 8, 0))
    length = int.from_bytes(file.read(4), "little") + 8
    start = max(size - length, 0)
    file.seek(start)
    return start, file.read()


def remove_unfinished(folder: Path) -> None:
    """Remove what a crash left half-written."""
    for path in folder.rglob(f"{_UNFINISHED}*.tmp"):
        path.unlink()


def unfinished_name(path: Path) -> Path:
    """Return the name under which a part is written until it is whole."""
    return path.with_name(f"{_UNFINISHED}{path.name}.tmp")


def set_aside(path: Path, error: Exception, *, remedy: str) -> None:
    """Rename a damaged part, so that nobody reads it and a person may look at it."""
    log.warning("%s is damaged (%s): it is set aside; %s", path, error, remedy)
    try:
        path.rename(path.with_name(f"{_DAMAGED}{path.name}"))
    except OSError as refusal:
        log.warning("%s could not be renamed (%s)", path, refusal)


def set_aside_in(folder: Path) -> list[Path]:
    """Return what was set aside in a folder and those below it, by name."""
    return sorted(folder.rglob(f"{_DAMAGED}*"))


def sync_folder(folder: Path) -> None:
    """Make a new name in a folder durable; Windows does so by itself and can not be asked."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
