"""The one loop, minute by minute, on two paper venues."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from core.errors import JournalError
from core.journal import Entry, IntentRecorded, SignalJudged
from core.monitoring import Structure
from core.notices import PositionEnded, PositionOpened, SignalRefused
from core.orders import SubmitEntry
from core.positions import ExitReason, Source
from core.signals import Side
from tests.builders_trader import SYMBOLS, World, closing_fill, open_one
from tests.fakes.journal import MemoryJournal


def test_the_best_signal_becomes_a_real_position_at_the_next_open(world: World) -> None:
    open_one(world)
    assert world.held(Source.REAL) == ["AUSDT"]
    (opened,) = world.ear.of(PositionOpened)
    assert opened.position.stop is not None
    assert opened.position.stop.confirmed


def test_ranks_from_the_fourth_on_are_followed_virtually(world: World) -> None:
    world.wish(*SYMBOLS[:6])
    world.minute()
    world.minute()
    assert len(world.held(Source.REAL)) <= 3
    assert set(world.held(Source.VIRTUAL)) >= {"DUSDT", "EUSDT", "FUSDT"}


def test_a_target_reached_is_a_row_in_the_trade_log_and_a_notice(world: World) -> None:
    open_one(world)
    world.minute(AUSDT=(100, 103, 100, 102))
    world.bookkeeper.flush()
    (record,) = world.shelf.records
    assert record.exit_reason is ExitReason.TARGET
    assert record.snapshot.shape[0] == 5
    assert [each.position.position_id for each in world.ear.of(PositionEnded)] == [
        record.position.position_id
    ]
    assert world.trader.tally.real.closed == 1
    assert world.trader.tally.real.net_pnl == record.position.net_pnl > 0


def test_a_broken_thesis_closes_at_the_next_open(world: World) -> None:
    open_one(world)
    world.engine.structures["AUSDT"] = Structure(trend=Side.SHORT, break_side=None, break_at=0)
    world.minute()
    world.minute()
    world.bookkeeper.flush()
    assert [record.exit_reason for record in world.shelf.records] == [ExitReason.THESIS]


def test_an_old_position_is_closed_by_the_time_stop(world: World) -> None:
    open_one(world)
    for _ in range(4 * 60 + 1):
        world.minute()
    world.bookkeeper.flush()
    assert [record.exit_reason for record in world.shelf.records] == [ExitReason.TIME]


def test_a_symbol_held_is_not_entered_again(world: World) -> None:
    open_one(world)
    open_one(world)
    assert sum(isinstance(command, SubmitEntry) for command in world.real.commands) == 1
    refusal = world.ear.of(SignalRefused)[-1]
    assert "symbol_held" in refusal.reasons


def test_a_winner_is_stopped_out_where_its_tightened_stop_stood(world: World) -> None:
    world.wish("AUSDT", confidence=100.0)  # the target is 2 R away
    world.minute()
    world.minute()
    world.minute(AUSDT=(100, 101.5, 100, 101.2))
    world.minute(AUSDT=(101, 101, 100, 100))
    world.bookkeeper.flush()
    (record,) = world.shelf.records
    assert record.exit_reason is ExitReason.STOP
    assert record.position.exit_price == Decimal("100.20")  # 101.20 − 1 R


def test_a_slot_that_becomes_free_within_the_minute_goes_to_its_next_best(world: World) -> None:
    world.wish(*SYMBOLS[:2])  # of which nothing is known but that they move together: no third is taken
    world.minute()
    world.minute()
    held = world.held(Source.REAL)
    world.wish("EUSDT")
    world.minute()
    assert world.held(Source.VIRTUAL) == ["EUSDT"]
    position = world.trader.view().real[0].position
    world.trader.process(closing_fill(position))
    assert set(world.held(Source.REAL)) == {*held[1:], "EUSDT"}
    assert world.held(Source.VIRTUAL) == []
    verdicts = [
        each.verdict for each in world.journal.bodies(SignalJudged) if each.signal.candidate.symbol == "EUSDT"
    ]
    assert verdicts == ["virtual", "real"]


class Choosy(MemoryJournal):
    """A journal that can be told to take no more intents."""

    takes_intents = True

    def append(self, entries: Sequence[Entry]) -> None:
        if not self.takes_intents and any(isinstance(each.body, IntentRecorded) for each in entries):
            raise JournalError("the disk is full")
        super().append(entries)


def test_what_is_followed_goes_on_when_the_free_slot_can_not_be_used_after_all() -> None:
    journal = Choosy()
    world = World(journal)
    world.minute()
    world.wish(*SYMBOLS[:2])
    world.minute()
    world.minute()
    world.wish("EUSDT")
    world.minute()
    journal.takes_intents = False
    world.trader.process(closing_fill(world.trader.view().real[0].position))
    assert "EUSDT" not in world.held(Source.REAL)
    assert world.held(Source.VIRTUAL) == ["EUSDT"]


def test_after_a_stop_the_next_signal_of_its_symbol_is_followed_virtually_at_once(world: World) -> None:
    open_one(world)
    world.wish("AUSDT")
    world.minute()
    assert world.ear.of(SignalRefused)[-1].reasons == ("symbol_held",)
    stop = closing_fill(world.trader.view().real[0].position)
    stop = replace(stop, price=Decimal("98.9"), at=world.clock.market_ms())
    world.trader.process(stop)
    assert world.held(Source.REAL) == []
    assert world.held(Source.VIRTUAL) == ["AUSDT"]
    world.minute()
    assert world.held(Source.VIRTUAL) == ["AUSDT"]


def test_after_any_other_exit_the_next_signal_of_its_symbol_is_taken_at_once(world: World) -> None:
    open_one(world)
    world.wish("AUSDT")
    world.minute()
    position = world.trader.view().real[0].position
    assert position.target
    at_target = replace(
        closing_fill(position),
        client_order_id=position.target.client_order_id,
        price=Decimal("101.4"),
        at=world.clock.market_ms(),
    )
    world.trader.process(at_target)
    assert world.held(Source.REAL) == ["AUSDT"]
    assert world.held(Source.VIRTUAL) == []


def test_every_real_position_has_a_twin_on_paper_that_nobody_counts() -> None:
    world = World(twins=True)
    world.minute()
    open_one(world)
    world.minute(AUSDT=(100, 103, 100, 102))
    world.bookkeeper.flush()
    assert sorted(each.source for each in world.shelf.records) == [Source.REAL, Source.TWIN]
    view = world.trader.view()
    assert (view.performance.closed, view.virtual_performance.closed) == (1, 0)
    assert (world.trader.tally.real.closed, world.trader.tally.virtual.closed) == (1, 0)
    assert (view.twin_gap.pairs, view.twin_gap.mean_r) == (1, 0.0)
    assert len(world.ear.of(PositionEnded)) == 1


def test_the_same_story_twice_gives_the_same_fingerprint() -> None:
    prints = []
    for _ in range(2):
        world = World()
        world.minute()
        open_one(world)
        world.minute(AUSDT=(100, 103, 100, 102))
        prints.append(world.trader.digest.hexdigest())
    assert prints[0] == prints[1]


def test_the_picture_says_why_and_until_when_every_signal_is_only_followed(world: World) -> None:
    assert world.trader.view().barred is None
    for symbol in SYMBOLS[:3]:
        open_one(world, symbol)
        world.minute(**{symbol: (100, 100, 98, 98)})
    barred = world.trader.view().barred
    assert barred is not None
    open_one(world, "HUSDT")
    assert world.held(Source.VIRTUAL) == ["HUSDT"]
    world.clock.advance_to(barred.until)
    assert world.trader.view().barred is None
