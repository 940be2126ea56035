"""Signals that nobody opened: followed to their end on paper, labelled, and kept apart from all else."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from math import nan
from pathlib import Path

import pytest
from pyarrow import dataset

from core.instruments import InstrumentStatus
from core.journal import IntentRecorded, PositionChanged, SignalJudged
from core.market import MINUTE_MS
from core.monitoring import Structure
from core.notices import PositionEnded, PositionOpened, SignalRefused
from core.parameters import CostParameters, Parameters
from core.positions import ExitReason, Source, Stage
from core.ranking import Experience
from core.shadows import shadow_plan
from core.signals import Side
from core.trades import TradeRecord
from core.universe import compare
from data.journal import SqliteJournal
from data.trade_log import TradeLog
from ml.dataset import training_set
from services import shadows
from tests.builders import T0, candidate, instrument, ranked
from tests.builders_trader import INSTRUMENTS, SYMBOLS, World, closing_fill

COSTS = CostParameters()


def halted() -> World:
    """Make a trader that can not open anything real: it only follows."""
    made = World(shadows=True, costs=COSTS)
    made.minute()
    made.trader.desk.halt("tests", T0)
    return made


@pytest.fixture
def world() -> World:
    return halted()


def cast(world: World, *symbols: str, confidence: float = 80.0) -> None:
    """Let signals be refused, and their shadows be entered at the next open."""
    world.wish(*symbols, confidence=confidence)
    world.minute()
    world.minute()


def rows(world: World) -> list[TradeRecord]:
    world.bookkeeper.flush()
    return world.shelf.records


def test_a_refused_signal_is_followed_to_its_end_and_gets_its_label(world: World) -> None:
    cast(world, "AUSDT")
    (judged,) = world.journal.bodies(SignalJudged)
    assert (judged.verdict, judged.reasons[0]) == ("refused", "halted")
    world.minute(AUSDT=(100, 103, 100, 102))
    (row,) = rows(world)
    assert (row.source, row.exit_reason) == (Source.SHADOW, ExitReason.TARGET)
    assert row.position.plan.candidate == judged.signal.candidate
    assert row.snapshot.shape[0] == 5
    assert 1 < row.gross_r < 1.4
    assert row.net_r < row.gross_r


def test_a_signal_that_its_own_geometry_forbids_is_journalled_and_labelled_too(world: World) -> None:
    at = world.clock.market_ms() + MINUTE_MS
    forbidden = candidate("AUSDT", at=at, confidence=90.0, refusal="pool_too_near")
    broken = candidate("BUSDT", at=at, confidence=90.0, refusal="stop_too_far", price=nan)
    weak = candidate("CUSDT", at=at, confidence=69.0, refusal="pool_too_near")
    world.engine.wishes[at] = [forbidden, broken, weak]
    minutes(world, 2)
    (judged,) = world.journal.bodies(SignalJudged)
    assert (judged.signal.candidate, judged.signal.rank) == (forbidden, 0)
    assert (judged.verdict, judged.reasons) == ("refused", ("pool_too_near",))
    world.minute(AUSDT=(100, 103, 100, 102))
    assert [row.exit_reason for row in rows(world)] == [ExitReason.TARGET]
    assert (world.trader.tally.signals, world.trader.tally.refused) == (1, 1)
    assert [each.reasons for each in world.ear.of(SignalRefused)] == [("pool_too_near",)]


def minutes(world: World, count: int) -> None:
    for _ in range(count):
        world.minute()


def thesis(world: World) -> None:
    world.engine.structures["DUSDT"] = Structure(trend=Side.SHORT, break_side=None, break_at=0)
    minutes(world, 2)


FATES: dict[ExitReason, Callable[[World], None]] = {
    ExitReason.TARGET: lambda world: world.minute(DUSDT=(100, 103, 100, 102)),
    ExitReason.STOP: lambda world: world.minute(DUSDT=(100, 103, 98, 102)),  # both: the stop was first
    ExitReason.THESIS: thesis,
    ExitReason.TIME: lambda world: minutes(world, 4 * 60 + 1),
}


@pytest.mark.parametrize("reason", FATES)
def test_a_shadow_ends_as_the_virtual_position_of_the_same_signal(reason: ExitReason) -> None:
    """The fourth signal is followed virtually where there is room, and by its shadow where there is none."""
    virtual = World(costs=COSTS)
    shadow = World(shadows=True, costs=COSTS)
    virtual.minute()
    shadow.minute()
    shadow.trader.desk.parameters = replace(
        Parameters(), ranking=replace(Parameters().ranking, max_virtual=0)
    )
    labels = []
    for world, source in ((virtual, Source.VIRTUAL), (shadow, Source.SHADOW)):
        cast(world, *SYMBOLS[:4])
        FATES[reason](world)
        (row,) = (each for each in rows(world) if each.source is source and each.symbol == "DUSDT")
        assert row.exit_reason is reason
        labels.append(row)
    one, other = labels
    assert (one.position.opened_at, one.position.closed_at) == (
        other.position.opened_at,
        other.position.closed_at,
    )
    assert one.position.entry_price == other.position.entry_price
    assert one.position.exit_price == other.position.exit_price
    assert one.gross_r == pytest.approx(other.gross_r, abs=1e-12)
    assert one.net_r == pytest.approx(other.net_r, abs=1e-12)


def test_shadows_are_seen_in_no_statistics_and_teach_nothing(world: World) -> None:
    before = world.trader.view()
    cast(world, "AUSDT")
    world.minute(AUSDT=(100, 103, 100, 102))
    (row,) = rows(world)
    after = world.trader.view()
    assert after.performance == before.performance
    assert after.virtual_performance == before.virtual_performance
    assert after.real == after.virtual == ()
    assert world.trader.held == ()
    assert world.ear.of(PositionOpened) == []
    assert world.ear.of(PositionEnded) == []
    assert Experience().learned(row.result) == Experience()
    tally = world.trader.tally
    assert (tally.shadow.opened, tally.shadow.closed, tally.virtual.closed) == (1, 1, 0)


def test_their_rows_are_never_learned_from_unasked(tmp_path: Path, world: World) -> None:
    world.trader.desk.resume(T0)
    cast(world, "BUSDT")
    world.trader.desk.halt("tests", T0)
    cast(world, "CUSDT")
    world.minute(BUSDT=(100, 103, 100, 102), CUSDT=(100, 103, 100, 102))
    log = TradeLog(tmp_path)
    log.write(rows(world))
    table = dataset.dataset(tmp_path).to_table()
    assert sorted(table["source"].to_pylist()) == ["real", "shadow"]
    assert set(training_set(table).source) == {"real"}
    assert set(training_set(table, sources=("shadow",)).source) == {"shadow"}


def test_a_later_signal_of_the_same_symbol_gets_a_shadow_of_its_own(world: World) -> None:
    cast(world, "AUSDT")
    cast(world, "AUSDT")
    assert world.trader.tally.shadow.opened == 2
    world.minute(AUSDT=(100, 103, 100, 102))
    assert len({row.position.position_id for row in rows(world)}) == 2


def test_there_is_an_end_to_how_many_are_followed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shadows, "MOST", 2)
    cast(world, "AUSDT", "BUSDT", "CUSDT")
    assert (world.trader.tally.shadow.opened, world.trader.tally.unlabelled) == (2, 1)
    monkeypatch.setattr(shadows, "MOST", 500)
    monkeypatch.setattr(shadows, "LAYERS", 1)
    cast(world, "AUSDT")
    assert (world.trader.tally.shadow.opened, world.trader.tally.unlabelled) == (2, 2)


def test_shadows_live_on_over_a_restart(world: World) -> None:
    cast(world, "AUSDT")
    cast(world, "AUSDT", "BUSDT")
    again = World(world.journal, now=world.clock.market_ms(), shadows=True, costs=COSTS)
    again.trader.restore()
    again.minute()
    again.minute(AUSDT=(100, 103, 100, 102), BUSDT=(100, 100, 98, 98))
    ends = [(row.symbol, row.source, row.exit_reason) for row in rows(again)]
    assert sorted(ends) == [
        ("AUSDT", Source.SHADOW, ExitReason.TARGET),
        ("AUSDT", Source.SHADOW, ExitReason.TARGET),
        ("BUSDT", Source.SHADOW, ExitReason.STOP),
    ]
    assert again.journal.live_positions() == []


def test_what_was_not_entered_before_a_restart_comes_to_nothing(world: World) -> None:
    world.wish("AUSDT")
    world.minute()
    again = World(world.journal, now=world.clock.market_ms(), shadows=True, costs=COSTS)
    again.trader.restore()
    minutes(again, 20)
    assert rows(again) == []
    assert again.journal.live_positions() == []


def test_a_minute_costs_the_journal_one_transaction_for_all_shadows_that_moved(world: World) -> None:
    cast(world, *SYMBOLS[:3])
    world.journal.transactions.clear()
    world.minute(**dict.fromkeys(SYMBOLS[:3], (100, 103, 100, 102)))
    moved = [bodies for bodies in world.journal.transactions if any(_is_of_shadow(each) for each in bodies)]
    assert [len(bodies) for bodies in moved] == [3]
    world.journal.transactions.clear()
    world.minute()
    assert not any(_is_of_shadow(each) for bodies in world.journal.transactions for each in bodies)


def _is_of_shadow(body: object) -> bool:
    position = getattr(body, "position", None)
    return position is not None and position.plan.source is Source.SHADOW


def test_nothing_is_followed_that_can_not_be_written_down_and_what_is_followed_lives_on(world: World) -> None:
    cast(world, "AUSDT")
    world.journal.is_broken = True
    cast(world, "BUSDT")
    world.minute(AUSDT=(100, 103, 100, 102))
    world.journal.is_broken = False
    world.minute()
    assert [row.symbol for row in rows(world)] == ["AUSDT"]
    assert [plan.plan.symbol for plan in world.journal.bodies(IntentRecorded)] == ["AUSDT"]
    assert world.journal.live_positions() == []


def test_a_signal_that_is_opened_after_all_casts_no_shadow() -> None:
    world = World(shadows=True, costs=COSTS)
    world.minute()
    cast(world, *SYMBOLS[:2])
    position = world.trader.view().real[0].position
    held = {each.position.symbol for each in world.trader.view().real}
    world.trader.desk.parameters = replace(Parameters(), ranking=replace(Parameters().ranking, max_virtual=0))
    world.wish("EUSDT")
    world.minute()
    assert "EUSDT" not in held
    world.trader.process(closing_fill(position))
    minutes(world, 2)
    assert "EUSDT" in world.trader.held
    assert world.trader.tally.shadow.opened == 0


def test_a_contract_that_leaves_ends_its_shadow(world: World) -> None:
    cast(world, "AUSDT")
    now = {**INSTRUMENTS, "AUSDT": replace(INSTRUMENTS["AUSDT"], status=InstrumentStatus.SETTLING)}
    at = world.clock.market_ms()
    world.trader.process(compare(SYMBOLS, INSTRUMENTS, now, at=at, parameters=Parameters().universe))
    world.minute()
    assert [row.exit_reason for row in rows(world)] == [ExitReason.DELISTED]


def test_the_journal_on_disk_brings_shadows_back(tmp_path: Path) -> None:
    plan = shadow_plan(ranked(candidate("AUSDT", confidence=80.0)), instrument("AUSDT"), at=T0)
    assert plan is not None
    world = halted()
    cast(world, "AUSDT")
    (changed,) = (each for each in world.journal.bodies(PositionChanged) if _is_of_shadow(each))
    with SqliteJournal(tmp_path / "journal.db") as journal:
        journal.append(world.journal.entries)
        assert journal.live_positions() == [changed.position]
        assert changed.position.stage is Stage.OPEN
        assert journal.position_ids(10) == []  # they would push out the ids of real positions
        world.minute(AUSDT=(100, 103, 100, 102))
        journal.append(world.journal.entries[-10:])
        assert journal.live_positions() == []
        assert [each.source for each in journal.closed_trades()] == [Source.SHADOW]


def test_a_size_that_no_account_allows_still_has_a_label() -> None:
    dear = replace(instrument(), min_quantity=Decimal(1000), step_size=Decimal(1000))
    plan = shadow_plan(ranked(candidate()), dear, at=T0)
    assert plan is not None
    assert (plan.quantity, plan.leverage >= 1) == (Decimal(1000), True)
    coarse = replace(instrument(), tick_size=Decimal(50))
    assert shadow_plan(ranked(candidate()), coarse, at=T0) is None
