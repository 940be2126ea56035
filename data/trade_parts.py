"""One Parquet file of the trade log: written whole or not at all, checked when read."""

import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

log = logging.getLogger(__name__)

# Arrow's readers skip names that begin with a dot or an underscore: what is not data hides behind one.
_UNFINISHED, _DAMAGED = ".", "_damaged-"
_REPLACES = b"perpscout.replaces"


def parts_in(folder: Path) -> list[Path]:
    """Return the parts of a trade log, or of one of its days, by name; other files are none of ours."""
    found = [*folder.glob("*.parquet"), *folder.glob("closed_date=*/*.parquet")]
    return sorted(path for path in found if not path.name.startswith((".", "_")))


def write_part(path: Path, table: pa.Table, *, replaces: Sequence[str] = ()) -> None:
    """Write a part that is there in full, on the disk, or not at all.

    ``replaces`` names parts of the same folder whose rows are in this one; see ``finish_replacing``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{_UNFINISHED}{path.name}.tmp")
    if replaces:
        table = table.replace_schema_metadata({_REPLACES: json.dumps(list(replaces))})
    with unfinished.open("wb") as file:
        pq.write_table(table, file, compression="zstd", write_page_checksum=True)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    sync_folder(path.parent)


def read_part(path: Path, *, columns: Sequence[str] | None = None) -> pa.Table | None:
    """Return a part's rows; a damaged one is set aside with a warning, and ``None`` returned."""
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            present = (
                None if columns is None else [name for name in columns if name in file.schema_arrow.names]
            )
            return file.read(columns=present).replace_schema_metadata(None)
    except (FileNotFoundError, PermissionError):
        raise
    except (pa.ArrowException, OSError) as error:
        _set_aside(path, error)
        return None


def remove_unfinished(folder: Path) -> None:
    """Remove what a crash left half-written; its rows are still in the journal."""
    for path in folder.rglob(f"{_UNFINISHED}*.tmp"):
        path.unlink()


def finish_replacing(folder: Path) -> None:
    """Remove the parts whose rows a merged part holds: a crash may have come between the two steps."""
    for merged in folder.rglob("merged-*.parquet"):
        if read_part(merged, columns=[]) is not None:
            metadata = pq.read_schema(merged).metadata
            for name in json.loads(metadata[_REPLACES]):
                merged.with_name(name).unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make a new name in a folder durable; Windows does so by itself and can not be asked."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _set_aside(path: Path, error: Exception) -> None:
    log.warning("%s is damaged (%s): it is set aside; rebuild the trade log from the journal", path, error)
    try:
        path.rename(path.with_name(f"{_DAMAGED}{path.name}"))
    except OSError as refusal:
        log.warning("%s could not be renamed (%s)", path, refusal)
