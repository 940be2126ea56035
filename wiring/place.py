"""The exchange a run is at: one that exists already, wherever the mode says it is."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from cli.watched_run import Pace
from core.clock import ScaledClock, SystemClock
from core.errors import ExchangeUnavailable, ModeRefused, NotAllowed
from core.rng import seeded
from core.settings import Settings
from exchange.binance.addresses import BinanceAddresses, Realm, realm_of
from exchange.binance.connection import BinanceConnection
from exchange.binance.examination import Glance
from exchange.binance.read_only import ReadOnlyTransport
from exchange.binance.transport import AiohttpTransport, Transport
from exchange.limits.ban import BanNote
from exchange.sim.child import MarketMonitor
from strategies.warm import warm
from wiring.modes import addresses_of, credentials_of, refuse_contradictions

UNPACED = 600.0  # the speed that "as fast as possible" is taken for where a period must be known beforehand


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An exchange, our connection to it, and how time goes there; ``glance`` is what it showed at first."""

    address: str
    connection: BinanceConnection
    clock: ScaledClock
    pace: Pace
    speed: float
    glance: Glance


class OwnPace:
    """An exchange that hurries for nobody and never ends; ``monitor`` where it is a simulator."""

    def __init__(self, monitor: MarketMonitor | None) -> None:
        self._monitor = monitor

    async def hurry(self) -> None: ...

    async def effective_speed(self) -> float | None:
        return await self._monitor.effective_speed() if self._monitor else 1.0

    async def ended(self) -> None:
        await asyncio.Event().wait()


@asynccontextmanager
async def exchange_of(
    settings: Settings, folder: Path, *, sends_orders: bool, transport: Transport | None = None
) -> AsyncIterator[Place]:
    """Connect to the exchange of the settings' mode; without ``sends_orders`` nothing can be ordered there.

    ``transport`` carries the bytes in place of real sockets. Raises ``ModeRefused`` before anything is sent.
    """
    refuse_contradictions(settings)
    addresses = addresses_of(settings)
    await asyncio.to_thread(warm, clock=SystemClock())  # a compiler must not hold up the loop later
    monitor = await _simulator_at(addresses)
    speed = (await monitor.status()).speed or UNPACED if monitor else 1.0
    wire = transport or AiohttpTransport()
    clock = ScaledClock(speed=speed, market_ms=SystemClock().wire_ms())
    connection = BinanceConnection(
        addresses,
        credentials_of(settings),
        clock=clock,
        rng=seeded(),
        speed=speed,
        transport=wire if sends_orders else ReadOnlyTransport(wire),
        ban=BanNote(folder / "ban.txt", clock),
    )
    try:
        yield Place(
            address=addresses.rest,
            connection=connection,
            clock=clock,
            pace=OwnPace(monitor),
            speed=speed,
            glance=await first_glance(connection, clock),
        )
    except NotAllowed as refusal:
        raise ModeRefused(
            f"The exchange does not accept the API key ({refusal}): see that it was made for mode"
            f" {settings.mode}, may trade futures, and is bound to this machine's address if to any."
        ) from refusal
    finally:
        await connection.close()


async def first_glance(connection: BinanceConnection, clock: ScaledClock) -> Glance:
    """Agree with the exchange on the time, its own and its market's."""
    try:
        await connection.api.synchronise_clock()
    except ExchangeUnavailable as silence:
        raise ExchangeUnavailable(
            f"The exchange does not answer: see that it runs and that the network is up. {silence}"
        ) from silence
    glance = await connection.examination.glance()
    clock.observe(glance.at)
    return glance


async def _simulator_at(addresses: BinanceAddresses) -> MarketMonitor | None:
    """Return who tells a simulator's time; on this machine something else may listen too."""
    if realm_of(addresses.rest) is not Realm.LOCAL:
        return None
    monitor = MarketMonitor(addresses.rest, SystemClock())
    return monitor if await monitor.effective_speed() is not None else None
