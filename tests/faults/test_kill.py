"""A real process, killed without warning again and again, leaves an account and a journal that agree."""

import asyncio
import sys
from asyncio.subprocess import Process
from pathlib import Path

import pytest

from core.clock import SystemClock
from core.positions import Source
from core.rng import seeded
from data.journal_reader import JournalReader
from exchange.sim.config import SimConfig
from exchange.sim.process import Simulator
from exchange.sim.venue.account import Account
from exchange.sim.venue.conditionals import ConditionalOrder
from exchange.sim.venue.orders import Order
from tests.faults import invariants
from tests.faults.mortal import SPEED
from tests.faults.scenario import last_states
from tests.faults.truth import Truth, is_ours

ROOT = Path(__file__).resolve().parents[2]
KILLS = 8
PATIENCE = 45.0


async def start(simulator: Simulator, told: tuple[str, str], folder: Path, *more: str) -> Process:
    rest, ws = told
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.faults.mortal",
        *("--rest", rest, "--ws", ws, "--key", simulator.api_key, "--secret", simulator.api_secret),
        *("--folder", str(folder), "--market-ms", str(simulator.market.now_ms), *more),
        cwd=ROOT,
        stderr=asyncio.subprocess.DEVNULL,
    )


def is_clean(account: Account) -> bool:
    return not (account.positions or account.open_orders or account.open_conditionals)


@pytest.mark.fault(87)
@pytest.mark.long
@pytest.mark.timeout(300)
async def test_a_trader_killed_at_random_loses_nothing(tmp_path: Path) -> None:
    clock, rng = SystemClock(), seeded(11)
    simulator = Simulator(SimConfig(speed=SPEED, symbols=6, seed=3))
    announced = await simulator.start()
    told = announced.rest, announced.ws
    truth = Truth(simulator, [each.symbol for each in simulator.market.instruments])
    try:
        for _ in range(KILLS):
            trader = await start(simulator, told, tmp_path)
            await clock.sleep(float(rng.uniform(2, 6)))
            assert trader.returncode is None, "it was to die by our hand"
            trader.kill()
            await trader.wait()
        trader = await start(simulator, told, tmp_path, "--quiet")
        ends = clock.monotonic() + PATIENCE
        while clock.monotonic() < ends and not (is_clean(truth.account) and believes_nothing(tmp_path)):
            await clock.sleep(0.5)
        trader.kill()
        await trader.wait()
    finally:
        await simulator.close()
    settle(truth, tmp_path)


def believes_nothing(folder: Path) -> bool:
    with JournalReader(folder / "journal.db") as journal:
        return not any(each.plan.source is Source.REAL for each in journal.live_positions())


def asked_for(truth: Truth) -> list[Order | ConditionalOrder]:
    """Return what was asked for, not what conditionals became."""
    regular = [each for each in truth.account.orders.values() if each.origin is None]
    return [*regular, *truth.account.conditionals.values()]


def settle(truth: Truth, folder: Path) -> None:
    with JournalReader(folder / "journal.db") as journal:
        journal.verify()
        positions = last_states(journal)
        ledger = invariants.Ledger()
        ledger.committed(journal.entries())
    assert len(truth.account.trades) > 4, "it traded"
    for order in asked_for(truth):
        if is_ours(order.client_id):
            invariants.intent_came_first(order, ledger)
    invariants.opened_once(truth.account.trades, truth, ledger)
    invariants.every_trade_once(truth, positions)
    invariants.nothing_left(truth, [each for each in positions if each.is_live])
    invariants.every_intent_ended(ledger, [each for each in positions if not each.is_live])
