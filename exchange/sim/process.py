"""The running simulator: market, venue and server put together, started, announced and stopped."""

import asyncio
import hashlib
import signal
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any

from core.clock import Clock, SystemClock
from core.market import MINUTE_MS
from exchange.sim.config import DEFAULT_START_MS, Announcement, SimConfig
from exchange.sim.listings import Listings
from exchange.sim.market.market import Market
from exchange.sim.market.paths import PathSource
from exchange.sim.market.quotes import MarketQuotes
from exchange.sim.market.recorded import RecordedPaths, recorded_universe
from exchange.sim.market.seeded import SeededPaths
from exchange.sim.server.app import App, Listening
from exchange.sim.server.broadcast import Broadcast
from exchange.sim.server.control import Control
from exchange.sim.server.conversations import Conversations
from exchange.sim.server.faults.desk import Faults
from exchange.sim.server.faults.plan import FaultPlan, usual_mix
from exchange.sim.server.faults.rest import FaultyRest
from exchange.sim.server.hub import Hub
from exchange.sim.server.limits import OrderCounter, WeightLimiter
from exchange.sim.server.listen_keys import ListenKeys
from exchange.sim.server.market_data import MarketData
from exchange.sim.server.refusals import malformed
from exchange.sim.server.rest import Rest
from exchange.sim.server.signatures import Credentials, KeyRing, ed25519_key
from exchange.sim.server.sockets import Sockets
from exchange.sim.server.stepper import MarketTime, Stepper
from exchange.sim.server.trading_calls import trading_calls
from exchange.sim.server.view import View
from exchange.sim.universe import SimInstrument, load_universe
from exchange.sim.venue.venue import Venue


class Simulator:
    """One simulated exchange with one account. ``start`` and ``close`` it, in this order, once.

    ``market`` gives it other instruments and prices than ``config`` would.
    """

    def __init__(
        self,
        config: SimConfig,
        *,
        clock: Clock | None = None,
        market: tuple[Sequence[SimInstrument], PathSource] | None = None,
    ) -> None:
        self._config = config
        clock = clock or SystemClock()
        instruments, source = market or _market_of(config)
        self.market = Market(instruments, source)
        view = View.of(self.market, seed=config.seed)
        self.listings = Listings((each.contract for each in instruments), now_ms=self.market.now_ms)
        self.venue = Venue(self.listings.contracts, MarketQuotes(self.market, view.book, view.funding))
        self.time = MarketTime(self.market, clock, speed=config.speed, minutes=config.minutes)
        self.keys, self.hub, self.ring = ListenKeys(clock), Hub(), KeyRing()
        self.faults = _fault_plan(config)
        self.broadcast = self._new_broadcast(view, clock)
        self.stepper = Stepper(self.market, self.time, self.broadcast, clock=clock)
        weights = WeightLimiter(self.time, limit=config.weight_limit)
        self.rest = self._new_rest(view, weights)
        self.conversations = Conversations(self.hub, self.keys, index_of=self.market.index_of, clock=clock)
        self.front = FaultyRest(self.rest, self.faults, weights, clock=clock)
        control = Control(
            self.time,
            self.stepper,
            self.faults,
            open_account=self._open_account,
            rights_of=lambda account: self.venue.account(account).key_rights,
        )
        app = App(self.front, Sockets(self.conversations, clock), control)
        self._listening = Listening(app.handle, host=config.host, port=config.port)
        self._steps: asyncio.Task[None] | None = None
        first = self._open_account(config.deposit)
        self.api_key, self.api_secret = first["api_key"], first["api_secret"]

    def _new_broadcast(self, view: View, clock: Clock) -> Broadcast:
        faults = Faults.of(
            self.faults, self.market, venue=self.venue, listings=self.listings, hub=self.hub, clock=clock
        )
        return Broadcast(
            self.market,
            self.venue,
            self.hub,
            view=view,
            keys=self.keys,
            listings=self.listings,
            faults=faults,
            clock=clock,
        )

    def _new_rest(self, view: View, weights: WeightLimiter) -> Rest:
        market_data = MarketData(
            self.market,
            view,
            contracts=self.listings.contracts,
            time=self.time,
            weight_limit=weights.limit,
        )
        return Rest(
            market_data,
            trading_calls(self.venue, self.market, self.broadcast),
            ring=self.ring,
            keys=self.keys,
            weights=weights,
            orders=OrderCounter(self.time),
            time=self.time,
        )

    async def start(self) -> Announcement:
        """Listen, let time pass, and say where. Raises ``PerpscoutError`` when the port is taken."""
        port = await self._listening.start()
        self.let_time_pass()
        host = f"[{self._config.host}]" if ":" in self._config.host else self._config.host
        return Announcement(
            rest=f"http://{host}:{port}",
            ws=f"ws://{host}:{port}",
            api_key=self.api_key,
            api_secret=self.api_secret,
            symbols=len(self.market.instruments),
            speed=self._config.speed,
        )

    def let_time_pass(self) -> None:
        """Start the market's steps; ``start`` does, and who needs no port may call it alone."""
        self._steps = asyncio.create_task(self.stepper.run(), name="market steps")

    async def run(self) -> None:
        """Wait while time passes; raises what broke the market, should anything."""
        if self._steps is not None:
            await self._steps

    async def close(self) -> None:
        if self._steps is not None:
            self._steps.cancel()
            with suppress(asyncio.CancelledError):
                await self._steps
        await self._listening.close()

    def _open_account(self, deposit: Decimal, public_key: str | None = None) -> dict[str, str]:
        """Open one more account and return its id and keys. Raises ``Refusal`` for a key that is none."""
        account = f"account-{len(self.broadcast.accounts) + 1}"
        seed = self._config.seed
        api_key, secret = _digest("key", account, seed), _digest("secret", account, seed)
        credentials = Credentials(account, secret)
        if public_key:
            try:
                credentials = Credentials(account, ed25519_key(public_key))
            except ValueError:
                raise malformed("publicKey") from None
        self.venue.open_account(account, deposit, now_ms=self.market.now_ms)
        self.broadcast.accounts.append(account)
        self.ring.add(api_key, credentials)
        return {"account": account, "api_key": api_key, "api_secret": "" if public_key else secret}


