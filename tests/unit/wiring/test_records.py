"""Where a run writes, and how much of it there can be."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.settings import load_settings
from wiring import records


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger, with its handlers put back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield root
    for handler in root.handlers:
        if handler not in handlers:
            handler.close()
    root.handlers, root.level = handlers, level


@pytest.mark.fault(85)
def test_however_much_is_logged_the_log_takes_no_more_than_its_share(
    tmp_path: Path, root: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "LOG_BYTES", 2_000)
    records.log_to(tmp_path, load_settings({}))
    for number in range(1_000):
        root.warning("line %d of many", number)
    logs = list(tmp_path.iterdir())
    assert len(logs) == records.LOGS_KEPT + 1
    assert sum(log.stat().st_size for log in logs) <= 2_000 * (records.LOGS_KEPT + 1)
    assert "line 999" in (tmp_path / "perpscout.log").read_text()
