"""People hear once that candles come late, not at all, or do not reach the disk, and when it is over."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.clock import ManualClock
from core.notices import Alert, Notice, Severity
from services.archivist import Loss
from services.feed_watch import FeedWatch
from services.set_aside import Exclusion

GONE = Exclusion(reason="gone (code -1121)", until_ms=900_000, failures=1)


@dataclass
class World:
    """A feed, what is held, and what was told."""

    polled: frozenset[str] = frozenset()
    excluded: Mapping[str, Exclusion] = field(default_factory=dict)
    held: tuple[str, ...] = ()
    unwritten: int = 0
    told: list[tuple[str, Severity, str, str]] = field(default_factory=list)

    def notify(self, notice: Notice) -> None:
        assert isinstance(notice, Alert)
        self.told.append((notice.key, notice.severity, notice.symbol, notice.text))

    def watch(self) -> FeedWatch:
        return FeedWatch(
            self,
            held=lambda: self.held,
            unwritten=lambda: Loss(candles=self.unwritten, why="no space left on device"),
            notifier=self,
            clock=ManualClock(),
        )


def test_silence_is_told_once_and_so_is_its_end() -> None:
    world = World()
    watch = world.watch()
    watch.look()
    world.polled = frozenset(f"S{number}USDT" for number in range(7))
    watch.look()
    watch.look()
    world.polled = frozenset()
    watch.look()
    watch.look()
    assert world.told == [
        ("streams_silent", Severity.WARNING, "", "S0USDT, S1USDT, S2USDT, S3USDT, S4USDT and 2 more"),
        ("streams_back", Severity.INFO, "", ""),
    ]


def test_the_silence_of_what_is_held_is_critical_and_named_first() -> None:
    world = World(polled=frozenset({"AUSDT", "BUSDT"}), held=("BUSDT",))
    world.watch().look()
    assert world.told == [("streams_silent", Severity.CRITICAL, "", "BUSDT, AUSDT")]


def test_who_is_set_aside_is_told_with_the_reason_and_again_after_having_come_back() -> None:
    world = World(excluded={"AUSDT": GONE})
    watch = world.watch()
    watch.look()
    watch.look()
    world.excluded = {}
    watch.look()
    world.excluded = {"AUSDT": GONE, "BUSDT": GONE}
    watch.look()
    assert [text for *_, text in world.told] == [
        "AUSDT: gone (code -1121)",
        "AUSDT, BUSDT: gone (code -1121)",
    ]


def test_a_position_in_a_symbol_without_candles_is_an_alarm_whichever_came_first() -> None:
    world = World(excluded={"AUSDT": GONE})
    watch = world.watch()
    watch.look()
    world.held = ("AUSDT",)
    watch.look()
    world.held = ()
    watch.look()
    assert [(key, severity) for key, severity, *_ in world.told] == [
        ("set_aside", Severity.WARNING),
        ("set_aside_held", Severity.CRITICAL),
    ]


def test_candles_that_never_reach_the_disk_are_told_at_first_and_whenever_they_have_doubled() -> None:
    world = World()
    watch = world.watch()
    for unwritten in (0, 650, 900, 1300, 1300):
        world.unwritten = unwritten
        watch.look()
    assert [text for *_, text in world.told] == [
        "650, no space left on device",
        "1,300, no space left on device",
    ]
