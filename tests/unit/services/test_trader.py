"""The one loop, minute by minute, on two paper venues."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TypeVar

import numpy as np
import pytest

from core.clock import ManualClock
from core.errors import JournalError
from core.instruments import InstrumentStatus
from core.journal import (
    Entry,
    IntentRecorded,
    OperatorActed,
    PositionChanged,
    PositionClosed,
    RiskChanged,
    SignalJudged,
)
from core.market import MINUTE_MS, CandleHistory, MarketContext, MinuteClosed, SymbolAxis
from core.monitoring import Structure
from core.notices import Alert, Notice, PositionEnded, PositionOpened, Severity, SignalRefused
from core.operation import OperatorAction, OperatorRequest
from core.orders import (
    AccountRead,
    AccountSurvey,
    CancelConditional,
    CloseAtMarket,
    Command,
    ConditionalStatus,
    HeldPosition,
    OrderAbsent,
    OrderFilled,
    PlaceConditional,
    PrepareSymbol,
    QueryOrder,
    Report,
    RestingConditional,
    Role,
    StreamLost,
    SubmitEntry,
    Transferred,
    client_order_id,
)
from core.parameters import CostParameters, Parameters
from core.positions import ExitReason, Position, Source, Stage
from core.risk_state import Halt
from core.signals import Candidate, Side
from core.trades import TradeRecord
from core.universe import UniverseRefreshed, compare
from data.candle_store import CandleStore
from exchange.paper import PaperExchange
from services.bookkeeping import Bookkeeper
from services.books import Venues
from services.clerk import snapshot_before
from services.operator import Operator
from services.refusals import BAN_MS
from services.risk_desk import RiskDesk
from services.trader import Tick, Trader
from tests.builders import T0, candidate, instrument
from tests.fakes.journal import MemoryJournal

SYMBOLS = tuple(f"{letter}USDT" for letter in "ABCDEFGH")
AXIS = SymbolAxis(SYMBOLS)
INSTRUMENTS = {symbol: instrument(symbol) for symbol in SYMBOLS}
FREE = CostParameters(taker_fee=Decimal(0), slippage=Decimal(0))


N = TypeVar("N", bound=Notice)


class ScriptedEngine:
    """Stands where the strategy engine does: says what it was told to say."""

    def __init__(self) -> None:
        self.axis = AXIS
        self.wishes: dict[int, list[Candidate]] = {}
        self.structures: dict[str, Structure] = {}

    def warm_up(self, history: CandleHistory) -> None: ...

    def on_minute(self, minute: MinuteClosed) -> Sequence[Candidate]:
        return self.wishes.get(minute.at, [])

    def ready(self) -> int:
        return len(self.axis)

    def structure(self, symbol: str) -> Structure | None:
        return self.structures.get(symbol)


class Ear:
    """Remembers what people were told."""

    def __init__(self) -> None:
        self.heard: list[Notice] = []

    def notify(self, notice: Notice) -> None:
        self.heard.append(notice)

    def of(self, kind: type[N]) -> list[N]:
        return [notice for notice in self.heard if isinstance(notice, kind)]


class Shelf:
    """A trade log in memory."""

    def __init__(self) -> None:
        self.records: list[TradeRecord] = []

    def write(self, records: Sequence[TradeRecord]) -> None:
        self.records.extend(records)


class Spy:
    """Passes commands on to a paper venue and remembers them; fails the test if a rule is broken."""

    def __init__(self, venue: PaperExchange, journal: MemoryJournal) -> None:
        self._venue = venue
        self._journal = journal
        self.commands: list[Command] = []

    def submit(self, command: Command) -> Sequence[Report]:
        intents = {body.plan.position_id for body in self._journal.bodies(IntentRecorded)}
        assert command.position_id in intents, "a command left before its intent was durable"
        self.commands.append(command)
        return self._venue.submit(command)


class World:
    """A trader, its surroundings, and the hand that moves prices."""

    def __init__(self, journal: MemoryJournal | None = None, *, now: int = T0, twins: bool = False) -> None:
        self.clock = ManualClock(now)
        self.engine, self.ear, self.shelf = ScriptedEngine(), Ear(), Shelf()
        self.journal = journal or MemoryJournal()
        real, virtual, twin = (
            PaperExchange(INSTRUMENTS, deposit=Decimal(10_000), costs=FREE) for _ in range(3)
        )
        self.real = Spy(real, self.journal)
        store = CandleStore(AXIS)
        self.bookkeeper = Bookkeeper(self.shelf, self.clock)
        self.trader = Trader(
            mode="sim",
            engine=self.engine,
            store=store,
            desk=RiskDesk(INSTRUMENTS, store, Parameters()),
            venues=Venues(
                real=self.real,
                virtual=virtual,
                real_driver=real,
                virtual_driver=virtual,
                twin=twin if twins else None,
            ),
            journal=self.journal,
            bookkeeper=self.bookkeeper,
            notifier=self.ear,
            clock=self.clock,
            parameters=Parameters(),
        )

    def wish(self, *symbols: str, side: Side = Side.LONG, confidence: float = 80.0) -> None:
        """Let the strategy want these at the next minute, the first the most."""
        at = self.clock.market_ms() + MINUTE_MS
        self.engine.wishes[at] = [
            candidate(symbol, side=side, at=at, confidence=confidence - index)
            for index, symbol in enumerate(symbols)
        ]

    def minute(self, **moves: tuple[float, float, float, float]) -> None:
        """Close one minute: every candle is flat at 100, but for the named ones (open, high, low, close)."""
        row = np.full((5, len(SYMBOLS)), 100.0)
        for symbol, candle in moves.items():
            row[:4, SYMBOLS.index(symbol)] = candle
        at = self.clock.market_ms()
        close = row[3]
        context = MarketContext(
            bid=close * 0.9999,
            ask=close * 1.0001,
            mark=close,
            funding_rate=np.zeros_like(close),
            quote_volume_24h=np.full_like(close, 1e8),
        )
        self.clock.advance_to(at + MINUTE_MS)
        self.trader.process(
            MinuteClosed(
                open_time=at,
                axis=AXIS,
                row=row,
                present=np.ones(len(SYMBOLS), dtype=np.bool_),
                context=context,
                seen_at=at + MINUTE_MS,
            )
        )

    def held(self, source: Source) -> list[str]:
        view = self.trader.view()
        return [each.position.symbol for each in (view.real if source is Source.REAL else view.virtual)]


@pytest.fixture
def world() -> World:
    """A trader whose account has been read once."""
    made = World()
    made.minute()
    return made


def open_one(world: World, symbol: str = "AUSDT") -> None:
    world.wish(symbol)
    world.minute()
    world.minute()


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


def test_a_person_can_close_a_position(world: World) -> None:
    open_one(world)
    Operator(world.trader.process).close("ann", "AUSDT")
    world.minute()
    assert world.held(Source.REAL) == []
    assert any(isinstance(command, CloseAtMarket) for command in world.real.commands)


def test_a_symbol_held_is_not_entered_again(world: World) -> None:
    open_one(world)
    open_one(world)
    assert sum(isinstance(command, SubmitEntry) for command in world.real.commands) == 1
    refusal = world.ear.of(SignalRefused)[-1]
    assert "symbol_held" in refusal.reasons


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


@pytest.mark.fault(25)
def test_an_execution_that_is_not_ours_is_told_and_not_touched(world: World) -> None:
    fill = OrderFilled(
        symbol="BUSDT",
        client_order_id="web_123",
        venue_order_id="9",
        trade_id="9",
        side=Side.LONG,
        quantity=Decimal(1),
        price=Decimal(100),
        fee=Decimal(0),
        realised_pnl=Decimal(0),
        at=T0,
    )
    world.trader.process(fill)
    (alert,) = world.ear.of(Alert)
    assert (alert.key, alert.symbol) == ("foreign_fill", "BUSDT")
    assert world.real.commands == []


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


def closing_fill(position: Position) -> OrderFilled:
    """Make the execution of a position's stop."""
    assert position.stop
    return OrderFilled(
        symbol=position.symbol,
        client_order_id=position.stop.client_order_id,
        venue_order_id="77",
        trade_id="77",
        side=position.side.opposite,
        quantity=position.quantity,
        price=Decimal(100),
        fee=Decimal(0),
        realised_pnl=Decimal(0),
        at=T0,
    )


