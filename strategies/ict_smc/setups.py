"""Where there is something to consider: trend, structure and location agree and a block has just held."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.market import Booleans
from strategies.ict_smc.parameters import IctSmcParameters
from strategies.kernel.indicators import trend_side
from strategies.kernel.jit import compiled
from strategies.kernel.market import MarketKernel
from strategies.kernel.order_blocks import TOUCHED, middle
from strategies.kernel.records import Block, Chart, Records
from strategies.kernel.swings import SWING


class Gates(NamedTuple):
    """The gates' numbers in the form that compiled code can read."""

    trend_min_atr: float
    sweep_max_age: int
    discount_limit: float


class Setup(NamedTuple):
    """One symbol whose gates all opened on this minute, and the place of the block that did it."""

    symbol_index: int
    side: int
    block: int


def find_setups(kernel: MarketKernel, parameters: IctSmcParameters) -> list[Setup]:
    """Look at every ready symbol; at most one set-up each."""
    gates = gates_of(kernel, parameters)
    found = np.full(len(kernel.symbols), -1, dtype=np.int64)
    scan(kernel.minute, kernel.quarter, kernel.ready(), gates, found)
    return [_setup(kernel, int(s), int(found[s])) for s in np.flatnonzero(found >= 0)]


def gates_of(kernel: MarketKernel, parameters: IctSmcParameters) -> Gates:
    return Gates(
        trend_min_atr=kernel.parameters.trend_min_atr,
        sweep_max_age=parameters.sweep_max_age,
        discount_limit=parameters.discount_limit,
    )


def _setup(kernel: MarketKernel, symbol_index: int, block: int) -> Setup:
    side = kernel.minute[symbol_index].blocks[block].side
    return Setup(symbol_index=symbol_index, side=int(side), block=block)


@compiled
def scan(
    minutes: Records, quarters: Records, ready: Booleans, gates: Gates, found: NDArray[np.int64]
) -> None:
    """Write to ``found`` the place of the block that makes a set-up of each symbol, −1 for none."""
    for s in range(len(minutes)):
        found[s] = setup_block(minutes[s], quarters[s], gates) if ready[s] else -1


@compiled
def setup_block(minute: Chart, quarter: Chart, gates: Gates) -> int:
    """Return the place of the newest block on which every gate opens, −1 when there is none."""
    best = -1
    for place in range(minute.blocks_open):
        block = minute.blocks[place]
        if not has_held(block, minute) or not agrees(minute, quarter, block.side, gates):
            continue
        if best < 0 or block.label > minute.blocks[best].label:
            best = place
    return best


@compiled
def has_held(block: Block, minute: Chart) -> bool:
    """Did this candle bring the first return to the block, and close on its own side of the middle?"""
    holds = block.side * (minute.close - middle(block)) > 0.0
    return block.retested_at == minute.number and block.state <= TOUCHED and holds


@compiled
def agrees(minute: Chart, quarter: Chart, side: int, gates: Gates) -> bool:
    """Do trend, structure and location speak for ``side``?"""
    return (
        trend_side(quarter, gates.trend_min_atr) == side
        and has_structure(minute, quarter, side)
        and has_location(minute, side, gates)
    )


@compiled
def has_structure(minute: Chart, quarter: Chart, side: int) -> bool:
    """The latest MSB, or a change of character on 1m in the direction of the 15m bias."""
    turned = quarter.bias == side and minute.bias == side and minute.choch_side == side
    return minute.msb_side == side or turned


@compiled
def has_location(minute: Chart, side: int, gates: Gates) -> bool:
    """Price in the cheap half of the swing range, or liquidity against the side taken a moment ago."""
    swept_at = minute.swept_below_at if side > 0 else minute.swept_above_at
    swept = swept_at > 0 and minute.number - swept_at <= gates.sweep_max_age
    return swept or range_position(minute, side) <= gates.discount_limit


@compiled
def range_position(minute: Chart, side: int) -> float:
    """Place of the close in the last swing range: 0 at its cheap end for ``side``, 1 at the dear one.

    Infinite while there is no range, which is neither cheap nor dear.
    """
    swing = minute.swings[SWING]
    height = swing.high - swing.low
    if swing.high_at == 0 or swing.low_at == 0 or height <= 0.0:
        return np.inf
    position = (minute.close - swing.low) / height
    return position if side > 0 else 1.0 - position
