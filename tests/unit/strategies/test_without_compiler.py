"""The kernel is ordinary Python too: with the compiler off, everything comes out bit for bit the same."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

PROGRAM = """
import hashlib
from numba import config
from strategies.kernel.parameters import KernelParameters
from tests.unit.strategies.markets import new_kernel
from tests.unit.strategies.test_causality import watch
from tests.unit.strategies.markets import random_walk

kernel = new_kernel(1, KernelParameters(min_bars_1m=60, min_bars_15m=4))
seen = watch(random_walk(4, minutes=700), kernel=kernel)
assert any("Candidate" in type(item).__name__ for item in seen)
print(config.DISABLE_JIT, hashlib.sha256(repr(seen).encode() + kernel.snapshot()).hexdigest())
"""


PYTEST = """
import os, sys
os.environ["NUMBA_DISABLE_JIT"] = "1"
import pytest
sys.exit(pytest.main(sys.argv[1:]))
"""
PROPERTIES = ("test_causality.py", "test_strange_markets.py", "test_market_kernel.py", "test_swings.py")
LEFT_OUT = "a_prefix_of_days"  # half a minute of it; recorded candles bring every kind of event as well


def run(*, compiled: bool) -> tuple[str, str]:
    program = f'import os\nos.environ["NUMBA_DISABLE_JIT"] = "{int(not compiled)}"\n{PROGRAM}'
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    disabled, digest = done.stdout.split()
    return disabled, digest


def test_without_the_compiler_every_bit_is_the_same() -> None:
    plain, compiled = run(compiled=False), run(compiled=True)
    assert plain[0] == "1"
    assert compiled[0] == "0"
    assert plain[1] == compiled[1]


@pytest.mark.long
@pytest.mark.parametrize("name", PROPERTIES)
def test_without_the_compiler_every_property_holds_too(name: str) -> None:
    here = Path(__file__).parent
    chosen = (str(here / name), "-k", f"not {LEFT_OUT}")
    command = [sys.executable, "-c", PYTEST, "-n0", "-q", "--timeout=1500", *chosen]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
