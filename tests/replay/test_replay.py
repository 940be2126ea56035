"""Replay: the live loop on recorded candles decides the same every time."""

from pathlib import Path

import pytest

from data.journal_reader import JournalReader
from tests.e2e.program import Outcome, run
from tests.recorded import CANDLES, needs_candles

pytestmark = needs_candles


def replayed(home: Path, *more: object) -> Outcome:
    return run("replay", "--data", CANDLES, "--to", "2025-05-20", "--json", *more, home=home)


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return replayed(tmp_path_factory.mktemp("first"))


def test_the_same_file_gives_the_same_decisions_twice(outcome: Outcome, tmp_path: Path) -> None:
    again = replayed(tmp_path)
    assert outcome.code == again.code == 0, outcome.stderr + again.stderr
    assert outcome.json["signals"] > 0
    assert again.json["decisions_sha256"] == outcome.json["decisions_sha256"]


def test_other_symbols_give_other_decisions(outcome: Outcome, tmp_path: Path) -> None:
    fewer = replayed(tmp_path, "--symbols", "BTCUSDT,LTCUSDT")
    assert fewer.json["candles"] < outcome.json["candles"]
    assert fewer.json["decisions_sha256"] != outcome.json["decisions_sha256"]


def test_it_says_what_it_did(outcome: Outcome) -> None:
    told = outcome.json
    assert set(told) >= {
        "candles", "seconds", "candles_per_second", "signals", "trades", "virtual_trades", "net_r",
        "net_r_se", "decisions_sha256",
    }  # fmt: skip
    assert told["trades"] + told["virtual_trades"] > 0


def test_every_signal_has_its_label_or_is_still_followed(outcome: Outcome) -> None:
    told = outcome.json
    with JournalReader(Path(told["journal"])) as reader:
        followed = len(reader.live_positions())
    labelled = told["trades"] + told["virtual_trades"] + told["shadow_trades"]
    assert told["shadow_trades"] > 0
    assert labelled + followed == told["signals"]


def test_a_symbol_that_is_not_in_the_file_is_named(tmp_path: Path) -> None:
    refused = replayed(tmp_path, "--symbols", "NOSUCHUSDT")
    assert refused.code == 1
    assert "NOSUCHUSDT" in refused.stderr
    assert "Traceback" not in refused.stderr
