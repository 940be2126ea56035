"""What outlives the trader's process: the exchange, the disk, the machine, and who watches."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.clock import Clock
from core.notices import Alert, Notice
from core.trades import TradeRecord
from tests.faults.exchange import StormExchange
from tests.faults.machine import Machine
from tests.faults.plan import Weather
from tests.faults.script import Script
from tests.faults.watch import Watch


@dataclass(slots=True)
class Beside:
    """What stands beside trading, and may break: who tells people, and the trade log."""

    front_is_broken: bool = False
    log_is_broken: bool = False
    logged: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """``clock`` is the true time, ``machine`` the trader's."""

    exchange: StormExchange
    folder: Path
    clock: Clock
    machine: Machine
    script: Script
    watch: Watch
    weather: Weather
    beside: Beside = field(default_factory=Beside)

    @property
    def journal(self) -> Path:
        return self.folder / "journal.db"

    def write_fails(self, number: int) -> bool:
        """Tell whether a life's write of this number fails now."""
        begins, ends = self.weather.disk_full
        fails = begins <= self.clock.monotonic() < ends or number in self.weather.bad_writes
        self.watch.ledger.has_gaps |= fails
        return fails


class Ear:
    """People, listening; and overhearing what nobody may hear."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self.alerts: list[Alert] = []

    def notify(self, notice: Notice) -> None:
        if isinstance(notice, Alert):
            self._watch.overhear(notice.text)
            self.alerts.append(notice)


class BrokenFront:
    """A front that breaks its promise never to raise."""

    def __init__(self, beside: Beside) -> None:
        self._beside = beside

    def notify(self, notice: Notice) -> None:
        if self._beside.front_is_broken:
            raise RuntimeError(f"nobody can be told of {type(notice).__name__}")


class Shelf:
    """A trade log that remembers which rows it got, while it can be written."""

    def __init__(self, beside: Beside) -> None:
        self._beside = beside

    def write(self, records: Sequence[TradeRecord]) -> None:
        if self._beside.log_is_broken:
            raise OSError("the trade log's disk is gone")
        self._beside.logged |= {each.position.position_id for each in records}