def survey(*conditionals: RestingConditional, positions: Sequence[HeldPosition] = ()) -> AccountSurvey:
    account = AccountRead(
        wallet=Decimal(10_000),
        equity=Decimal(10_000),
        available=Decimal(10_000),
        positions=tuple(positions),
        at=T0,
    )
    return AccountSurvey(account=account, conditionals=conditionals, orders=(), at=T0)


def resting(order_id: str, symbol: str = "AUSDT") -> RestingConditional:
    return RestingConditional(
        client_order_id=order_id,
        symbol=symbol,
        status=ConditionalStatus.NEW,
        trigger_price=Decimal(99),
    )


def test_a_leftover_of_ours_on_a_flat_symbol_is_cancelled(world: World) -> None:
    open_one(world)
    (stop,) = (
        each for each in world.real.commands if isinstance(each, PlaceConditional) and each.role is Role.STOP
    )
    world.minute(AUSDT=(100, 103, 100, 102))
    assert world.held(Source.REAL) == []
    world.real.commands.clear()
    world.trader.process(survey(resting(stop.client_order_id)))
    (cancel,) = world.real.commands
    assert isinstance(cancel, CancelConditional)
    assert cancel.client_order_id == stop.client_order_id


@pytest.mark.fault(49)
def test_a_second_bot_halts_entries_and_is_told_once(world: World) -> None:
    stranger = resting(client_order_id("real:never ours", Role.STOP, 1))
    for _ in range(3):
        world.trader.process(survey(stranger))
    assert [each.key for each in world.ear.of(Alert)] == ["risk_halted", "second_bot"]
    assert world.journal.risk_state() == world.trader.desk.state
    assert world.trader.view().halted == "second_bot"
    assert world.real.commands == []


