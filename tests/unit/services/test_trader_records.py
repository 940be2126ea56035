"""What the trader writes down, and what the next process makes of it."""

from collections.abc import Sequence

import numpy as np
import pytest

from core.errors import JournalError
from core.journal import Entry, IntentRecorded, PositionChanged, PositionClosed, RiskChanged, SignalJudged
from core.market import MINUTE_MS, CandleHistory
from core.notices import Alert, PositionEnded
from core.orders import Command, PrepareSymbol, Report
from core.parameters import Parameters
from core.positions import ExitReason, Source, Stage
from data.candle_store import CandleStore
from services.snapshots import snapshot_before
from services.trader import Tick
from tests.builders import T0, candidate
from tests.builders_trader import AXIS, SYMBOLS, Spy, World, open_one
from tests.fakes.journal import MemoryJournal


def test_every_ranked_signal_is_journalled_with_its_verdict(world: World) -> None:
    world.wish(*SYMBOLS[:6])
    world.minute()
    judged = world.journal.bodies(SignalJudged)
    assert len(judged) == 6
    assert {body.verdict for body in judged} >= {"real", "virtual"}


def test_nothing_is_ordered_when_the_journal_can_not_be_written(world: World) -> None:
    world.wish("AUSDT")
    world.journal.is_broken = True
    world.minute()
    world.minute()
    assert world.real.commands == []
    assert world.trader.view().halted == "journal_failed"
    assert [each.key for each in world.ear.of(Alert)] == ["journal_failed", "risk_halted"]


