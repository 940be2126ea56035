"""What a decision read is in the journal."""

from collections.abc import Sequence

import numpy as np
import pytest

from core.journal import EntryKind, MinuteJudged, RiskChanged, SignalJudged
from core.market import QUARTER_MS, CandleHistory, Floats, MarketContext, MinuteClosed, SymbolAxis
from core.notices import Alert
from core.positions import Position, Source
from data.codec import decode_body
from services.inputs import Inputs
from tests.builders import MINUTE, T0
from tests.builders_trader import AXIS, INSTRUMENTS, World
from tests.fakes.journal import MemoryJournal


def history(candles: Floats, *, starts_over: bool = False) -> CandleHistory:
    times = np.arange(candles.shape[1], dtype=np.int64) * QUARTER_MS
    return CandleHistory(
        symbol="AUSDT", timeframe_ms=QUARTER_MS, open_times=times, candles=candles, starts_over=starts_over
    )


def minute_of(context: MarketContext, axis: SymbolAxis = AXIS) -> MinuteClosed:
    return MinuteClosed(
        open_time=T0,
        axis=axis,
        row=np.full((5, len(axis)), 100.0),
        present=np.arange(len(axis)) != 1,
        context=context,
        seen_at=T0 + MINUTE,
    )


def test_a_signals_market_is_written_down_as_it_was_judged(world: World) -> None:
    world.wish("AUSDT", "BUSDT")
    world.minute()
    judged = world.journal.bodies(SignalJudged)
    assert [each.signal.candidate.symbol for each in judged] == ["AUSDT", "BUSDT"]
    for each in judged:
        assert each.market is not None
        assert each.market.instrument == INSTRUMENTS[each.signal.candidate.symbol]
        assert each.market.mark == 100.0
        assert each.market.spread == pytest.approx(0.0002)
        assert (each.market.funding_rate, each.market.quote_volume_24h) == (0.0, 1e8)


def test_what_is_not_known_is_written_as_unknown(world: World) -> None:
    market = Inputs(world.trader.desk, AXIS).market("AUSDT", minute_of(MarketContext.unknown(len(AXIS))))
    assert (market.spread, market.funding_rate, market.quote_volume_24h, market.mark) == (None,) * 4


def test_a_minute_tells_the_account_and_who_was_absent(world: World) -> None:
    told = Inputs(world.trader.desk, AXIS).entry(minute_of(MarketContext.unknown(len(AXIS))), ranked=0)
    assert (told.equity, told.available, told.absent) == ("10000", "10000", ("BUSDT",))
    assert told.equity_at is not None


def test_before_the_account_is_read_its_equity_is_unknown_and_not_a_word() -> None:
    world = World()
    told = Inputs(world.trader.desk, AXIS).entry(minute_of(MarketContext.unknown(len(AXIS))), ranked=0)
    assert (told.equity, told.available, told.equity_at) == ("", "", None)


@pytest.mark.parametrize("field", ["bid", "ask", "mark", "funding_rate", "quote_volume_24h"])
def test_a_change_in_any_market_changes_the_minutes_hash(world: World, field: str) -> None:
    inputs, known = Inputs(world.trader.desk, AXIS), np.ones(len(AXIS))
    names = ("bid", "ask", "mark", "funding_rate", "quote_volume_24h")
    same = MarketContext(**dict.fromkeys(names, known))
    other = MarketContext(**{name: known + (name == field) * (np.arange(len(AXIS)) == 3) for name in names})
    first, second, third = (inputs.entry(minute_of(each), ranked=0) for each in (same, same, other))
    assert first.context_sha256 == second.context_sha256 != third.context_sha256


def test_the_order_of_the_columns_is_told_when_it_changes(world: World) -> None:
    inputs, axis = Inputs(world.trader.desk, AXIS), SymbolAxis((*AXIS.names, "NEWUSDT"))
    minutes = [minute_of(MarketContext.unknown(len(each)), each) for each in (AXIS, axis, axis)]
    assert [inputs.entry(each, ranked=0).axis for each in minutes] == [(), axis.names, ()]


def test_every_history_a_symbol_was_given_stands_in_the_next_minute(world: World) -> None:
    candles = np.arange(15.0).reshape(5, 3)
    world.trader.process(history(candles))
    world.trader.process(history(candles + 1, starts_over=True))
    world.minute()
    world.minute()
    *_, told, after = world.journal.bodies(MinuteJudged)
    first, again = told.warmed
    assert (first.symbol, first.timeframe_ms, first.candles) == ("AUSDT", QUARTER_MS, 3)
    assert (first.first, first.last) == (0, 2 * QUARTER_MS)
    assert first.digest != again.digest
    assert (first.starts_over, again.starts_over) == (False, True)
    assert after.warmed == ()


def test_a_history_of_nothing_is_told_as_such(world: World) -> None:
    world.trader.process(history(np.empty((5, 0))))
    world.minute()
    assert world.journal.bodies(MinuteJudged)[-1].warmed[0].candles == 0


# --- a journal with a hole ----------------------------------------------------------------------------


def test_a_journal_that_lost_records_stops_entries_until_somebody_resumes() -> None:
    journal = MemoryJournal()
    journal.damaged = "events 7 to 9 are missing"
    world = World(journal)
    world.trader.restore()
    world.minute()
    world.wish("AUSDT")
    world.minute()
    assert world.trader.desk.halted == "journal_damaged"
    assert world.held(Source.REAL) == []
    assert ("journal_damaged", journal.damaged) in [(each.key, each.text) for each in world.ear.of(Alert)]


def test_what_is_found_damaged_while_it_is_read_stops_entries_too() -> None:
    class Hole(MemoryJournal):
        def given_up(self, limit: int) -> Sequence[Position]:
            self.damaged = "event 7 (position) can not be read"
            return super().given_up(limit)

    world = World(Hole())
    world.trader.restore()
    assert world.trader.desk.halted == "journal_damaged"


def test_the_halt_for_lost_records_is_written_though_another_one_stands() -> None:
    journal = MemoryJournal()
    before = World(journal)
    before.minute()
    before.trader._clerk.halt("drawdown", T0)
    journal.damaged = "events 7 to 9 are missing"
    written = len(journal.bodies(RiskChanged))
    World(journal).trader.restore()
    assert len(journal.bodies(RiskChanged)) == written + 1
    assert journal.bodies(RiskChanged)[-1].state.halted == "drawdown"


def test_a_minute_of_an_older_version_is_still_read() -> None:

    payload = b'{"absent":[],"equity":"9990.6","ranked":0,"row_sha256":"be","symbols":200}'
    body = decode_body(EntryKind.MINUTE, payload)
    assert isinstance(body, MinuteJudged)
    assert (body.equity, body.warmed) == ("9990.6", ())
