"""Where the recorded candles of real markets lie, for tests that want reality."""

from pathlib import Path

import pytest

CANDLES = Path(__file__).resolve().parents[2] / "shared" / "data" / "klines_1m_2025-05.parquet"

needs_candles = pytest.mark.skipif(
    not CANDLES.exists(), reason="the recorded candles (shared/data beside the project) are not here"
)
