"""The best and the worst trade keep their candles, whatever becomes of the symbol."""

import numpy as np

from core.market import MINUTE_MS, CandleHistory, SymbolAxis
from core.notices import PositionEnded
from core.positions import Position
from data.candle_store import CandleStore
from services.highlights import Highlights
from tests.builders import SYMBOL, position

AXIS, OTHER = SymbolAxis((SYMBOL,)), SymbolAxis(("OTHERUSDT",))


def ended(store: CandleStore) -> tuple[Highlights, Position]:
    """Let a trade end, five minutes after it was planned."""
    highlights, over = Highlights(store), position()
    highlights.notify(PositionEnded(position=over, day_pnl=over.gross_pnl, at=over.plan.planned_at))
    return highlights, over


def with_candles() -> CandleStore:
    store = CandleStore(AXIS)
    start = position().plan.planned_at - 20 * MINUTE_MS
    times = start + np.arange(30, dtype=np.int64) * MINUTE_MS
    store.load(
        CandleHistory(
            symbol=SYMBOL, timeframe_ms=MINUTE_MS, open_times=times, candles=np.full((5, 30), 100.0)
        )
    )
    return store


def test_a_trade_keeps_the_candles_it_had_when_its_symbol_has_left() -> None:
    store = with_candles()
    highlights, over = ended(store)
    store.arrange(OTHER)
    assert highlights.best is not None
    assert len(highlights.best.open_times) == 30
    assert highlights.around(over) is None


def test_a_trade_shows_what_came_after_it() -> None:
    store = CandleStore(AXIS)
    highlights, over = ended(store)
    assert highlights.around(over) is None
    after = over.plan.planned_at + np.arange(3, dtype=np.int64) * MINUTE_MS
    store.load(
        CandleHistory(symbol=SYMBOL, timeframe_ms=MINUTE_MS, open_times=after, candles=np.full((5, 3), 100.0))
    )
    assert highlights.best is not None
    assert len(highlights.best.open_times) == 3
