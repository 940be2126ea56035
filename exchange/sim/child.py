"""The simulator as a child process: started, read once, and gone when its parent is."""

import asyncio
import json
import os
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from core.clock import Clock
from core.errors import PerpscoutError
from exchange.sim.config import Announcement

START_SECONDS = 90.0
HOLD_CHECK_SECONDS = 1.0
STOP_SECONDS = 5.0


@asynccontextmanager
async def simulator_child(command: Sequence[str], log: Path) -> AsyncIterator[Announcement]:
    """Run ``command`` (a simulator told to announce itself as JSON) for as long as the context is open.

    What it says besides goes to ``log``. Its standard input is a pipe that we hold: when we die, however,
    it sees the end of it and stops. Raises ``PerpscoutError`` with its own last words when it can not start.
    """
    with log.open("wb") as errors:
        child = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            # Ctrl-C in a terminal reaches the whole group; only the parent is to act on it.
            start_new_session=os.name == "posix",
        )
        try:
            yield await _announcement(child, log)
        finally:
            await _stop(child)


async def _announcement(child: asyncio.subprocess.Process, log: Path) -> Announcement:
    if child.stdout is None:
        raise RuntimeError("the simulator was started without a pipe to read from")
    try:
        async with asyncio.timeout(START_SECONDS):
            line = await child.stdout.readline()
    except TimeoutError:
        raise PerpscoutError(
            f"The simulator did not answer within {START_SECONDS:.0f} s; see {log}."
        ) from None
    if not line:
        raise PerpscoutError(_last_words(log))
    return Announcement(**json.loads(line))


def _last_words(log: Path) -> str:
    words = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return words[-1] if words else "The simulator ended before it was ready."


async def _stop(child: asyncio.subprocess.Process) -> None:
    if child.returncode is not None:
        return
    if child.stdin is not None:
        child.stdin.close()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await child.wait()
    except TimeoutError:
        child.kill()
        await child.wait()


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketStatus:
    """How the simulated market's time goes; ``speed`` is what it was told, ``held`` once it stands still."""

    market_ms: int
    speed: float
    effective_speed: float
    held: bool


class MarketMonitor:
    """Asks a simulator, over its own endpoint, what no exchange would tell."""

    def __init__(self, rest: str, clock: Clock) -> None:
        self._url = f"{rest}/sim/v1"
        self._clock = clock

    async def status(self) -> MarketStatus:
        async with aiohttp.ClientSession() as session, session.get(f"{self._url}/status") as reply:
            body = await reply.json()
        return MarketStatus(
            market_ms=body["marketTime"],
            speed=body["speed"],
            effective_speed=body["effectiveSpeed"],
            held=body["held"],
        )

    async def set_speed(self, speed: float) -> None:
        """Let market time pass ``speed`` times as fast as the machine's, 0 as fast as possible."""
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self._url}/clock", params={"speed": str(speed)}) as reply,
        ):
            reply.raise_for_status()

    async def effective_speed(self) -> float | None:
        """Return market seconds a machine second, ``None`` when the simulator does not answer."""
        try:
            return (await self.status()).effective_speed
        except (aiohttp.ClientError, OSError):
            return None

    async def ended(self) -> None:
        """Return when the market stands still: its recorded candles are over."""
        while not (await self.status()).held:
            await self._clock.sleep(HOLD_CHECK_SECONDS)


async def parent_gone() -> None:
    """Return when standard input ends: whoever started this process has gone."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def read() -> None:
        sys.stdin.buffer.read()
        with suppress(RuntimeError):  # the loop may have closed before
            loop.call_soon_threadsafe(ended.set)

    # A daemon, because a thread of the loop's own pool would keep the process from ending on SIGTERM.
    threading.Thread(target=read, name="parent watch", daemon=True).start()
    await ended.wait()
