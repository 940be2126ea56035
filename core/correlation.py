"""How alike symbols have moved lately, so that three positions are not one."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np

from core.market import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlations:
    """Correlation of returns between symbols: float64 [S, S], NaN where it can not be told."""

    symbols: tuple[str, ...] = ()
    matrix: Floats

    def between(self, one: str, other: str) -> float:
        """Return ρ, NaN where unknown."""
        if one not in self.symbols or other not in self.symbols:
            return nan
        return float(self.matrix[self.symbols.index(one), self.symbols.index(other)])


NOTHING_KNOWN = Correlations(matrix=np.empty((0, 0)))


def correlate(symbols: Sequence[str], closes: Floats, *, bars: int) -> Correlations:
    """Correlate the last ``bars`` log returns.

    ``closes`` is float64 [n, S], oldest first. A symbol with a gap in these bars, or that did not move,
    is unknown, and so is every one when n ≤ bars.
    """
    if len(closes) <= bars:
        return Correlations(symbols=tuple(symbols), matrix=np.full((len(symbols), len(symbols)), nan))
    with np.errstate(invalid="ignore", divide="ignore"):
        returns = np.diff(np.log(closes[-bars - 1 :]), axis=0)
        centred = returns - returns.mean(axis=0)
        length = np.sqrt((centred * centred).sum(axis=0))
        matrix: Floats = centred.T @ centred / np.outer(length, length)
    return Correlations(symbols=tuple(symbols), matrix=matrix)
