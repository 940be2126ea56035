"""On recorded candles the rules find what they promise, and earn nothing before any cost."""

import pytest

from benchmarks.recorded import SHARES, run
from tests.recorded import needs_candles

pytestmark = [needs_candles, pytest.mark.long]


def test_a_month_of_recorded_candles_looks_as_the_rules_promise() -> None:
    found = run()
    assert SHARES[0] < found["ours"] < SHARES[1]
    assert 4.0 / 3 < found["candidates_a_symbol_a_day"] < 4.0 * 3
    assert 0.3 < found["blocks_validated"] < 0.5
    assert 0.15 < found["breaks_strong"] < 0.35
    assert found["trades"] > 500
    assert abs(found["gross_r_mean"]) < 0.02 + 3 * found["gross_r_se"]
