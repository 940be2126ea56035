"""Compiling ahead: what it keeps and what it throws away."""

from core.clock import SystemClock
from strategies.kernel.jit import CACHE
from strategies.warm import warm


def test_compiling_ahead_keeps_the_code_of_these_sources_and_no_other() -> None:
    stale = CACHE.parent / "kernels-of-older-sources"
    stale.mkdir(parents=True, exist_ok=True)
    assert warm(SystemClock()) >= 0.0
    assert CACHE.exists()
    assert not stale.exists()
