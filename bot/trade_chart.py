"""What one picture of a trade shows, as plain numbers: candles, zones, levels, times and the result."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bot.numbers import decimals_of
from core.market import MINUTE_MS, Field, Floats
from core.positions import Position
from core.signals import Side, Zone
from core.trades import EMPTY_SNAPSHOT, TradeRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeChart:
    """Everything a picture needs. Prices are floats: nothing here is ever traded.

    ``candles`` is float64 [5, n], oldest first, with ``open_times`` int64 [n] in ms; bars after the exit
    are welcome. ``exit``, ``exited_at`` and ``net_r`` are ``None`` while the position is open. Without
    ``decimals``, prices are written as finely as the picture can show; without ``risk_a_unit``, 1 R is the
    way from the entry to the stop.
    """

    title: str
    side: Side
    candles: Floats
    open_times: NDArray[np.int64]
    entry: float
    stop: float
    target: float
    entered_at: int
    exit: float | None = None
    exited_at: int | None = None
    net_r: float | None = None
    note: str = ""
    zones: Sequence[Zone] = ()
    decimals: int | None = None
    risk_a_unit: float | None = None

    @classmethod
    def of(cls, position: Position, *, candles: Floats, open_times: NDArray[np.int64]) -> "TradeChart":
        """Take prices, times and words from a position; the candles around it come from the caller."""
        exit_price, reason = position.exit_price, position.exit_reason
        record = TradeRecord(position=position, snapshot=EMPTY_SNAPSHOT)
        return cls(
            title=f"{position.symbol} {position.side.name} ({position.plan.source})",
            side=position.side,
            candles=candles,
            open_times=open_times,
            entry=float(position.entry_price),
            stop=float(position.plan.stop),
            target=float(position.target_price),
            entered_at=position.opened_at or position.plan.planned_at,
            exit=None if exit_price is None else float(exit_price),
            exited_at=position.closed_at,
            net_r=None if exit_price is None else record.net_r,
            note=f"{signed(float(position.net_pnl))} USDT  {reason}" if reason else "open",
            zones=position.plan.candidate.zones,
            decimals=decimals_of(position.plan.instrument.tick_size),
            risk_a_unit=float(position.risk / position.entered) if position.entered else None,
        )

    @property
    def ended_at(self) -> int:
        """When the trade ended, or the end of the picture while it has not."""
        return self.exited_at if self.exited_at is not None else int(self.open_times[-1]) + MINUTE_MS

    def in_r(self, price: float) -> float:
        """Distance of ``price`` from the entry in units of the risk, before costs."""
        risk = abs(self.entry - self.stop) if self.risk_a_unit is None else self.risk_a_unit
        return (price - self.entry) * self.side / risk if risk else 0.0

    def price_range(self) -> tuple[float, float]:
        """Lowest and highest price to show, with a little air."""
        low, high = np.nanmin(self.candles[Field.LOW]), np.nanmax(self.candles[Field.HIGH])
        prices = (
            low,
            high,
            self.entry,
            self.stop,
            self.target,
            self.entry if self.exit is None else self.exit,
        )
        margin = (max(prices) - min(prices)) * 0.06 or max(prices) * 0.01
        return float(min(prices) - margin), float(max(prices) + margin)


def signed(value: float) -> str:
    """Write with two decimals and a sign, which a rounded zero does not have."""
    written = f"{value:+,.2f}"
    return written if written.strip("+-0.,") else written[1:]


def price_decimals(low: float, high: float) -> int:
    """Return how many decimals tell prices of this range apart: about a thousandth of it."""
    span = high - low or abs(high) * 0.01 or 1.0
    return int(np.clip(np.ceil(-np.log10(span / 1000)), 0, 12))


def spread_out(wanted: Sequence[float], *, gap: float, low: float, high: float) -> list[float]:
    """Move label heights apart to at least ``gap``, keeping their order, inside ``[low, high]``.

    Where there is no room for all, the gap is what gives way.
    """
    gap = min(gap, (high - low) / max(1, len(wanted) - 1))
    order = sorted(range(len(wanted)), key=wanted.__getitem__)
    heights = [max(low, min(high, wanted[index])) for index in order]
    for below, here in pairwise(range(len(heights))):
        heights[here] = max(heights[here], heights[below] + gap)
    heights[-1:] = [min(high, height) for height in heights[-1:]]
    for below, here in reversed(list(pairwise(range(len(heights))))):
        heights[below] = min(heights[below], heights[here] - gap)
    return [height for _, height in sorted(zip(order, heights, strict=True))]