def test_an_entry_that_can_not_be_written_down_does_not_leave_and_its_intent_still_ends(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def submit(command: Command) -> Sequence[Report]:
        world.journal.is_broken = isinstance(command, PrepareSymbol)
        return Spy.submit(world.real, command)

    monkeypatch.setattr(world.real, "submit", submit)
    world.wish("AUSDT")
    world.minute()
    assert [type(command) for command in world.real.commands] == [PrepareSymbol]
    assert world.held(Source.REAL) == []
    world.journal.is_broken = False
    world.minute()
    assert world.journal.live_positions() == []


@pytest.mark.fault(79)
def test_what_is_open_is_still_closed_when_the_journal_can_not_be_written(world: World) -> None:
    open_one(world)
    world.journal.is_broken = True
    world.minute(AUSDT=(100, 100, 98, 98))
    assert world.held(Source.REAL) == []
    assert [each.position.exit_reason for each in world.ear.of(PositionEnded)] == [ExitReason.STOP]
    world.bookkeeper.flush()
    assert len(world.shelf.records) == 1


def test_a_restart_remembers_the_risk_state_and_what_was_learned(world: World) -> None:
    open_one(world)
    world.minute(AUSDT=(100, 100, 90, 90))
    state = world.trader.desk.state
    assert state.is_cooling("AUSDT", world.clock.market_ms())
    assert state.entries_left(world.clock.market_ms(), Parameters().risk) == 2
    again = World(world.journal, now=world.clock.market_ms())
    again.trader.restore()
    assert again.trader.desk.state == state
    assert again.trader.view().performance == world.trader.view().performance
    assert again.trader.view().performance.closed == 1


def test_the_close_of_a_trade_and_its_cooldown_are_one_transaction(world: World) -> None:
    open_one(world)
    world.journal.transactions.clear()
    world.minute(AUSDT=(100, 100, 90, 90))
    (closing,) = (
        bodies
        for bodies in world.journal.transactions
        if any(isinstance(body, PositionClosed) for body in bodies)
    )
    ended = [body.position.stage for body in closing if isinstance(body, PositionChanged)]
    (risk,) = (body.state for body in closing if isinstance(body, RiskChanged))
    assert ended == [Stage.CLOSED]
    assert risk.cooldowns.keys() == {"AUSDT"}


def test_the_entry_token_is_written_before_the_intent_it_pays_for(world: World) -> None:
    open_one(world)
    bodies = [entry.body for entry in world.journal.entries]
    intent = next(place for place, body in enumerate(bodies) if isinstance(body, IntentRecorded))
    spent = [place for place, body in enumerate(bodies) if isinstance(body, RiskChanged) and place < intent]
    state = bodies[spent[-1]]
    assert isinstance(state, RiskChanged)
    assert (
        state.state.entries_left(world.trader.view().real[0].position.plan.planned_at, Parameters().risk) == 2
    )


def test_a_snapshot_that_an_earlier_process_took_is_cut_again_from_the_candles() -> None:
    store = CandleStore(AXIS)
    times = T0 + MINUTE_MS * np.arange(90)
    candles = np.tile(np.arange(90.0), (5, 1))
    store.load(
        CandleHistory(symbol="AUSDT", timeframe_ms=MINUTE_MS, open_times=times, candles=candles),
    )
    snapshot = snapshot_before(store, "AUSDT", int(times[70]))
    assert snapshot.shape == (5, 60)
    assert snapshot[0].tolist() == [float(each) for each in range(10, 70)]


def test_positions_of_an_earlier_process_live_on(world: World) -> None:
    open_one(world)
    again = World(world.journal, now=world.clock.market_ms())
    again.trader.restore()
    again.minute()
    assert again.held(Source.REAL) == ["AUSDT"]
    again.minute(AUSDT=(100, 103, 100, 102))
    again.bookkeeper.flush()
    (record,) = again.shelf.records
    assert record.exit_reason is ExitReason.TARGET
    assert again.journal.live_positions() == []


def breaks_for(journal: MemoryJournal, source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the journal fail for the intents of one book."""
    write = journal.append

    def append(entries: Sequence[Entry]) -> None:
        if any(isinstance(each.body, IntentRecorded) and each.body.plan.source is source for each in entries):
            raise JournalError("the disk is full")
        write(entries)

    monkeypatch.setattr(journal, "append", append)


def test_a_twin_that_can_not_be_written_down_costs_nothing_but_the_twin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(twins=True)
    world.minute()
    breaks_for(world.journal, Source.TWIN, monkeypatch)
    open_one(world)
    assert world.held(Source.REAL) == ["AUSDT"]
    world.minute(AUSDT=(100, 103, 100, 102))
    world.bookkeeper.flush()
    assert [each.source for each in world.shelf.records] == [Source.REAL]


def test_nothing_remains_of_an_opening_that_could_not_be_written_down(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    untouched = world.trader.digest.hexdigest()
    breaks_for(world.journal, Source.REAL, monkeypatch)
    open_one(world)
    assert world.held(Source.REAL) == []
    assert world.journal.bodies(SignalJudged) == []
    assert world.trader.digest.hexdigest() == untouched


def test_a_twin_whose_entry_was_lost_in_a_restart_comes_to_nothing() -> None:
    world = World(twins=True)
    world.minute()
    world.wish("AUSDT")
    world.minute()  # the entries wait for the next open
    again = World(world.journal, now=world.clock.market_ms(), twins=True)
    again.trader.restore()
    for _ in range(20):
        again.minute()
        again.trader.process(Tick())
    assert again.journal.live_positions() == []


@pytest.mark.fault(52)
def test_the_same_signal_is_acted_on_once_though_it_comes_again_after_a_restart(world: World) -> None:
    at = world.clock.market_ms() + MINUTE_MS
    wish = candidate("AUSDT", at=at, confidence=80.0)
    world.engine.wishes[at] = [wish]
    world.minute()
    world.minute()
    world.minute(AUSDT=(100, 103, 100, 102))
    again = World(world.journal, now=at - MINUTE_MS)
    again.trader.restore()
    again.minute()
    again.engine.wishes[at + MINUTE_MS] = [wish]
    again.minute()
    assert again.held(Source.REAL) == again.held(Source.VIRTUAL) == []
    assert len(again.journal.bodies(IntentRecorded)) == 1
