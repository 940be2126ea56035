"""The parts of the trade log: some of them replace others, and all can be rebuilt from the journal."""

import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from data import parquet_parts
from data.parquet_parts import is_part

_REPLACES = b"perpscout.replaces"
_REMEDY = "the next start brings its rows back from the journal"


def parts_in(folder: Path) -> list[Path]:
    """Return the parts of a trade log, or of one of its days, by name; other files are none of ours."""
    found = [*folder.glob("*.parquet"), *folder.glob("closed_date=*/*.parquet")]
    return sorted(path for path in found if is_part(path))


def parts_set_aside(folder: Path) -> list[Path]:
    """Return the damaged parts that lie in a trade log."""
    return parquet_parts.set_aside_in(folder)


def write_part(path: Path, table: pa.Table, *, replaces: Sequence[str] = ()) -> None:
    """Write a part that is there in full, on the disk, or not at all.

    ``replaces`` names parts of the same folder whose rows are in this one; see ``finish_replacing``.
    """
    metadata = {_REPLACES: json.dumps(list(replaces))} if replaces else None
    parquet_parts.write_part(path, table, metadata=metadata)


def read_part(path: Path, *, columns: Sequence[str] | None = None) -> pa.Table | None:
    """Return a part's rows; a damaged one is set aside with a warning, and ``None`` returned."""
    return parquet_parts.read_part(path, columns=columns, remedy=_REMEDY)


def finish_replacing(folder: Path) -> None:
    """Remove the parts whose rows a merged part holds: a crash may have come between the two steps."""
    for merged in parts_in(folder):
        if not merged.name.startswith("merged-") or not merged.exists():  # another merged part replaced it
            continue
        if read_part(merged, columns=[]) is not None:
            metadata = pq.read_schema(merged).metadata or {}
            for name in json.loads(metadata.get(_REPLACES, b"[]")):
                merged.with_name(name).unlink(missing_ok=True)
