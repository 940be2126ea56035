"""Without an edge in the market there is none in the result, and a cheat is noticed."""

from functools import cache

from benchmarks.null import Outcome, null_test
from strategies.kernel.parameters import KernelParameters


@cache
def outcomes() -> dict[str, Outcome]:
    """Small: 40 walks of eight days, on charts young enough to trade after two."""
    return null_test(7, batches=1, count=40, minutes=12_000, parameters=KernelParameters(min_bars_15m=210))


def test_random_walks_earn_nothing() -> None:
    assert outcomes()["all"].trades > 400
    assert outcomes()["all"].is_honest
    assert outcomes()["confident"].is_honest


def test_acting_on_the_blocks_own_candle_is_caught() -> None:
    assert not outcomes()["at_label"].is_honest


def test_five_minutes_of_foresight_are_caught() -> None:
    assert not outcomes()["peeked"].is_honest
