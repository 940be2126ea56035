"""What a model may learn from: each real and virtual trade once, weighed by how much of it was its own."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.trade_log import TradeLog, read_trades
from ml.dataset import TooFewTrades, training_set, uniqueness
from tests.unit.ml.logs import records, with_twins, written


def test_twins_are_left_out_and_the_rest_keeps_its_source(tmp_path: Path) -> None:
    trades = records(26)
    data = training_set(read_trades(written(tmp_path, with_twins(trades))))
    assert len(data) == 26
    assert set(data.source) == {"real", "virtual"}
    assert data.features == ("chatter", "tell")


def test_rows_are_in_the_order_of_signals_and_match_their_labels(tmp_path: Path) -> None:
    trades = records(40)
    data = training_set(read_trades(written(tmp_path, trades[::-1])))
    assert (np.diff(data.began) > 0).all()
    assert data.gross_r.tolist() == [each.gross_r for each in trades]
    tells = [each.position.plan.candidate.features["tell"] for each in trades]
    np.testing.assert_array_equal(data.x[:, 1], np.array(tells, dtype=np.float32))
    assert (data.ended > data.began).all()


def test_only_the_newest_version_of_the_features_is_learned_from(tmp_path: Path) -> None:
    old, new = records(10)[:5], records(10)[5:]
    changed = []
    for each in new:
        wish = each.position.plan.candidate
        numbers = replace(wish.features, version="next", names=("fresh", "tell"))
        signal = replace(each.position.plan.signal, candidate=replace(wish, features=numbers))
        intent = replace(each.position.plan, signal=signal)
        changed.append(replace(each, position=replace(each.position, plan=intent)))
    data = training_set(read_trades(written(tmp_path, old + changed)))
    assert (data.version, data.features, len(data)) == ("next", ("fresh", "tell"), 5)


def test_an_empty_log_is_said(tmp_path: Path) -> None:
    TradeLog(tmp_path)
    with pytest.raises(TooFewTrades, match="no closed trade yet"):
        training_set(read_trades(tmp_path))


def test_a_trade_alone_weighs_more_than_three_at_once() -> None:
    began = np.array([0, 100, 100, 100])
    ended = np.array([50, 200, 200, 200])
    assert uniqueness(began, ended) == pytest.approx(np.array([2.0, 2 / 3, 2 / 3, 2 / 3]))


def test_half_shared_time_is_half_shared_weight() -> None:
    weights = uniqueness(np.array([0, 50]), np.array([100, 150]))
    assert weights == pytest.approx(np.array([1.0, 1.0]))


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**5)), min_size=1, max_size=30))
def test_weights_are_positive_and_average_one(lives: list[tuple[int, int]]) -> None:
    began = np.array([start for start, _ in lives])
    weights = uniqueness(began, began + np.array([held for _, held in lives]))
    assert (weights > 0).all()
    assert weights.mean() == pytest.approx(1.0)
