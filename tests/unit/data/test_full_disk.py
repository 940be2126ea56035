"""A disk without room, as the file system itself refuses: nothing is lost, and exits go on."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.errors import DataFileError, JournalError
from core.journal import Entry, PositionChanged, PositionClosed
from core.notices import Alert
from core.operation import OperatorAction, OperatorRequest
from core.positions import Source
from data.journal import SqliteJournal
from data.journal_reader import JournalReader
from data.trade_log import read_trades
from data.trade_sink import DerivedTradeLog
from tests.builders import T0, candidate, plan, position, ranked, trade
from tests.builders_trader import World, open_one
from tests.fakes.journal import MemoryJournal

resource = pytest.importorskip("resource", reason="Windows has no limit on the size of files")


@contextmanager
def no_file_beyond(size: int) -> Iterator[None]:
    """Let the system refuse every byte beyond that place in any file of this process."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def log_size(path: Path) -> int:
    return path.with_name(f"{path.name}-wal").stat().st_size


class KeptJournal(MemoryJournal):
    """A journal in memory that is on the disk first."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.disk = SqliteJournal(path)

    def append(self, entries: Sequence[Entry]) -> None:
        self.disk.append(entries)
        super().append(entries)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def changes(*numbers: int) -> list[Entry]:
    bodies = [PositionChanged(position=position(plan(ranked(candidate(at=T0 + each))))) for each in numbers]
    return [Entry(body=body, at=T0, seen_at=T0) for body in bodies]


@pytest.mark.parametrize("room", [0, 1, 24, 4096, 10_000])
def test_a_call_for_which_there_is_no_room_leaves_nothing_and_the_next_goes_on(path: Path, room: int) -> None:
    with SqliteJournal(path) as journal:
        journal.append(changes(0))
        with no_file_beyond(log_size(path) + room), pytest.raises(JournalError, match=r"journal\.db can not"):
            journal.append(changes(*range(1, 60)))
        assert journal.reader().verify() == 1
        journal.append(changes(60))
        assert journal.reader().verify() == 2
    with SqliteJournal(path) as again:
        assert again.damage() == ""
        assert len(again.live_positions()) == 2


@pytest.mark.fault(79)
def test_on_a_full_disk_nothing_opens_what_is_open_closes_and_the_journal_catches_up(path: Path) -> None:
    journal = KeptJournal(path)
    world = World(journal)
    world.minute()
    open_one(world)
    with no_file_beyond(log_size(path)):
        world.wish("BUSDT")
        world.minute()
        world.minute(AUSDT=(100, 100, 90, 90))
        world.minute()
        assert world.held(Source.REAL) == []
        assert world.trader.desk.halted == "journal_failed"
        assert "journal_failed" in [each.key for each in world.ear.of(Alert)]
    world.trader.process(OperatorRequest(action=OperatorAction.RESUME, by="owner"))
    world.minute()
    with JournalReader(path) as reader:
        reader.verify()
        assert [each.symbol for each in reader.closed_trades()] == ["AUSDT"]
        assert [type(each.body) for each in reader.entries()] == [type(each.body) for each in journal.entries]


def test_a_trade_log_without_room_catches_up_from_the_journal(path: Path, tmp_path: Path) -> None:
    record = trade()
    with SqliteJournal(path) as journal:
        body = PositionClosed(position=record.position, snapshot=record.snapshot)
        journal.append([Entry(body=body, at=T0, seen_at=T0)])
        sink = DerivedTradeLog(tmp_path / "trades", path)
        with no_file_beyond(500), pytest.raises(DataFileError, match="can not be written"):
            sink.write([record])
        sink.write([])
    assert len(read_trades(tmp_path / "trades")) == 1
