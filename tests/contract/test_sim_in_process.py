"""The simulator without sockets behaves like the one that listens."""

import itertools

import msgspec
import pytest

from exchange.sim.config import SimConfig
from exchange.sim.in_process import ConnectionCut, InProcess, InProcessStream
from exchange.sim.process import Simulator
from exchange.sim.server.faults.catalogue import MinuteFault, RestFault
from exchange.sim.server.faults.plan import Rule
from tests.contract.sim_clients import pass_minutes
from tests.fakes.virtual_time import VirtualClock, run_virtually


def small() -> Simulator:
    return Simulator(SimConfig(symbols=2, history_bars=30, minutes=0), clock=VirtualClock())


async def heard_until_cut(stream: InProcessStream) -> int:
    """Return how many texts came before the connection ended."""
    for count in itertools.count():
        try:
            await stream.receive()
        except ConnectionCut:
            return count
    raise AssertionError


async def _calls_and_candles() -> None:
    simulator = small()
    door = InProcess(simulator)
    reply = await door.request("GET", "http://exchange/fapi/v1/klines?symbol=BTCUSDT&interval=1m&limit=2")
    assert len(msgspec.json.decode(reply.body)) == 2
    assert reply.headers["X-MBX-USED-WEIGHT-1M"] == "1"
    stream = door.connect("ws://exchange/market/stream?streams=btcusdt@kline_1m/!markPrice@arr")
    stream.send('{"method":"LIST_SUBSCRIPTIONS","id":7}')
    assert msgspec.json.decode(await stream.receive())["id"] == 7
    pass_minutes(simulator, 1)
    candle = msgspec.json.decode(await stream.receive())
    assert (candle["stream"], candle["data"]["k"]["x"]) == ("btcusdt@kline_1m", True)
    stream.close()
    assert not simulator.hub.connections
    assert await heard_until_cut(stream) == 2  # what was sent before: a forming candle, and the marks


async def _a_cut_and_an_hour() -> None:
    simulator = small()
    simulator.faults.add([Rule(fault=RestFault.LOSE_REPLY, at=frozenset({1}), seconds=10)])
    with pytest.raises(ConnectionCut):
        await InProcess(simulator).request("GET", "http://exchange/fapi/v1/time")
    simulator.faults.add([Rule(fault=MinuteFault.STREAMS_CUT, at=frozenset({1}))])
    stream = InProcess(simulator).connect("ws://exchange/market/ws/ethusdt@kline_1m")
    simulator.time.run_for(60)
    simulator.let_time_pass()
    assert await heard_until_cut(stream) > 0
    while not simulator.time.is_held:
        await VirtualClock().sleep(60)
    assert simulator.time.minutes_done == 60


def test_calls_and_streams_need_no_socket() -> None:
    run_virtually(_calls_and_candles())


def test_an_hour_of_virtual_time_passes_at_once() -> None:
    run_virtually(_a_cut_and_an_hour())
