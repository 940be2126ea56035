"""Rows on their way to the trade log."""

from collections.abc import Sequence

from core.clock import ManualClock
from core.errors import DataFileError
from core.trades import TradeRecord
from services.bookkeeping import Bookkeeper
from tests.builders import trade


class Sink:
    """A trade log that can refuse, and remembers what it took."""

    def __init__(self) -> None:
        self.fault: Exception | None = None
        self.records: list[TradeRecord] = []

    def write(self, records: Sequence[TradeRecord]) -> None:
        if self.fault is not None:
            raise self.fault
        self.records.extend(records)


def test_a_refused_row_waits_for_the_next_time() -> None:
    sink = Sink()
    bookkeeper = Bookkeeper(sink, ManualClock())
    record = trade()
    bookkeeper.keep(record)
    for fault in (DataFileError("the disk is full"), RuntimeError("a mistake of ours")):
        sink.fault = fault
        bookkeeper.flush()
    sink.fault = None
    bookkeeper.flush()
    bookkeeper.flush()
    assert sink.records == [record]


def test_a_row_that_came_while_others_were_written_is_not_lost() -> None:
    bookkeeper = Bookkeeper(Sink(), ManualClock())
    late = trade()

    class Slow(Sink):
        def write(self, records: Sequence[TradeRecord]) -> None:
            if not self.records:
                bookkeeper.keep(late)
            super().write(records)

    sink = Slow()
    bookkeeper = Bookkeeper(sink, ManualClock())
    first = trade()
    bookkeeper.keep(first)
    bookkeeper.flush()
    bookkeeper.flush()
    assert sink.records == [first, late]
