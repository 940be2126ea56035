"""The plug of the machine the trader runs on, and what it goes through: network and disk.

Once pulled, nothing takes effect any more: not a request, not a commit, whatever ``finally`` blocks try.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from core.errors import ExchangeUnavailable, JournalError
from core.journal import Entry
from core.positions import Position, Source
from core.risk_state import RiskState
from core.trades import TradeRecord, TradeResult
from data.journal import SqliteJournal
from exchange.binance.transport import HttpRequest, HttpResponse, Socket, SocketClosed, Transport
from tests.faults.machine import Machine


class SimCrash(BaseException):
    """The process has died. No ``except Exception`` survives it."""


class Power:
    """Counts every step of I/O, before and after its effect, and fails at one of them."""

    def __init__(self, *, fails_at: int | None = None) -> None:
        self._fails_at = fails_at
        self.steps: list[str] = []
        self.failed = asyncio.Event()

    @property
    def is_on(self) -> bool:
        return not self.failed.is_set()

    def step(self, what: str) -> None:
        """Note a step. Raises ``SimCrash`` at the fatal one and at every one after it."""
        if not self.is_on:
            raise SimCrash
        self.steps.append(what)
        if len(self.steps) == self._fails_at:
            self.cut()
            raise SimCrash

    def cut(self) -> None:
        self.failed.set()


class StormTransport:
    """A transport behind our plug: slow by the seed, and it remembers who told us to stay away."""

    def __init__(
        self,
        inner: Transport,
        power: Power,
        *,
        clock: Machine,
        rng: np.random.Generator,
        latency: tuple[float, float],
        told: Callable[[HttpRequest, HttpResponse | None], None],
        asked: Callable[[HttpRequest], None],
    ) -> None:
        self._inner = inner
        self._power = power
        self._clock = clock
        self._rng = rng
        self._latency = latency
        self._told = told
        self._asked = asked
        self._sockets: list[Socket] = []

    async def send(self, request: HttpRequest) -> HttpResponse:
        what = f"{request.method} {request.url.partition('?')[0]}"
        self._power.step(f"before {what}")
        self._asked(request)
        await self._wait()
        try:
            response = await self._inner.send(request)
        except ExchangeUnavailable:
            self._told(request, None)
            raise
        await self._wait()
        self._power.step(f"after {what}")
        self._told(request, response)
        return response

    async def connect(self, url: str) -> Socket:
        self._power.step("before connect")
        await self._wait()
        socket = await self._inner.connect(url)
        self._sockets.append(socket)
        self._power.step("after connect")
        return _StormSocket(socket, self._power, self._clock)

    async def close(self) -> None:
        """Hang up everywhere, as the operating system does for a process that died."""
        for socket in self._sockets:
            await socket.close()
        await self._inner.close()

    async def _wait(self) -> None:
        await self._clock.sleep(float(self._rng.uniform(*self._latency)))


class _StormSocket:
    """A socket that is dead once the plug is pulled."""

    def __init__(self, inner: Socket, power: Power, machine: Machine) -> None:
        self._inner = inner
        self._power = power
        self._machine = machine

    async def receive(self) -> str:
        text = await self._inner.receive()
        await self._machine.awake()
        self._power.step("received")
        return text

    async def send(self, text: str) -> None:
        if not self._power.is_on:
            raise SocketClosed("no power")
        await self._inner.send(text)

    async def close(self) -> None:
        await self._inner.close()


class StormJournal:
    """A journal behind our plug. ``committed`` hears of every transaction once it is durable.

    ``fails`` tells whether the write of this number fails.
    """

    def __init__(
        self,
        inner: SqliteJournal,
        power: Power,
        *,
        committed: Callable[[Sequence[Entry]], None],
        fails: Callable[[int], bool],
    ) -> None:
        self._inner = inner
        self._power = power
        self._committed = committed
        self._fails = fails
        self._writes = 0

    def append(self, entries: Sequence[Entry]) -> None:
        self._power.step("before commit")
        self._writes += 1
        if self._fails(self._writes):
            raise JournalError("the disk is full")
        self._inner.append(entries)
        self._committed(entries)
        self._power.step("after commit")

    def live_positions(self) -> Sequence[Position]:
        return self._inner.live_positions()

    def closed_trades(self) -> Iterator[TradeRecord]:
        return self._inner.closed_trades()

    def newest_trades(self, source: Source, limit: int) -> Sequence[TradeRecord]:
        return self._inner.newest_trades(source, limit)

    def results(self) -> Iterator[TradeResult]:
        return self._inner.results()

    def damage(self) -> str:
        return self._inner.damage()

    def risk_state(self) -> RiskState | None:
        return self._inner.risk_state()

    def given_up(self, limit: int) -> Sequence[Position]:
        return self._inner.given_up(limit)

    def position_ids(self, limit: int) -> Sequence[str]:
        return self._inner.position_ids(limit)
