"""One Parquet file among many: written whole or not at all, checked when read."""

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

log = logging.getLogger(__name__)

# Arrow's readers skip names that begin with a dot or an underscore: what is not data hides behind one.
_UNFINISHED, _DAMAGED = ".", "_damaged-"


def is_part(path: Path) -> bool:
    """Tell a part from what hides in the same folder."""
    return path.suffix == ".parquet" and not path.name.startswith((_UNFINISHED, "_"))


def write_part(
    path: Path, table: pa.Table, *, metadata: Mapping[bytes, str] | None = None, **layout: Any
) -> None:
    """Write a part that is there in full, on the disk, or not at all; ``layout`` goes to Arrow's writer."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = unfinished_name(path)
    if metadata:
        table = table.replace_schema_metadata(dict(metadata))
    with unfinished.open("wb") as file:
        pq.write_table(table, file, compression="zstd", write_page_checksum=True, **layout)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    sync_folder(path.parent)


def read_part(path: Path, *, columns: Sequence[str] | None = None, remedy: str) -> pa.Table | None:
    """Return a part's rows; a damaged one is set aside with a warning that ends in ``remedy``."""
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            present = (
                None if columns is None else [name for name in columns if name in file.schema_arrow.names]
            )
            return file.read(columns=present).replace_schema_metadata(None)
    except (FileNotFoundError, PermissionError):
        raise
    except (pa.ArrowException, OSError) as error:
        set_aside(path, error, remedy=remedy)
        return None


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


def sync_folder(folder: Path) -> None:
    """Make a new name in a folder durable; Windows does so by itself and can not be asked."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
