"""The explanation says what the strategy does: its gates open exactly when there is a candidate."""

import math
from dataclasses import replace

import numpy as np
import pytest

from bot.rule_pictures import told_of
from bot.rule_stories import CANDIDATE
from core.market import MINUTE_MS, QUARTER_MS
from core.signals import Side
from strategies.ict_smc import IctSmc
from strategies.ict_smc.explanation import BLOCK_FACTOR, Explanation, GateName, explain
from strategies.kernel.market import MarketKernel
from tests.unit.strategies.markets import START_MS, new_kernel, random_walk

STRATEGY = IctSmc()


def warm_kernel(symbols: int) -> MarketKernel:
    """Return a kernel that knows enough 15m history of random walks to trade."""
    kernel = new_kernel(symbols)
    quarters = random_walk(5, minutes=700, symbols=symbols, deviation=0.003)
    times = START_MS + QUARTER_MS * np.arange(-700, 0)
    for index in range(symbols):
        kernel.warm_up_15m(index, quarters[:, :, index].T.copy(), times)
    return kernel


def set_up() -> tuple[MarketKernel, Explanation]:
    """Return the market of the picture of a long candidate, and its explanation."""
    kernel = told_of(CANDIDATE.candles, quarters=CANDIDATE.quarters).kernel
    return kernel, explain(kernel, 0, Side.LONG, STRATEGY.parameters)


def test_gates_open_exactly_when_there_is_a_candidate() -> None:
    symbols = 30
    kernel, rows = warm_kernel(symbols), random_walk(11, minutes=700, symbols=symbols)
    present = np.ones(symbols, dtype=np.bool_)
    seen = 0
    for minute, row in enumerate(rows):
        kernel.step(START_MS + minute * MINUTE_MS, row, present)
        found = STRATEGY.candidates(kernel, START_MS + minute * MINUTE_MS)
        places = {kernel.symbols.index(each.symbol) for each in found} | {minute % symbols}
        told = [explain(kernel, place, side, STRATEGY.parameters) for place in places for side in Side]
        assert {(each.symbol, each.side) for each in told if each.is_setup} == {
            (each.symbol, each.side) for each in found
        }
        for candidate in found:
            one = next(
                each for each in told if (each.symbol, each.side) == (candidate.symbol, candidate.side)
            )
            assert one.factors == candidate.factors
            assert one.confidence == candidate.confidence
            assert one.exits is not None
            assert (one.exits.stop, one.exits.target) == (candidate.stop, candidate.target)
            assert one.exits.refusal == candidate.refusal
            assert (candidate.refusal is None) == {GateName.STOP, GateName.ROOM}.isdisjoint(one.failed)
            assert one.at == candidate.at
            seen += 1
    assert seen > 20


def test_every_number_is_finite_whatever_the_market() -> None:
    kernel = warm_kernel(12)
    for minute, row in enumerate(random_walk(3, minutes=300, symbols=12)):
        kernel.step(START_MS + minute * MINUTE_MS, row, np.ones(12, dtype=np.bool_))
    told = [explain(kernel, place, side, STRATEGY.parameters) for place in range(12) for side in Side]
    numbers = [gate.numbers for each in told for gate in each.gates]
    numbers += [factor.numbers for each in told for factor in each.factors]
    assert all(math.isfinite(value) for pairs in numbers for _, value in pairs)
    assert {len(each.factors) for each in told} == {8}


def test_a_set_up_has_every_gate_open_and_a_block() -> None:
    _, told = set_up()
    assert told.failed == ()
    assert told.lacks == ()
    assert told.confidence == pytest.approx(told.points) == pytest.approx(80, abs=3)
    assert told.block is not None
    assert told.block.low < told.price


def test_the_other_side_of_it_names_what_it_lacks() -> None:
    kernel, _ = set_up()
    told = explain(kernel, 0, Side.SHORT, STRATEGY.parameters)
    assert not told.is_setup
    assert told.failed[:3] == (GateName.TREND, GateName.STRUCTURE, GateName.BLOCK)
    assert GateName.TRIGGER in told.failed
    assert GateName.TRIGGER not in told.lacks  # it can but follow the block that is missing


def test_without_a_validated_block_the_score_is_nothing_and_the_block_earns_nothing() -> None:
    kernel, _ = set_up()
    kernel.minute[0].blocks_open = 0
    told = explain(kernel, 0, Side.LONG, STRATEGY.parameters)
    block = next(each for each in told.factors if each.name == BLOCK_FACTOR)
    assert told.block is None
    assert told.confidence == 0.0 < told.points
    assert (block.grade, block.numbers) == (0.0, ())


def test_without_history_nothing_but_readiness_is_judged() -> None:
    kernel = new_kernel(1)
    told = explain(kernel, 0, Side.LONG, STRATEGY.parameters)
    assert [gate.name for gate in told.gates] == [GateName.READINESS]
    assert told.failed == (GateName.READINESS,)
    assert told.confidence == told.points == 0.0
    assert told.exits is None


def test_a_stop_too_far_away_closes_its_gate() -> None:
    kernel, _ = set_up()
    tight = replace(STRATEGY.parameters, max_stop_distance=0.001)
    told = explain(kernel, 0, Side.LONG, tight)
    assert told.failed == (GateName.STOP,)
    assert told.is_setup
