"""One storm from beginning to end: trade while it lasts, let it calm down, close, and settle the accounts."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from core.clock import Clock
from core.income import Income
from core.journal import EntryKind, IncomeBooked, PositionChanged
from core.market import MINUTE_MS
from core.positions import Position, Source
from core.wallet import Wallet
from data.journal_reader import JournalReader
from exchange.sim.config import DEFAULT_START_MS
from tests.fakes.virtual_time import VirtualClock
from tests.faults import invariants
from tests.faults.confidant import listening
from tests.faults.exchange import SPEED, StormExchange, generator
from tests.faults.fate import Fate
from tests.faults.human import Human
from tests.faults.invariants import Violation
from tests.faults.lives import OUTSIDE, Lives
from tests.faults.loop import Livelock, StormLoop, run_storm
from tests.faults.machine import Machine
from tests.faults.plan import Weather, draw_weather
from tests.faults.power import SimCrash
from tests.faults.process import STORM_RULES, Process
from tests.faults.script import RandomScript
from tests.faults.stories import Story
from tests.faults.watch import Watch
from tests.faults.world import World

STORM_MINUTES = 12
CALM_SECONDS = 20.0
CLOSE_SECONDS = 90.0
_HUMANS_SHARE = Decimal(2000)  # USDT


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one storm came to.

    ``struck`` counts by fault, ``steps`` are the first life's, ``journal_sha256`` chains all events.
    """

    seed: int
    entries: int
    exits: tuple[str, ...]
    struck: Mapping[str, int]
    lives: int
    steps: tuple[str, ...]
    longest_exposure: float
    journal_sha256: str

    @property
    def strikes(self) -> int:
        return sum(self.struck.values())


def storm(seed: int) -> Outcome:
    """Live through one seed's storm. Raises ``Violation``."""
    return live_through(draw_weather(seed))


def live_through(weather: Weather, story: Story | None = None) -> Outcome:
    """Live through a storm, or a story in it, the trader's deaths among it. Raises ``Violation``."""
    with TemporaryDirectory(prefix="storm-") as folder:
        try:
            return run_storm(_play(weather, story, Path(folder)), order=weather.order)
        except Livelock as fault:
            raise Violation(f"I11 {fault}") from fault


async def _play(weather: Weather, story: Story | None, folder: Path) -> Outcome:
    clock = VirtualClock(speed=SPEED, offset_ms=weather.begins_at - DEFAULT_START_MS)
    exchange = StormExchange(weather, clock, story=story)
    human = Human(exchange, generator(weather.seed, 6))
    human.trade_own("BUY", _HUMANS_SHARE)
    watch = Watch(exchange, clock, most_positions=STORM_RULES.risk.max_positions)
    ends_at = weather.begins_at + (story.minutes if story else STORM_MINUTES) * MINUTE_MS
    world = World(
        exchange=exchange,
        folder=folder,
        clock=clock,
        machine=Machine(clock),
        script=story or RandomScript(weather.seed, quiet_from=ends_at),
        watch=watch,
        weather=weather,
    )
    people: People = StoryPeople(story, clock) if story else RandomPeople(weather)
    with listening(watch.overhear):
        return await _Stage(world, people, human, ends_at=ends_at).play()


class People(Protocol):
    """Who closes positions by hand."""

    def pause(self) -> float:
        """Return for how many seconds they do nothing."""
        ...

    def choose(self, held: Sequence[Position]) -> Position | None:
        """Return what they want closed now."""
        ...

    def moves(self) -> float:
        """Return the share of the spare money that they deposit, or (negative) withdraw, now."""
        ...


class RandomPeople:
    """Close something now and then, and move money about if it is that kind of people."""

    def __init__(self, weather: Weather) -> None:
        self._rng = generator(weather.seed, 3)
        self._purse = generator(weather.seed, 5) if weather.moves_money else None

    def pause(self) -> float:
        return float(self._rng.uniform(1, 8))

    def choose(self, held: Sequence[Position]) -> Position | None:
        if not held or self._rng.random() >= 0.2:
            return None
        return held[int(self._rng.integers(len(held)))]

    def moves(self) -> float:
        if self._purse is None or self._purse.random() >= 0.25:
            return 0.0
        return float(self._purse.uniform(-0.3, 0.5))


class StoryPeople:
    """Close in the minute that the story says."""

    def __init__(self, story: Story, clock: Clock) -> None:
        self._at = DEFAULT_START_MS + (story.closed_in or story.minutes) * MINUTE_MS
        self._clock = clock

    def pause(self) -> float:
        return 0.5

    def choose(self, held: Sequence[Position]) -> Position | None:
        return held[0] if held and self._clock.market_ms() >= self._at else None

    def moves(self) -> float:
        return 0.0