async def serve(
    config: SimConfig,
    *,
    announce: Callable[[Announcement], None],
    until: Sequence[Callable[[], Coroutine[Any, Any, None]]] = (),
) -> None:
    """Run a simulator until SIGTERM, SIGINT or the first of ``until``.

    Raises ``PerpscoutError`` when it can not start.
    """
    simulator = Simulator(config)
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        with suppress(NotImplementedError):  # Windows: there the console's Ctrl-C ends the loop itself
            loop.add_signal_handler(each, stopped.set)
    announce(await simulator.start())
    waiting = {
        asyncio.ensure_future(each) for each in (stopped.wait(), simulator.run(), *(each() for each in until))
    }
    try:
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in waiting:
            task.cancel()
        await simulator.close()


def _fault_plan(config: SimConfig) -> FaultPlan:
    plan = FaultPlan(config.fault_seed or 0)
    if config.fault_seed is not None:
        plan.add(usual_mix())
    return plan


def _market_of(config: SimConfig) -> tuple[Sequence[SimInstrument], PathSource]:
    if config.candles is not None:
        instruments = recorded_universe(config.candles)
        return instruments, RecordedPaths(
            config.candles, instruments, seed=config.seed, start_ms=config.start_ms
        )
    start_ms = DEFAULT_START_MS if config.start_ms is None else config.start_ms
    instruments = tuple(_scheduled(each, config, start_ms) for each in load_universe(config.symbols))
    return instruments, SeededPaths(
        instruments, seed=config.seed, start_ms=start_ms, history_bars=config.history_bars
    )


def _scheduled(instrument: SimInstrument, config: SimConfig, start_ms: int) -> SimInstrument:
    contract, symbol = instrument.contract, instrument.symbol
    if symbol in (comes := dict(config.listings)):
        contract = replace(contract, onboard_ms=start_ms + comes[symbol] * MINUTE_MS)
    if symbol in (goes := dict(config.delistings)):
        contract = replace(contract, delivery_ms=start_ms + goes[symbol] * MINUTE_MS)
    return replace(instrument, contract=contract)


def _digest(what: str, account: str, seed: int) -> str:
    return hashlib.sha256(f"simulated {what} of {account} {seed}".encode()).hexdigest()