def test_a_foreign_position_is_told_and_not_touched(world: World) -> None:
    foreign = HeldPosition(
        symbol="BUSDT",
        quantity=Decimal(3),
        entry_price=Decimal(100),
        mark_price=Decimal(100),
        liquidation_price=Decimal(0),
    )
    world.trader.process(survey(resting("web_1", "BUSDT"), positions=[foreign]))
    assert [each.key for each in world.ear.of(Alert)] == ["foreign_position", "foreign_order"]
    assert world.real.commands == []


@pytest.mark.fault(20)
def test_a_gap_in_the_news_is_followed_by_questions(world: World) -> None:
    open_one(world)
    world.real.commands.clear()
    world.trader.process(StreamLost(at=T0, reason="reset"))
    asked = {each.role for each in world.real.commands if isinstance(each, QueryOrder)}
    assert asked == {Role.STOP, Role.TARGET}


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


def ask(world: World, action: OperatorAction) -> None:
    world.trader.process(OperatorRequest(action=action, by="ann"))


@pytest.mark.parametrize("action", [OperatorAction.PAUSE, OperatorAction.HALT])
def test_a_pause_takes_no_entries_until_somebody_resumes_though_we_restart(
    world: World, action: OperatorAction
) -> None:
    open_one(world)
    ask(world, action)
    again = World(world.journal, now=world.clock.market_ms())
    again.trader.restore()
    again.minute()
    open_one(again, "BUSDT")
    assert again.held(Source.REAL) == ["AUSDT"]
    ask(again, OperatorAction.RESUME)
    open_one(again, "CUSDT")
    assert set(again.held(Source.REAL)) == {"AUSDT", "CUSDT"}
    wishes = [(body.request.action, body.request.by) for body in again.journal.bodies(OperatorActed)]
    assert wishes == [(action, "ann"), (OperatorAction.RESUME, "ann")]


def test_a_panic_closes_everything_and_opens_no_more(world: World) -> None:
    open_one(world)
    world.wish("BUSDT")
    world.minute()  # the entry of B waits for the next open
    ask(world, OperatorAction.PANIC)
    world.wish("CUSDT")
    for _ in range(3):
        world.minute()
    assert world.held(Source.REAL) == []
    world.bookkeeper.flush()
    real = [each for each in world.shelf.records if each.source is Source.REAL]
    assert {each.symbol: each.exit_reason for each in real} == {
        "AUSDT": ExitReason.OPERATOR,
        "BUSDT": ExitReason.OPERATOR,
    }


@pytest.mark.parametrize("first", [each for each in Halt if each is not Halt.PANIC])
def test_a_panic_closes_everything_though_something_else_has_halted_before(world: World, first: Halt) -> None:
    open_one(world)
    world.trader.desk.halt(first.value, T0)
    ask(world, OperatorAction.PANIC)
    world.minute()
    assert world.held(Source.REAL) == []
    assert world.trader.view().halted == first.value


def test_a_halt_for_a_reason_called_panic_closes_nothing(world: World) -> None:
    open_one(world)
    world.trader.process(OperatorRequest(action=OperatorAction.HALT, by="ann", reason="panic"))
    world.minute()
    assert world.held(Source.REAL) == ["AUSDT"]


def test_a_panic_outlives_a_restart(world: World) -> None:
    open_one(world)
    ask(world, OperatorAction.PANIC)
    again = World(world.journal, now=world.clock.market_ms())
    again.trader.restore()
    for _ in range(3):
        again.minute()
        again.trader.process(Tick())
    assert again.held(Source.REAL) == []


def test_the_operator_closes_one_position_however_often_it_is_asked(world: World) -> None:
    open_one(world)
    for _ in range(3):
        Operator(world.trader.process).close("ann", "AUSDT")
    world.minute()
    assert world.held(Source.REAL) == []
    assert sum(isinstance(command, CloseAtMarket) for command in world.real.commands) == 1


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


def account_of(equity: str) -> AccountRead:
    money = Decimal(equity)
    return AccountRead(wallet=money, equity=money, available=money, positions=(), at=T0)


