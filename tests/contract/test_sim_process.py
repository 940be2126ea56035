"""The simulator as a process of its own: announced, served, stopped, refused."""

import asyncio
import json
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from core.errors import PerpscoutError, SettingsError
from exchange.sim.config import SimConfig
from exchange.sim.process import Simulator
from tests.contract.sim_clients import pass_minutes, running

ROOT = Path(__file__).parents[2]


async def launched(*arguments: str) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "exchange.sim", "--symbols", "3", *arguments, cwd=ROOT, stdout=pipe, stderr=pipe
    )


async def test_it_announces_itself_serves_and_ends_cleanly_on_sigterm() -> None:
    process = await launched("--speed", "60")
    assert process.stdout is not None
    announced = json.loads(await asyncio.wait_for(process.stdout.readline(), 60))
    assert announced["symbols"] == 3
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{announced['ws']}/market/ws/btcusdt@kline_1m") as stream,
    ):
        assert (await stream.receive_json(timeout=10))["s"] == "BTCUSDT"
        process.send_signal(signal.SIGTERM)
        _, errors = await asyncio.wait_for(process.communicate(), 20)
    assert (process.returncode, errors) == (0, b"")


async def test_an_occupied_port_is_one_clear_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        simulator = Simulator(SimConfig(symbols=1, history_bars=16, port=port))
        with pytest.raises(PerpscoutError, match=f"{port}: the port is occupied"):
            await simulator.start()


async def test_the_market_runs_for_the_minutes_asked_and_then_holds() -> None:
    async with running(speed=0.0, minutes=7) as (simulator, announced), aiohttp.ClientSession() as session:
        while True:
            async with session.get(f"{announced.rest}/sim/v1/status") as answer:
                status = await answer.json()
            if status["held"]:
                break
        assert status["minutes"] == 7
        assert status["marketTime"] == simulator.time.started_ms + 7 * 60_000


async def test_the_clock_can_be_set_from_outside() -> None:
    async with running() as (_, announced), aiohttp.ClientSession() as session:
        url = f"{announced.rest}/sim/v1/clock"
        async with session.post(url, data={"speed": "120", "minutes": "3"}) as answer:
            status = await answer.json()
        assert (status["speed"], status["held"]) == (120.0, False)
        for wrong in ({"speed": "-1"}, {"speed": "nan"}, {"minutes": "x"}):
            async with session.post(url, data=wrong) as answer:
                assert answer.status == 400


@pytest.mark.parametrize(
    "wrong", [{"speed": -1.0}, {"speed": float("nan")}, {"port": 70_000}, {"minutes": -1}, {"start_ms": -1}]
)
def test_a_setting_that_can_not_be_is_one_clear_sentence(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        SimConfig(**wrong)


async def test_a_market_may_start_in_the_middle_of_a_minute_or_before_anything_was_listed() -> None:
    async with running(start_ms=1_764_547_217_123) as (simulator, _):
        assert simulator.market.now_ms == 1_764_547_200_000
    async with running(start_ms=86_400_000) as (simulator, announced), aiohttp.ClientSession() as session:
        pass_minutes(simulator, 2)
        async with session.get(f"{announced.rest}/fapi/v1/exchangeInfo") as answer:
            assert (await answer.json())["symbols"] == []
