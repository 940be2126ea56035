"""The line-up of strategies: every parameter has a name, a meaning and a value that people can change."""

import re
from dataclasses import replace

import pytest

from strategies.catalogue import line_up
from strategies.ict_smc import IctSmc, IctSmcParameters
from strategies.ict_smc.meanings import MEANINGS
from strategies.kernel.meanings import MEANINGS as KERNEL_MEANINGS
from strategies.kernel.parameters import KernelParameters


def shown(**changes: str) -> dict[str, str]:
    lines = line_up({name.replace("__", "."): text for name, text in changes.items()}).described()
    return {f"{owner}.{each.name}": each.value for owner, parameters in lines for each in parameters}


def test_unchanged_everything_is_as_the_code_says() -> None:
    chosen = line_up({})
    assert chosen.kernel == KernelParameters()
    assert [(each.name, each.enabled) for each in chosen.strategies] == [("ict_smc", True)]


def test_every_parameter_is_described_once_and_no_other() -> None:
    described = [f"{owner}.{each.name}" for owner, lines in line_up({}).described() for each in lines]
    assert len(set(described)) == len(described)
    named = [f"kernel.{name}" for name in KERNEL_MEANINGS] + [f"ict_smc.{name}" for name in MEANINGS]
    assert sorted(described) == sorted(named)


def test_values_are_shown_as_people_write_them() -> None:
    values = shown()
    assert values["ict_smc.enabled"] == "true"
    assert values["ict_smc.max_stop_distance"] == "0.03"
    assert values["ict_smc.grades.room_r"] == "0.5:0 1:0.4 2:0.8 3:1"


def test_what_is_shown_can_be_written_back() -> None:
    assert line_up(shown()).kernel == KernelParameters()
    (strategy,) = line_up(shown()).strategies
    assert isinstance(strategy, IctSmc)
    assert strategy.parameters == IctSmcParameters()


def test_changes_reach_the_kernel_the_strategy_and_what_lies_within_it() -> None:
    changes = {
        "kernel.swing_leg": "25",
        "ict_smc.enabled": "false",
        "ict_smc.weights.volume": "6",
        "ict_smc.weights.premium": "4",
        "ict_smc.grades.volume_rank": "0:0 1:1",
    }
    chosen = line_up(changes)
    (strategy,) = chosen.strategies
    assert isinstance(strategy, IctSmc)
    weights, grades = strategy.parameters.weights, strategy.parameters.grades
    assert chosen.kernel == replace(KernelParameters(), swing_leg=25)
    assert not strategy.enabled
    assert (weights.volume, weights.premium, weights.trend) == (6.0, 4.0, 15.0)
    assert grades.volume_rank == ((0.0, 0.0), (1.0, 1.0))


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("ict_smc.min_rom", "1", "ict_smc: min_rom is no parameter; the nearest is min_room"),
        ("ict_smc.weights", "1", "ict_smc: weights is no parameter"),
        ("ict_smc.weights.volumes", "1", "weights.volumes is no parameter; the nearest is weights.volume"),
        ("ict_smc.min_room.of", "1", "ict_smc: min_room.of is no parameter"),
        ("ict_smc.enabled", "maybe", "ict_smc: enabled can not be 'maybe'; it is true"),
        ("ict_smc.min_room", "nan", "ict_smc: min_room can not be 'nan'; it is 1"),
        ("ict_smc.min_room", "-1", "ict_smc: min_room must be finite and not negative"),
        ("ict_smc.weights.volume", "6", "ict_smc: the weights of the factors must sum to 100"),
        ("ict_smc.grades.room_r", "1", "ict_smc: room_r can not be '1'"),
        ("kernel.swing_leg", "2.5", "kernel: swing_leg can not be '2.5'; it is 20"),
        ("kernel.swing_leg", "99", "kernel: legs and ob_search_bars must lie between"),
        ("breakout.enabled", "true", "breakout is no strategy: there are kernel, ict_smc"),
    ],
)  # fmt: skip
def test_what_can_not_be_is_refused_in_a_sentence(name: str, text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        line_up({name: text})
