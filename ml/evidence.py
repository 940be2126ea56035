"""How sure one may be of a mean: confidence intervals that respect time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.market import DAY_MS, Booleans, Floats
from core.rng import seeded

_HOUR_MS = 3_600_000
_BLOCKS_MS = (DAY_MS, 4 * _HOUR_MS, _HOUR_MS)
_ENOUGH_BLOCKS = 20
_FEWEST_BLOCKS = 8  # below, a bootstrap of blocks says "sure" far too often
_RESAMPLES = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A mean in R with its 95 % interval; NaN where it can not be said."""

    mean: float
    low: float
    high: float
    count: int

    @property
    def is_edge(self) -> bool:
        """Whether all of the interval lies above zero; an unknown interval never does."""
        return self.low > 0

    def __str__(self) -> str:
        return f"{self.interval} over {self.count} trades, {self._verdict}"

    @property
    def interval(self) -> str:
        if np.isnan(self.low):
            return f"{self.mean:+.3f} R, too few hours for an interval"
        return f"{self.mean:+.3f} R [{self.low:+.3f}, {self.high:+.3f}]"

    @property
    def _verdict(self) -> str:
        if self.is_edge:
            return "evidence of edge"
        return "evidence of loss" if self.high < 0 else "no evidence of edge"


def mean_of(values: Floats, at: NDArray[np.int64], *, seed: int = 0) -> Estimate:
    """Estimate a mean over trades that happened ``at`` (ms)."""
    return improvement_of(values, np.ones(len(values), dtype=np.bool_), at, over_all=False, seed=seed)


def improvement_of(
    values: Floats, kept: Booleans, at: NDArray[np.int64], *, over_all: bool = True, seed: int = 0
) -> Estimate:
    """Estimate mean(kept), less mean(all) with ``over_all``: what a filter was worth to each trade it kept.

    The interval is a percentile bootstrap over blocks of time, the widest of a day, four hours and one
    hour that leaves enough of them: trades of one block share their fate and are drawn together.
    """
    if not kept.any():
        return Estimate(mean=np.nan, low=np.nan, high=np.nan, count=0)
    parts = np.stack([values * kept, kept.astype(float), values, np.ones(len(values))])
    mean = float(_statistic(parts.sum(axis=1), over_all=over_all))
    blocks = _blocks(at)
    count = int(blocks.max()) + 1
    low = high = np.nan
    if count >= _FEWEST_BLOCKS:
        totals = np.stack([np.bincount(blocks, weights=part, minlength=count) for part in parts])
        draws = seeded(seed).integers(0, count, size=(_RESAMPLES, count))
        means = _statistic(totals[:, draws].sum(axis=2), over_all=over_all)
        low, high = (float(each) for each in np.nanpercentile(means, [2.5, 97.5]))
    return Estimate(mean=mean, low=low, high=high, count=int(kept.sum()))


def _statistic(sums: Floats, *, over_all: bool) -> Floats:
    """Take (Σ kept, n kept, Σ all, n all); a resample that kept nothing has no mean."""
    kept_sum, kept_count, all_sum, all_count = sums
    mean: Floats = kept_sum / np.where(kept_count > 0, kept_count, np.nan)
    return mean - all_sum / all_count if over_all else mean


def _blocks(at: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number each trade's block from 0 without gaps."""
    for width in _BLOCKS_MS:
        numbers = np.unique(at // width, return_inverse=True)[1]
        if numbers.max() + 1 >= _ENOUGH_BLOCKS:
            break
    return numbers.astype(np.int64)
