"""The numbers of the market-structure rules, named; defaults are the strategy's."""

from dataclasses import dataclass
from math import inf
from typing import NamedTuple

WINDOW = 64
"""Candles each chart remembers; a power of two, so that a bar number finds its place by masking."""


class Rules(NamedTuple):
    """One timeframe's rules in the form that compiled code can read."""

    minutes: int
    internal_leg: int
    swing_leg: int
    msb_min_leg_fraction: float
    msb_min_atr: float
    ob_min_displacement: float
    ob_validation_bars: int
    ob_max_age: int
    ob_search_bars: int
    equal_level_atr: float
    gap_min_atr: float


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelParameters:
    """How market structure is read. Lengths and ages are in bars of their own timeframe.

    ``*_leg``: candles to the right that confirm a swing point. ``msb_*``: how far a breaking candle must
    reach beyond the level, as a fraction of the previous leg and in ATR. ``ob_min_displacement``: the next
    body as a multiple of the block's. ``ob_search_bars``: how far before a break its block is looked for.
    ``equal_level_atr``: how near two swing points count as equal. ``trend_min_atr``: nearer to
    EMA 200 than that is no trend. ``min_bars_*``: history below which a symbol is not ready.
    """

    internal_leg: int = 5
    swing_leg: int = 20
    quarter_leg: int = 10
    msb_min_leg_fraction: float = 0.33
    msb_min_atr: float = 0.5
    ob_min_displacement: float = 1.2
    ob_validation_bars: int = 5
    ob_max_age: int = 240
    ob_search_bars: int = 60
    equal_level_atr: float = 0.1
    gap_min_atr: float = 0.25
    trend_min_atr: float = 0.1
    min_bars_1m: int = 240
    min_bars_15m: int = 600

    def __post_init__(self) -> None:
        """Refuse what the charts can not remember: raises ``ValueError``."""
        if negative := [name for name in self.__slots__ if not 0 <= getattr(self, name) < inf]:
            raise ValueError(f"{negative[0]} must be finite and not negative")
        longest = WINDOW - 2
        lengths = (self.internal_leg, self.swing_leg, self.quarter_leg, self.ob_search_bars)
        if not all(1 <= length <= longest for length in lengths):
            raise ValueError(f"legs and ob_search_bars must lie between 1 and {longest} bars")
        if not 1 <= self.ob_validation_bars < self.ob_max_age:
            raise ValueError("ob_validation_bars must lie between 1 and ob_max_age")

    def minute_rules(self) -> Rules:
        return self._rules(1, internal_leg=self.internal_leg, swing_leg=self.swing_leg)

    def quarter_rules(self) -> Rules:
        return self._rules(15, internal_leg=self.quarter_leg, swing_leg=self.quarter_leg)

    def _rules(self, minutes: int, *, internal_leg: int, swing_leg: int) -> Rules:
        return Rules(
            minutes=minutes,
            internal_leg=internal_leg,
            swing_leg=swing_leg,
            msb_min_leg_fraction=self.msb_min_leg_fraction,
            msb_min_atr=self.msb_min_atr,
            ob_min_displacement=self.ob_min_displacement,
            ob_validation_bars=self.ob_validation_bars,
            ob_max_age=self.ob_max_age,
            ob_search_bars=self.ob_search_bars,
            equal_level_atr=self.equal_level_atr,
            gap_min_atr=self.gap_min_atr,
        )
