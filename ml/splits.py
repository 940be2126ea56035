"""Splits that never let the future teach the past."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """Rows to learn from and, all later, rows to judge by."""

    train: Indices
    test: Indices


def walk_forward(
    began: NDArray[np.int64], ended: NDArray[np.int64], *, folds: int, embargo_ms: int
) -> Iterator[Fold]:
    """Yield folds of an expanding window over trades sorted by ``began``.

    Time is cut, not rows: trades of one moment are never on both sides. A trade is learned from only
    when its label was known ``embargo_ms`` before the first test trade began; the rest is purged, by
    the label's own end and not by a count of rows. Folds that would learn from nothing are left out.
    """
    cuts = np.unique(began[np.arange(1, folds + 1) * len(began) // (folds + 1)])
    for start, stop in zip(cuts, [*cuts[1:], np.iinfo(np.int64).max], strict=True):
        train = np.flatnonzero(ended + embargo_ms < start)
        test = np.flatnonzero((began >= start) & (began < stop))
        if len(train) and len(test):
            yield Fold(train=train, test=test)
