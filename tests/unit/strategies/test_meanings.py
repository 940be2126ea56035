"""Every parameter has a meaning."""

from strategies.ict_smc import IctSmcParameters
from strategies.ict_smc.meanings import MEANINGS, describe
from strategies.kernel.parameters import KernelParameters

KERNEL, STRATEGY = KernelParameters(), IctSmcParameters()


def test_every_parameter_is_described_once() -> None:
    named = [each.name for each in describe(KERNEL, STRATEGY)]
    assert sorted(named) == sorted(MEANINGS)
    assert len(set(named)) == len(named)


def test_values_are_shown_as_people_write_them() -> None:
    shown = {each.name: each.value for each in describe(KERNEL, STRATEGY)}
    assert shown["enabled"] == "true"
    assert shown["max_stop_distance"] == "0.03"
    assert shown["grades.room_r"] == "0.5:0 1:0.4 2:0.8 3:1"
