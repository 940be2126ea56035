"""From rows of the trade log to what a model may learn from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from core.errors import PerpscoutError
from core.market import Floats

FEATURE_PREFIX = "f_"
LEARNED_FROM = ("real", "virtual")
"""A twin is the paper copy of a real trade and would count twice; a shadow is one that nobody wanted."""


class TooFewTrades(PerpscoutError):
    """There is not enough to learn from, or to judge what was learned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSet:
    """Closed trades in the order of their signals; all arrays have one row a trade.

    ``x`` is float32 [n, k] in the order of ``features``, NaN where a row has no value; ``gross_r`` is
    what is learned. A label was not known before ``ended`` (ms), though its trade ``began`` (ms) earlier.
    """

    features: tuple[str, ...]
    version: str
    x: NDArray[np.float32]
    gross_r: Floats
    net_r: Floats
    expected_r: Floats
    began: NDArray[np.int64]
    ended: NDArray[np.int64]
    source: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.gross_r)


def training_set(rows: pa.Table, *, sources: Sequence[str] = LEARNED_FROM) -> TrainingSet:
    """Take the trades of ``sources`` whose features have the newest trade's version.

    Raises ``TooFewTrades`` when there are none.
    """
    rows = rows.filter(pc.is_in(rows["source"], pa.array(sources))).sort_by("signal_at")
    if not rows.num_rows:
        raise TooFewTrades("The trade log holds no closed trade yet: let the trader run first.")
    version = rows["feature_version"][-1].as_py()
    rows = rows.filter(pc.equal(rows["feature_version"], version))
    names = _features(rows)
    return TrainingSet(
        features=tuple(name.removeprefix(FEATURE_PREFIX) for name in names),
        version=version,
        x=np.stack([_floats(rows, name) for name in names], axis=1).astype(np.float32),
        gross_r=_floats(rows, "gross_r"),
        net_r=_floats(rows, "net_r"),
        expected_r=_floats(rows, "expected_gross_r"),
        began=rows["signal_at"].to_numpy(),
        ended=pc.coalesce(rows["closed_at"], rows["signal_at"]).to_numpy(),
        source=np.array(rows["source"].to_pylist()),
    )


def uniqueness(began: NDArray[np.int64], ended: NDArray[np.int64]) -> Floats:
    """Return how much of each trade's life was its own: the mean of 1 ÷ (trades alive), over its life.

    Trades that lived through the same hour learned the same lesson; as weights these keep it from being
    counted once for each (López de Prado, Advances in Financial Machine Learning, 4.4). Mean 1.
    """
    ended = np.maximum(ended, began + 1)
    times = np.unique(np.concatenate([began, ended]))
    alive = np.searchsorted(np.sort(began), times[:-1], "right") - np.searchsorted(
        np.sort(ended), times[:-1], "right"
    )
    own_time = np.concatenate([[0.0], np.cumsum(np.diff(times) / np.maximum(alive, 1))])
    own = own_time[np.searchsorted(times, ended)] - own_time[np.searchsorted(times, began)]
    weights = own / (ended - began)
    return np.asarray(weights / weights.mean())


def _features(rows: pa.Table) -> list[str]:
    """Return the columns of features this version has: others' are empty in all its rows."""
    names = [name for name in rows.column_names if name.startswith(FEATURE_PREFIX)]
    return sorted(name for name in names if rows[name].null_count < rows.num_rows)


def _floats(rows: pa.Table, name: str) -> Floats:
    values: Floats = pc.cast(rows[name], pa.float64()).fill_null(np.nan).to_numpy()
    return values
