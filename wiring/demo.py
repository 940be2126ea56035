"""The trader on a simulated exchange of its own, for so many minutes."""

from pathlib import Path

from cli.options import DemoOptions
from cli.watch import Watch
from cli.watched_run import Goal, WatchedRun
from core.clock import SystemClock
from core.settings import Settings
from wiring.records import log_to, records_in
from wiring.rig import rig_at
from wiring.simulated import simulated


async def run_demo(settings: Settings, options: DemoOptions, folder: Path, *, began: float) -> int:
    """Run to the end; ``began`` is when the program started, in monotonic seconds."""
    log_to(folder, settings)
    watch = Watch("demo", minutes=options.minutes, clock=SystemClock())
    watch.say("starting the simulated exchange")
    goal = Goal(title="demo", minutes=options.minutes, speed=options.speed, as_json=options.as_json)
    with records_in(folder, SystemClock()) as records:
        async with simulated(options, folder) as place:
            rig = await rig_at(place, settings, records, watch)
            return await WatchedRun(rig, goal, folder, began=began).run()
