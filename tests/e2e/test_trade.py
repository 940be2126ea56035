"""`trade` as its users run it, on a simulator that runs on: killed, started again, told to close, ended."""

import asyncio
import json
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

import pytest

from core.clock import SystemClock
from core.errors import JournalError
from core.journal import EntryKind
from core.orders import AccountRead, RestingConditional
from core.positions import Position, Source, Stage
from core.rng import seeded
from data.journal_reader import JournalReader
from exchange.binance.addresses import Credentials, simulator_at
from exchange.binance.connection import BinanceConnection
from tests.e2e.program import command, environment

PATIENCE = 100.0
DEPOSIT = Decimal(10_000)
T = TypeVar("T")


@asynccontextmanager
async def child(*arguments: object, home: Path, **settings: str) -> AsyncIterator[Process]:
    """Run a command beside the test; it is killed at the end if it is still there."""
    process = await asyncio.create_subprocess_exec(
        *command(*arguments), stdout=PIPE, stderr=PIPE, cwd=home, env=environment(home / "var", settings)
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


@asynccontextmanager
async def simulator(home: Path) -> AsyncIterator[dict[str, str]]:
    """Start an exchange, and yield the settings by which it is reached."""
    arguments = ("sim", "--json", "--port", 0, "--symbols", 30, "--speed", 90)
    async with child(*arguments, home=home) as process:
        assert process.stdout is not None
        told = json.loads(await asyncio.wait_for(process.stdout.readline(), PATIENCE))
        yield {
            "BINANCE_REST_URL": told["rest"],
            "BINANCE_API_KEY": told["api_key"],
            "BINANCE_API_SECRET": told["api_secret"],
        }


async def until(look: Callable[[], T | None]) -> T:
    """Wait for what is looked for; a journal that is not there yet has nothing."""
    async with asyncio.timeout(PATIENCE):
        while True:
            found = look()
            if found is not None:
                return found
            await SystemClock().sleep(0.2)


def live(folder: Path) -> Sequence[Position]:
    try:
        with JournalReader(folder / "journal.db") as reader:
            return [each for each in reader.live_positions() if each.plan.source is Source.REAL]
    except JournalError:  # it is being made
        return ()


def opened(folder: Path) -> Position | None:
    return next((each for each in live(folder) if each.stage is Stage.OPEN), None)


def minutes(folder: Path) -> int:
    with JournalReader(folder / "journal.db") as reader:
        return reader.counts().get(EntryKind.MINUTE, 0)


def earned(folder: Path) -> Decimal:
    with JournalReader(folder / "journal.db") as reader:
        return reader.net_pnl(Source.REAL)


async def account(settings: dict[str, str]) -> tuple[AccountRead, Sequence[RestingConditional]]:
    """Read the account and what rests there, past the trader."""
    keys = Credentials(api_key=settings["BINANCE_API_KEY"], api_secret=settings["BINANCE_API_SECRET"])
    addresses = simulator_at(settings["BINANCE_REST_URL"])
    connection = BinanceConnection(addresses, keys, clock=SystemClock(), rng=seeded(1))
    try:
        return await connection.exchange.account(), await connection.exchange.open_conditionals()
    finally:
        await connection.close()


async def kill_with_a_position(mode: str, folder: Path, home: Path, settings: dict[str, str]) -> Position:
    async with child("trade", "--mode", mode, home=home, **settings) as process:
        position = await until(lambda: opened(folder))
        process.kill()
        await process.communicate()
    return position


async def go_on_and_close(mode: str, position: Position, home: Path, settings: dict[str, str]) -> str:
    """Start again, close everything by a wish, end in good order; returns all that was said."""
    folder = home / "var" / mode / "main"
    before = minutes(folder)
    async with child("trade", "--mode", mode, home=home, **settings) as process:
        await until(lambda: minutes(folder) > before or None)
        (folder / "wishes" / "pause").touch()
        (folder / "wishes" / f"close-{position.symbol}").touch()
        await until(lambda: not live(folder) or None)
        process.send_signal(signal.SIGTERM)
        said = b"".join(await asyncio.wait_for(process.communicate(), PATIENCE)).decode()
        assert process.returncode == 0, said
    return said


def no_secret_in(folder: Path, said: str, settings: dict[str, str]) -> None:
    for secret in (settings["BINANCE_API_KEY"], settings["BINANCE_API_SECRET"]):
        assert secret not in said
        for path in folder.rglob("*"):
            assert not path.is_file() or secret.encode() not in path.read_bytes(), path


async def test_on_an_account_at_an_exchange_a_killed_run_is_gone_on_with(tmp_path: Path) -> None:
    folder = tmp_path / "var" / "testnet" / "main"
    async with simulator(tmp_path) as settings:
        position = await kill_with_a_position("testnet", folder, tmp_path, settings)
        read, resting = await account(settings)
        held = {each.symbol: abs(each.quantity) for each in read.positions}
        assert held[position.symbol] == position.quantity
        assert position.symbol in {each.symbol for each in resting}  # whoever dies, the stop stays
        said = await go_on_and_close("testnet", position, tmp_path, settings)
        read, resting = await account(settings)
    assert read.positions == ()
    assert list(resting) == []
    assert abs(read.wallet - DEPOSIT - earned(folder)) < Decimal("0.00001")
    no_secret_in(folder, said, settings)


@pytest.mark.long
async def test_on_paper_positions_and_balance_outlive_a_killed_run(tmp_path: Path) -> None:
    folder = tmp_path / "var" / "paper" / "main"
    async with simulator(tmp_path) as running:
        public = {"BINANCE_REST_URL": running["BINANCE_REST_URL"]}  # no key is needed, and none is used
        position = await kill_with_a_position("paper", folder, tmp_path, public)
        said = await go_on_and_close("paper", position, tmp_path, public)
        read, resting = await account(running)
    assert earned(folder) != 0
    assert f"equity {DEPOSIT + earned(folder):,.2f} USDT" in " ".join(said.split())
    assert (read.wallet, read.positions, list(resting)) == (DEPOSIT, (), [])  # nothing was ordered there
