"""Our Binance adapter and a simulator in one loop of virtual time, where faults strike as told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from core.orders import Report
from core.rng import seeded
from exchange.binance.addresses import BinanceAddresses, Credentials
from exchange.binance.connection import BinanceConnection
from exchange.sim.config import SimConfig
from exchange.sim.in_process import InProcess
from exchange.sim.process import Simulator
from exchange.sim.server.faults.plan import Rule
from tests.fakes.in_process import InProcessTransport
from tests.fakes.virtual_time import VirtualClock

ADDRESSES = BinanceAddresses(rest="http://exchange", ws="ws://exchange", wallet="http://exchange")


@dataclass(slots=True)
class VirtualRig:
    """One simulator at real speed, our connection to it, and what it reported."""

    simulator: Simulator
    clock: VirtualClock
    connection: BinanceConnection
    reports: list[Report] = field(default_factory=list)

    def strike(self, *rules: Rule) -> None:
        self.simulator.faults.add(rules)

    def calm(self) -> None:
        self.simulator.faults.clear()

    async def listen(self) -> None:
        async for report in self.connection.exchange.reports():
            self.reports.append(report)


@asynccontextmanager
async def virtual_rig(*, symbols: int = 4, listens: bool = True, **chosen: Any) -> AsyncIterator[VirtualRig]:
    """Start everything, and stop it again in the opposite order; ``chosen`` are of ``SimConfig``.

    Whoever hears the account's reports himself ``listens`` not: each is told once.
    """
    clock = VirtualClock()
    simulator = Simulator(SimConfig(symbols=symbols, **chosen), clock=clock)
    connection = BinanceConnection(
        ADDRESSES,
        Credentials(api_key=simulator.api_key, api_secret=simulator.api_secret),
        clock=clock,
        rng=seeded(1),
        transport=InProcessTransport(InProcess(simulator), clock),
    )
    rig = VirtualRig(simulator, clock, connection)
    simulator.let_time_pass()
    listening = asyncio.create_task(rig.listen()) if listens else None
    try:
        if listening is not None:
            await connection.user_stream.connected.wait()
        yield rig
    finally:
        await connection.exchange.close()
        if listening is not None:
            await listening
        await connection.close()
        await simulator.close()
