"""Rows on their way to the trade log."""

import asyncio
from collections.abc import Callable, Sequence

from core.clock import ManualClock, SystemClock
from core.errors import DataFileError
from core.notices import Alert
from core.trades import TradeRecord
from services.bookkeeping import Bookkeeper
from tests.builders import trade
from tests.builders_trader import Ear


class Sink:
    """A trade log that can refuse, and remembers what it took."""

    def __init__(self) -> None:
        self.fault: Exception | None = None
        self.said = ""
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


async def test_people_hear_of_a_fault_once_and_of_the_next_one_again() -> None:
    sink, clock, ear = Sink(), SystemClock(), Ear()
    bookkeeper = Bookkeeper(sink, clock, every_seconds=0.001, rest_seconds=0.0)
    bookkeeper.report_to(ear)
    running = asyncio.create_task(bookkeeper.run())
    for text in ("the disk is full", "the folder is gone"):
        sink.fault, sink.said = DataFileError(text), text
        bookkeeper.keep(trade())
        await until(lambda: ear.of(Alert)[-1:] != [] and ear.of(Alert)[-1].text == sink.said)
        sink.fault = None
        await until(lambda: not bookkeeper.waiting)
    running.cancel()
    assert [(each.key, each.text) for each in ear.of(Alert)] == [
        ("trade_log_failed", "the disk is full"),
        ("trade_log_failed", "the folder is gone"),
    ]


async def until(is_so: Callable[[], bool]) -> None:
    clock = SystemClock()
    while not is_so():
        await clock.sleep(0.001)


def test_what_waits_for_a_log_that_never_works_is_bounded() -> None:
    sink = Sink()
    sink.fault = DataFileError("the disk is full")
    bookkeeper, record = Bookkeeper(sink, ManualClock()), trade()
    for _ in range(1_500):
        bookkeeper.keep(record)
    bookkeeper.flush()
    assert bookkeeper.waiting == 1_000


def test_the_log_is_opened_though_nothing_waits() -> None:
    class Opened(Sink):
        times = 0

        def write(self, records: Sequence[TradeRecord]) -> None:
            self.times += 1

    sink = Opened()
    bookkeeper = Bookkeeper(sink, ManualClock())
    bookkeeper.flush()
    bookkeeper.flush()
    assert sink.times == 1


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
