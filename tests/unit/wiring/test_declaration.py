"""What a run writes down of itself: everything it decides by, and no secret."""

from pathlib import Path

import pytest

from core.clock import ManualClock
from core.errors import JournalError
from core.journal import EntryKind, RunStarted
from core.market import SymbolAxis
from core.settings import load_settings
from data.journal_reader import JournalReader
from tests.builders import T0
from wiring.declaration import declaration
from wiring.records import Records, records_in

AXIS = SymbolAxis(("AUSDT", "BUSDT"))
SECRETS = {"BINANCE_API_KEY": "key-0451", "BINANCE_API_SECRET": "secret-0451", "DISCORD_TOKEN": "token-0451"}


def declared(**environ: str) -> RunStarted:
    return declaration("sim", AXIS, load_settings(environ))


def test_a_run_says_what_it_decides_by() -> None:
    told = declared(PERPSCOUT_ACCOUNT="second", RISK_MAX_LEVERAGE="7")
    assert (told.mode, told.account, told.axis) == ("sim", "second", AXIS.names)
    assert told.version
    assert told.parameters["leverage.highest"] == "7"
    assert "kernel.swing_leg" in told.parameters
    assert told.settings["RISK_MAX_LEVERAGE"] == "7"


def test_another_parameter_gives_another_hash() -> None:
    first, again, other = declared(), declared(), declared(RISK_MAX_LEVERAGE="7")
    tuned = declared(PERPSCOUT_STRATEGY_PARAMETERS="kernel.swing_leg=25")
    assert first.parameters_sha256 == again.parameters_sha256
    assert len({each.parameters_sha256 for each in (first, other, tuned)}) == 3


def test_no_secret_is_written_down() -> None:
    assert "0451" not in repr(declared(**SECRETS))


def test_the_journal_begins_with_it(tmp_path: Path) -> None:
    with records_in(tmp_path, ManualClock(T0)) as records:
        records.announce(declared(), at=T0)
    with JournalReader(tmp_path / "journal.db") as journal:
        (entry,) = journal.entries(EntryKind.RUN)
    assert entry.body == declared()


def test_a_journal_that_can_not_be_written_does_not_end_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise JournalError("the disk is full")

    with records_in(tmp_path, ManualClock(T0)) as records:
        monkeypatch.setattr(records.journal, "append", full)
        records.announce(declared(), at=T0)
    assert "the disk is full" in caplog.text


def test_a_trade_log_that_can_not_be_opened_does_not_end_the_start(tmp_path: Path) -> None:
    (tmp_path / "trades").write_text("in the way")
    with records_in(tmp_path, ManualClock(T0)) as records:
        assert isinstance(records, Records)
        records.bookkeeper.flush()
    assert (tmp_path / "trades").read_text() == "in the way"
