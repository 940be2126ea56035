"""The future never teaches the past."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ml.splits import walk_forward

lives = st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 900)), min_size=1, max_size=80)


@given(lives=lives, folds=st.integers(1, 8), embargo=st.integers(0, 300))
def test_every_lesson_was_known_before_the_first_test_began(
    lives: list[tuple[int, int]], folds: int, embargo: int
) -> None:
    began = np.sort(np.array([start for start, _ in lives]))
    ended = began + np.array([held for _, held in lives])
    tested: list[int] = []
    for fold in walk_forward(began, ended, folds=folds, embargo_ms=embargo):
        assert (ended[fold.train] + embargo < began[fold.test].min()).all()
        tested.extend(fold.test.tolist())
    assert len(set(tested)) == len(tested)
    assert tested == sorted(tested)


def test_trades_of_one_moment_stay_together() -> None:
    began = np.repeat(np.arange(10) * 100, 5)
    for fold in walk_forward(began, began + 10, folds=4, embargo_ms=0):
        assert not set(began[fold.train]) & set(began[fold.test])


def test_all_trades_after_the_first_window_are_judged_once() -> None:
    began = np.arange(60) * 100
    folds = list(walk_forward(began, began + 10, folds=5, embargo_ms=0))
    assert [len(fold.test) for fold in folds] == [10] * 5
    assert [len(fold.train) for fold in folds] == [10, 20, 30, 40, 50]


def test_a_label_still_open_is_not_learned_from() -> None:
    began = np.arange(60) * 100
    ended = began + 250
    first = next(walk_forward(began, ended, folds=5, embargo_ms=0))
    assert first.train.tolist() == list(range(8))