class _Stage:
    """A world with a trader in it, and somebody who lets time pass and settles the accounts."""

    def __init__(self, world: World, people: People, human: Human, *, ends_at: int) -> None:
        self._world = world
        self._people = people
        self._human = human
        self._ends_at = ends_at
        self.lives = Lives(
            lambda power, life: Process(world, power, life=life),
            world.clock,
            fails_at=world.weather.crashes,
            died=world.watch.trouble,
        )
        self._alive: asyncio.Task[None] | None = None
        self._fate: asyncio.Task[None] | None = None

    async def play(self) -> Outcome:
        """Storm, calm, close, settle. The trader, or its supervisor, must be alive through all of it."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, StormLoop)
        self._world.exchange.simulator.let_time_pass()
        loop.after_round = _once_violated(loop, self._world.watch)
        self._alive = asyncio.create_task(self.lives.run(), name="supervisor")
        try:
            await self._storm()
            await self._close_everything()
        finally:
            await _stop(*filter(None, (self._alive, self._fate)))
            await self._world.exchange.simulator.close()
        _demand_no_silent_death(loop)
        return self._settle()

    async def _storm(self) -> None:
        while self.lives.process is None or not self.lives.process.trades:
            await self._pass(0.1)
        self._world.exchange.let_it_storm()
        fate = Fate(self._world, self._human, self.lives)
        self._fate = asyncio.create_task(fate.run(), name=OUTSIDE)
        while self._world.clock.market_ms() < self._ends_at:
            await self._pass(self._people.pause())
            if share := self._people.moves():
                self._human.move_money(share)
            self.lives.process.resume()
            chosen = self._people.choose(self._believed())
            if chosen is not None:
                self.lives.process.close(chosen.symbol)
        self._world.exchange.calm_down()
        await self._fate
        await self._pass(CALM_SECONDS)

    async def _close_everything(self) -> None:
        clock = self._world.clock
        deadline = clock.monotonic() + CLOSE_SECONDS
        while clock.monotonic() < deadline:
            for position in self._believed():
                assert self.lives.process is not None
                self.lives.process.close(position.symbol)
            self._leave_disturbed()
            await self._pass(1.0)
            with suppress(Violation):
                self._demand_nothing_left()
                await self._pass(2.0)
                self._demand_nothing_left()
                return
        invariants.nothing_left(self._world.exchange, self._believed())  # whoever is banned may stay away

    def _demand_nothing_left(self) -> None:
        """Ask a trader who is up: one who is only starting believes in nothing yet."""
        if self.lives.process is None or not self.lives.process.trades:
            raise Violation("I11 nobody is up who could tell what is held")
        invariants.nothing_left(self._world.exchange, self._believed())

    def _leave_disturbed(self) -> None:
        """Let whoever else traded on the bot's symbols take his own back where the bot is out."""
        believed = {each.symbol for each in self._believed()}
        for symbol in self._world.exchange.disturbed:
            if symbol not in believed:
                self._human.leave(symbol)

    def _believed(self) -> list[Position]:
        return self.lives.process.positions() if self.lives.process else []

    async def _pass(self, seconds: float) -> None:
        """Let time pass. A trader that ends by itself is a violation."""
        await self._world.clock.sleep(seconds)
        if self._alive is not None and self._alive.done():
            fault = self._alive.exception()
            raise Violation(f"I11 the trader ended by itself: {fault!r}") from fault
        if self._fate is not None and self._fate.done():
            self._fate.result()

    def _settle(self) -> Outcome:
        exchange, watch = self._world.exchange, self._world.watch
        with JournalReader(self._world.journal) as journal:
            journal.verify()
            positions = last_states(journal)
            booked, wallet = booked_incomes(journal), last_wallet(journal)
            fingerprint = journal.last().hash
        invariants.every_trade_once(exchange, positions)
        invariants.same_money(exchange, positions)
        invariants.every_income_once(exchange, booked, wallet)
        if self.lives.count == 1:  # what a process could not write in time, a rebuild brings
            invariants.every_row_logged(self._world.beside.logged, positions)
        watch.overhear(self._world.journal.read_bytes().decode("latin-1"))
        watch.say()
        invariants.every_intent_ended(watch.ledger, [each for each in positions if not each.is_live])
        return Outcome(
            seed=self._world.weather.seed,
            entries=len(positions),
            exits=tuple(str(each.exit_reason) for each in positions),
            struck=Counter(each.fault for each in exchange.simulator.faults.strikes),
            lives=self.lives.count,
            steps=tuple(self.lives.steps),
            longest_exposure=watch.longest_exposure,
            journal_sha256=fingerprint,
        )


def last_states(journal: JournalReader) -> list[Position]:
    """Return the last recorded state of every real position, in the order of their first."""
    states: dict[str, Position] = {}
    for entry in journal.entries(EntryKind.POSITION):
        if isinstance(entry.body, PositionChanged) and entry.body.position.plan.source is Source.REAL:
            states[entry.body.position.position_id] = entry.body.position
    return list(states.values())


def booked_incomes(journal: JournalReader) -> list[Income]:
    """Return every change of the wallet on record."""
    bodies = (entry.body for entry in journal.entries(EntryKind.INCOME))
    return [body.income for body in bodies if isinstance(body, IncomeBooked)]


def last_wallet(journal: JournalReader) -> Wallet:
    """Return the wallet as it was last accounted for."""
    state = journal.risk_state()
    return state.wallet if state else Wallet()


def _once_violated(loop: StormLoop, watch: Watch) -> Callable[[], None]:
    """Return what looks after every round, and looks away once there is nothing left to save."""

    def look() -> None:
        try:
            watch.look()
        except Violation:
            loop.after_round = lambda: None
            raise

    return look


def _demand_no_silent_death(loop: StormLoop) -> None:
    """Refuse tasks that failed without anybody hearing of it."""
    for context in loop.faults:
        fault = context.get("exception")
        if not isinstance(fault, SimCrash):
            raise Violation(f"I11 {context['message']}: {fault!r}")


async def _stop(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
