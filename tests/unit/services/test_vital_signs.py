"""The watch over loop, duties, memory and disk: who is told, and when the run ends."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from core.errors import RestartNeeded
from core.notices import Alert, Notice, Severity
from services.vital_signs import LATE_AGAIN_SECONDS, LOOK_SECONDS, VitalSigns
from tests.fakes.virtual_time import VirtualClock, VirtualTimeLoop, run_virtually

LIMIT = 1000 * 2**20


@dataclass
class Machine:
    """Memory and disk as the test wants them."""

    megabytes: int | None = 100
    disk: float = 0.5

    def memory_bytes(self) -> int | None:
        return None if self.megabytes is None else self.megabytes * 2**20

    def disk_used(self) -> float:
        return self.disk


@dataclass
class Ward:
    """Vital signs, taken for as long as a test wants."""

    machine: Machine = field(default_factory=Machine)
    told: list[Alert] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = VirtualClock()
        self.vital = VitalSigns(self.machine, memory_limit=LIMIT, notifier=self, clock=self.clock)

    def notify(self, notice: Notice) -> None:
        assert isinstance(notice, Alert)
        self.told.append(notice)

    @property
    def said(self) -> list[tuple[str, str]]:
        return [(alert.key, alert.text) for alert in self.told]

    def watched(self, *stages: tuple[float, Callable[[], None]]) -> None:
        """Watch, and let things happen at given times (seconds)."""

        async def story() -> None:
            watching = asyncio.create_task(self.vital.run())
            for at, happen in stages:
                await asyncio.wait([watching], timeout=at - self.clock.monotonic())
                happen()
            watching.cancel()
            await asyncio.gather(watching)

        run_virtually(story())


def block(seconds: float) -> None:
    """Hold the loop up, as a long computation would."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    loop.block(seconds)


def ended(ward: Ward, *stages: tuple[float, Callable[[], None]]) -> None:
    with pytest.raises(asyncio.CancelledError):
        ward.watched(*stages)


@pytest.mark.fault(91)
def test_a_blocked_loop_is_told_though_not_every_time() -> None:
    ward = Ward()

    def hold_up() -> None:
        block(4.5)

    ended(ward, (10.0, hold_up), (20.0, hold_up), (20.0 + LATE_AGAIN_SECONDS, hold_up), (100.0, lambda: None))
    assert [key for key, _ in ward.said] == ["loop_blocked"] * 2
    assert all(3.5 <= float(text.removesuffix(" s")) <= 4.5 for _, text in ward.said)


@pytest.mark.fault(92)
def test_growing_memory_is_told_and_then_ends_the_run() -> None:
    ward = Ward()

    def grow(megabytes: int) -> Callable[[], None]:
        return lambda: setattr(ward.machine, "megabytes", megabytes)

    with pytest.raises(RestartNeeded, match="1001 of 1000 MB"):
        ward.watched((1.0, grow(760)), (3 * LOOK_SECONDS, grow(1001)), (5 * LOOK_SECONDS, lambda: None))
    assert [alert.key for alert in ward.told] == ["memory_short", "restart_needed"]
    assert ward.told[-1].severity is Severity.CRITICAL


def test_a_system_that_does_not_tell_its_memory_ends_nothing() -> None:
    ward = Ward(Machine(megabytes=None))
    ended(ward, (3 * LOOK_SECONDS, lambda: None))
    assert ward.told == []


@pytest.mark.fault(85)
def test_a_disk_at_85_percent_is_told_once_until_there_was_room_again() -> None:
    ward = Ward()

    def fill(share: float) -> Callable[[], None]:
        return lambda: setattr(ward.machine, "disk", share)

    ended(
        ward,
        (1.0, fill(0.849)),
        (2 * LOOK_SECONDS, fill(0.85)),
        (4 * LOOK_SECONDS, fill(0.84)),
        (6 * LOOK_SECONDS, fill(0.86)),
        (8 * LOOK_SECONDS, fill(0.5)),
        (10 * LOOK_SECONDS, fill(0.9)),
        (12 * LOOK_SECONDS, lambda: None),
    )
    assert ward.said == [("disk_filling", "85%"), ("disk_filling", "90%")]


async def forever() -> None:
    await asyncio.Event().wait()


@pytest.mark.fault(90)
def test_a_duty_that_hangs_ends_the_run_loudly() -> None:
    ward = Ward()

    async def story() -> None:
        hanging = asyncio.create_task(ward.vital.duties.of("reconciler", forever(), within=20))
        try:
            await ward.vital.run()
        finally:
            assert 20 < ward.clock.monotonic() < 23
            hanging.cancel()
            await asyncio.gather(hanging, return_exceptions=True)

    with pytest.raises(RestartNeeded, match="reconciler does not go on"):
        run_virtually(story())
    assert ward.said == [("restart_needed", "reconciler does not go on")]


@pytest.mark.fault(90)
def test_something_beside_the_trading_that_hangs_is_told_and_ends_nothing() -> None:
    ward = Ward()

    async def story() -> None:
        tasks = [
            asyncio.create_task(ward.vital.companions.of("universe", forever(), within=20)),
            asyncio.create_task(ward.vital.run()),
        ]
        await asyncio.wait(tasks, timeout=100)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    run_virtually(story())
    assert ward.said == [("companion_silent", "universe")]


@pytest.mark.fault(91)
def test_after_a_block_the_duties_get_time_to_show_that_they_live() -> None:
    ward = Ward()

    async def beating() -> None:
        await ward.clock.sleep(0.5)  # its turn comes after the watch's
        while True:
            await ward.clock.sleep(1.0)

    async def story() -> None:
        heart = asyncio.create_task(ward.vital.duties.of("ticks", beating(), within=20))
        watching = asyncio.create_task(ward.vital.run())
        await ward.clock.sleep(5.2)
        block(60.0)
        await asyncio.wait([watching], timeout=30)
        for task in (heart, watching):
            task.cancel()
        await asyncio.gather(watching)

    with pytest.raises(asyncio.CancelledError):
        run_virtually(story())
    assert [key for key, _ in ward.said] == ["loop_blocked"]
