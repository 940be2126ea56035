"""Recorded candles come out as they went in; only the inside of a minute is drawn."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import DataFileError
from core.market import DAY_MS, MINUTE_MS, Field
from core.rng import seeded
from exchange.sim.market.candles import FIELDS, Integers, Row
from exchange.sim.market.recorded import RecordedCandles, draw_inside, recorded_universe
from tests.unit.sim_market.markets import pass_minutes, recorded, recorded_market

REAL = Path(__file__).parents[4] / "shared" / "data" / "klines_1m_2025-05.parquet"


@st.composite
def ohlc(draw: st.DrawFn) -> Integers:
    """Candles of four symbols in ticks of 5 points."""
    columns = []
    for _ in range(4):
        low = draw(st.integers(1, 10_000))
        spread = draw(st.integers(0, 300))
        opens, closes = (low + draw(st.integers(0, spread)) for _ in range(2))
        columns.append([opens, low + spread, low, closes, 1, 1])
    return 5 * np.array(columns, np.int64).T


@given(ohlc(), st.integers(0, 2**32))
def test_a_drawn_minute_makes_exactly_its_candle(candle: Integers, seed: int) -> None:
    points = draw_inside(candle, np.full(4, 5), seeded(seed))
    assert not (points % 5).any()
    assert points[0].tolist() == candle[Row.OPEN].tolist()
    assert points[-1].tolist() == candle[Row.CLOSE].tolist()
    assert points.max(0).tolist() == candle[Row.HIGH].tolist()
    assert points.min(0).tolist() == candle[Row.LOW].tolist()


def test_clients_see_the_recorded_candles() -> None:
    candles = recorded()
    market = recorded_market(candles)
    pass_minutes(market, 20)
    for index in range(2):
        times, rows = market.bars(index, MINUTE_MS).existing()
        minutes = (times[:-1] - candles.start_ms) // MINUTE_MS
        shown = rows[: FIELDS - 1, :-1].astype(float)
        shown[: Row.VOLUME] *= market.scales.point[index]
        shown[Row.VOLUME] *= market.scales.lot[index]
        assert np.allclose(shown, candles.candles[minutes, :, index].T, rtol=1e-12)


def test_minute_zero_leaves_most_symbols_1400_quarters_of_history() -> None:
    market = recorded_market(recorded())
    assert market.quarters.since(0).shape[-1] == 1400
    assert market.minutes.since(0).shape[-1] == 1500


def test_a_recording_too_short_for_its_history_is_refused() -> None:
    with pytest.raises(DataFileError, match="1,400"):
        recorded_market(recorded(minutes=20_000))


def test_the_market_stands_still_when_the_recording_is_over() -> None:
    candles = recorded(minutes=200)
    market = recorded_market(candles, start_ms=candles.end_ms() - 2 * MINUTE_MS)
    pass_minutes(market, 5)
    assert market.has_ended
    assert market.now_ms == candles.end_ms()


def test_the_tick_is_made_fine_enough_for_every_recorded_price() -> None:
    candles = recorded(minutes=200)
    candles.candles[:, : Field.VOLUME, 0] += 0.0004
    contract = recorded_universe(candles)[0].contract
    assert contract.tick_size == Decimal("0.0001")


def test_an_unknown_symbol_is_modelled_on_a_known_one() -> None:
    candles = replace(recorded(minutes=200), symbols=("NEVERHEARDUSDT", "ETHUSDT"))
    stranger = recorded_universe(candles)[0]
    assert stranger.contract.base == "NEVERHEARD"
    assert stranger.contract.brackets
    assert stranger.synthetic


def test_a_symbol_that_ends_long_before_the_recording_is_delisted() -> None:
    candles = recorded(symbols=("AAVEUSDT", "BTCUSDT", "ETHUSDT"), minutes=4000)
    candles.candles[1000:, :, 0] = np.nan
    ended = recorded_universe(candles)[0].contract
    assert ended.delivery_ms == candles.start_ms + 1000 * MINUTE_MS
    assert candles.end_ms() - ended.delivery_ms > DAY_MS


def test_a_gap_stays_a_gap() -> None:
    candles = recorded(minutes=200)
    candles.candles[100:103, :, 0] = np.nan
    market = recorded_market(candles, start_ms=candles.start_ms + 99 * MINUTE_MS)
    pass_minutes(market, 6)
    times, _ = market.bars(0, MINUTE_MS).existing()
    gaps = np.flatnonzero(np.diff(times) > MINUTE_MS)
    assert np.diff(times)[gaps].tolist() == [4 * MINUTE_MS]
    assert market.last[0] > 0


def test_an_impossible_candle_is_refused_by_name() -> None:
    rows = np.array([[10.0], [9.0], [8.0], [9.5], [1.0]])
    with pytest.raises(DataFileError, match="XUSDT at 60000"):
        RecordedCandles.from_rows(["XUSDT"], np.array([60_000]), rows=rows)


@pytest.mark.skipif(not REAL.exists(), reason="the recorded candles are not beside the project")
def test_the_real_recording_plays_without_loss() -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    table = pq.read_table(REAL, columns=["symbol", "open_time", "open", "high", "low", "close", "volume"])
    columns = [table[name].to_numpy() for name in ("open", "high", "low", "close", "volume")]
    candles = RecordedCandles.from_rows(
        table["symbol"].to_pylist(), table["open_time"].to_numpy(), rows=np.stack(columns)
    )
    market = recorded_market(candles)
    pass_minutes(market, 3)
    for index, symbol in enumerate(candles.symbols):
        times, rows = market.bars(index, MINUTE_MS).existing()
        column = candles.candles[(times[:-1] - candles.start_ms) // MINUTE_MS, :, index].T
        shown = rows[: Row.VOLUME, :-1] * market.scales.point[index]
        assert np.allclose(shown, column[: Field.VOLUME], rtol=1e-12), symbol
