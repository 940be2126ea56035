"""Heartbeats: who goes on is heard, who hangs is named, and a duty notices nothing of it."""

import asyncio

import pytest

from services.heartbeats import Heartbeats
from tests.fakes.virtual_time import VirtualClock, run_virtually


def test_a_duty_that_goes_on_is_not_silent_and_one_that_hangs_is() -> None:
    async def story() -> list[str]:
        clock = VirtualClock()
        hearts = Heartbeats(clock)

        async def busy() -> None:
            while True:
                await clock.sleep(1.0)

        async def stuck() -> None:
            await clock.sleep(5.0)
            await asyncio.Event().wait()

        tasks = [
            asyncio.create_task(hearts.of("busy", busy(), within=10)),
            asyncio.create_task(hearts.of("stuck", stuck(), within=10)),
        ]
        await clock.sleep(14.0)
        before = hearts.silent()
        await clock.sleep(2.0)
        after = hearts.silent()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return [*before, "then", *after, "at last", *hearts.silent()]

    assert run_virtually(story()) == ["then", "stuck", "at last"]


async def test_results_faults_and_cancellations_go_through_it() -> None:
    hearts = Heartbeats(VirtualClock())
    cleaned: list[str] = []

    async def gives() -> int:
        await asyncio.sleep(0)  # noqa: TID251 - one step of the loop
        return 7

    async def fails() -> None:
        await asyncio.sleep(0)  # noqa: TID251 - one step of the loop
        raise ValueError("broken")

    async def waits() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)  # noqa: TID251 - tidying up may wait too
            cleaned.append("tidied up")

    assert await hearts.of("gives", gives(), within=1) == 7
    with pytest.raises(ValueError, match="broken"):
        await hearts.of("fails", fails(), within=1)
    task = asyncio.create_task(hearts.of("waits", waits(), within=1))
    await asyncio.sleep(0)  # noqa: TID251 - lets it begin
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cleaned == ["tidied up"]
