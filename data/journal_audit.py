"""Everything that can be wrong with a journal, looked for from end to end."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

from core.errors import JournalError
from data.journal_chain import Tail
from data.journal_projections import project
from data.journal_reader import JournalReader
from data.journal_schema import blank_copy

_KEYS = {"positions": "position_id", "trades": "trade_id", "equity": "at"}


def audit(journal: JournalReader, seen: Tail | None) -> list[str]:
    """Name what is missing since a witness saw the end at ``seen``, what is altered, what does not add up.

    Slow: it reads every event twice.
    """
    found = [journal.missing_since(seen), journal.first_damage()]
    if not any(found):
        found.append(_not_adding_up(journal))
    return [each for each in found if each]


def _not_adding_up(journal: JournalReader) -> str:
    """Add all events up anew, and name the first row of the kept sums that differs."""
    with closing(blank_copy()) as fresh:
        for event in journal.events():
            try:
                body = event.entry().body
            except ValueError as error:
                raise JournalError(f"Event {event.seq} can not be read: {error}.") from error
            project(fresh, event, body)
        differences = (_difference(fresh, journal, table) for table in _KEYS)
        return next((each for each in differences if each), "")


def _difference(fresh: sqlite3.Connection, journal: JournalReader, table: str) -> str:
    key = _KEYS[table]
    columns = ", ".join(name for _, name, *_ in fresh.execute(f"PRAGMA table_info({table})") if name != key)
    query = f"SELECT {key}, {columns} FROM {table} ORDER BY {key}"  # noqa: S608 - our own names
    ours: Iterator[tuple[object, ...]] = iter(fresh.execute(query))
    theirs = journal.rows(query)
    while True:
        one, other = next(ours, None), next(theirs, None)
        if one != other:
            row = (one or other or ("",))[0]
            return f"the row {row} of {table} is not what the events add up to"
        if one is None:
            return ""