def test_a_withdrawal_is_no_drawdown(world: World) -> None:
    world.trader.process(Transferred(amount=Decimal(-2000), at=T0))
    world.trader.process(account_of("8000"))
    assert world.trader.view().halted == ""
    assert world.trader.desk.state.drawdown(Decimal(8000)) == 0
    assert [each.key for each in world.ear.of(Alert)] == ["transferred"]


def test_a_drawdown_is_told_at_five_percent_and_halts_at_ten(world: World) -> None:
    world.trader.process(account_of("9499"))
    assert [each.key for each in world.ear.of(Alert)] == ["drawdown_alert"]
    world.trader.process(account_of("8999"))
    assert [each.key for each in world.ear.of(Alert)] == ["drawdown_alert", "risk_halted"]
    assert world.trader.view().halted == "drawdown"


def test_only_moves_of_a_percent_are_worth_a_line_in_the_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        for equity in ("10000", "10050", "10099", "10101", "10102"):
            world.trader.process(account_of(equity))
    lines = [record.getMessage() for record in caplog.records if "equity" in record.getMessage()]
    assert lines == ["equity 10101 USDT"]  # the first read, in the world's first minute, had its line


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


def test_news_of_an_earlier_position_on_the_symbol_does_not_touch_the_one_that_is_held(
    world: World,
) -> None:
    open_one(world)
    (stop,) = (
        each for each in world.real.commands if isinstance(each, PlaceConditional) and each.role is Role.STOP
    )
    before = world.trader.view().real
    for earlier in ("real:earlier", stop.position_id):
        assert world.trader.view().real == before
        world.trader.process(
            OrderAbsent(position_id=earlier, symbol="AUSDT", client_order_id=stop.client_order_id, at=T0)
        )
    assert world.trader.view().real != before


def test_an_order_of_ours_that_fills_too_late_is_an_alarm(world: World) -> None:
    open_one(world)
    position = world.trader.view().real[0].position
    world.minute(AUSDT=(100, 103, 100, 102))
    world.trader.process(closing_fill(position))
    (alarm,) = world.ear.of(Alert)
    assert (alarm.key, alarm.severity) == ("late_fill", Severity.CRITICAL)


def refreshed(world: World, symbol: str, status: InstrumentStatus) -> UniverseRefreshed:
    now = {**INSTRUMENTS, symbol: replace(INSTRUMENTS[symbol], status=status)}
    return compare(SYMBOLS, INSTRUMENTS, now, at=world.clock.market_ms(), parameters=Parameters().universe)


def test_a_contract_that_leaves_takes_no_entry_and_its_position_is_closed(world: World) -> None:
    open_one(world)
    world.trader.process(refreshed(world, "AUSDT", InstrumentStatus.SETTLING))
    world.trader.process(refreshed(world, "AUSDT", InstrumentStatus.SETTLING))
    world.minute()
    assert [each.position.exit_reason for each in world.ear.of(PositionEnded)] == [ExitReason.DELISTED]
    assert [each.key for each in world.ear.of(Alert)] == ["contract_leaving"]
    open_one(world)
    assert world.held(Source.REAL) == []
    assert "not_in_universe" in world.ear.of(SignalRefused)[-1].reasons


def test_a_contract_that_trades_again_may_be_entered_again(world: World) -> None:
    world.trader.process(refreshed(world, "AUSDT", InstrumentStatus.SETTLING))
    world.trader.process(refreshed(world, "AUSDT", InstrumentStatus.TRADING))
    open_one(world)
    assert world.held(Source.REAL) == ["AUSDT"]


def test_a_symbol_that_refuses_three_entries_within_an_hour_is_left_alone_for_a_while() -> None:
    store = CandleStore(AXIS)
    desk = RiskDesk(INSTRUMENTS, store, Parameters())
    assert [len(desk.entry_refused("AUSDT", "entry_rejected", T0 + n * MINUTE_MS)) for n in range(3)] == [
        0,
        0,
        1,
    ]
    assert desk.state.is_blacklisted("AUSDT", T0 + 3 * MINUTE_MS)
    assert desk.state.blacklist["AUSDT"].reason == "entry_rejected"
    assert not desk.state.is_blacklisted("AUSDT", T0 + 2 * MINUTE_MS + BAN_MS)
    for hour in range(5):
        assert not desk.entry_refused("BUSDT", "entry_rejected", T0 + hour * 40 * MINUTE_MS)


def test_the_same_story_twice_gives_the_same_fingerprint() -> None:
    prints = []
    for _ in range(2):
        world = World()
        world.minute()
        open_one(world)
        world.minute(AUSDT=(100, 103, 100, 102))
        prints.append(world.trader.digest.hexdigest())
    assert prints[0] == prints[1]
