"""A real process that is told to end in the middle of an entry, once and twice."""

import asyncio
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import SIGINT, SIGTERM

import pytest

from core.clock import SystemClock
from core.positions import Source, Stage
from data.journal_reader import JournalReader
from exchange.sim.config import SimConfig
from exchange.sim.process import Simulator
from exchange.sim.server.faults.catalogue import StreamFault
from exchange.sim.server.faults.plan import Rule
from services.session import GRACE_SECONDS
from tests.faults.mortal import SPEED
from tests.faults.truth import Truth

ROOT = Path(__file__).resolve().parents[2]
NEWS_COME_LATE = 1.5  # seconds: longer than a market minute, so that another one closes meanwhile
PATIENCE = 40.0


@dataclass
class Entering:
    """A trader in a process of its own whose first entry has just reached the exchange, unheard by it."""

    trader: Process
    truth: Truth
    clock: SystemClock

    async def ends(self) -> tuple[int, float]:
        """Return its exit code, and how many seconds it took from now."""
        began = self.clock.monotonic()
        code = await asyncio.wait_for(self.trader.wait(), GRACE_SECONDS + 10)
        return code, self.clock.monotonic() - began


@asynccontextmanager
async def entering(folder: Path) -> AsyncIterator[Entering]:
    clock = SystemClock()
    simulator = Simulator(SimConfig(speed=SPEED, symbols=6, seed=3))
    told = await simulator.start()
    simulator.faults.add(
        [
            Rule(
                fault=StreamFault.EVENT_LATE,
                match="ORDER_TRADE_UPDATE",
                rate=1.0,
                seconds=NEWS_COME_LATE,
            )
        ]
    )
    truth = Truth(simulator, [each.symbol for each in simulator.market.instruments])
    trader = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.faults.mortal", "--rest", told.rest, "--ws", told.ws),
        *("--key", simulator.api_key, "--secret", simulator.api_secret),
        *("--folder", str(folder), "--market-ms", str(simulator.market.now_ms)),
        cwd=ROOT,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        deadline = clock.monotonic() + PATIENCE
        while not truth.account.positions:
            assert clock.monotonic() < deadline, "it never entered"
            await clock.sleep(0.01)
        assert not truth.account.open_conditionals
        yield Entering(trader=trader, truth=truth, clock=clock)
    finally:
        if trader.returncode is None:
            trader.kill()
            await trader.wait()
        await simulator.close()


@pytest.mark.fault(86)
async def test_told_to_end_in_the_middle_of_an_entry_it_sees_it_to_its_stop_and_begins_no_other(
    tmp_path: Path,
) -> None:
    async with entering(tmp_path) as world:
        minute = world.truth.simulator.market.now_ms // 60_000 * 60_000
        world.trader.send_signal(SIGTERM)
        code, seconds = await world.ends()
        assert code == 0
        assert seconds < GRACE_SECONDS + 1
        held = {symbol for symbol, _ in world.truth.account.positions}
        assert held
        assert held <= {order.symbol for order in world.truth.account.open_conditionals.values()}
    with JournalReader(tmp_path / "journal.db") as journal:
        positions = [each for each in journal.live_positions() if each.plan.source is Source.REAL]
    assert {each.symbol for each in positions} == held, "what is held is handed over"
    assert {each.stage for each in positions} == {Stage.OPEN}
    assert max(each.plan.candidate.at for each in positions) <= minute


@pytest.mark.fault(86)
async def test_told_twice_it_ends_at_once(tmp_path: Path) -> None:
    async with entering(tmp_path) as world:
        world.trader.send_signal(SIGTERM)
        await world.clock.sleep(0.3)
        assert world.trader.returncode is None, "it settles"
        world.trader.send_signal(SIGINT)
        code, seconds = await world.ends()
        assert code == 128 + SIGINT
        assert seconds < 0.5
