"""One scan as a user runs it: a ranked list, one symbol explained, and nothing traded."""

from pathlib import Path

import pytest

from tests.e2e.program import Outcome, run

FIELDS = {
    "at", "symbols", "ready", "absent", "candidates", "threshold", "scan_ms", "seconds", "signals",
    "near_misses", "explain", "chart",
}  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scan")


@pytest.fixture(scope="module")
def scanned(home: Path) -> Outcome:
    return run("scan", "--symbols", 30, "--top", 5, "--explain", "BTCUSDT", "--json", home=home)


def test_the_whole_market_is_scanned(scanned: Outcome) -> None:
    assert scanned.code == 0, scanned.stderr
    assert len(scanned.stdout.strip().splitlines()) == 1
    assert set(scanned.json) == FIELDS
    assert scanned.json["symbols"] == 30
    assert scanned.json["ready"] + len(scanned.json["absent"]) <= 30
    assert scanned.json["ready"] >= 25
    assert 0 < scanned.json["scan_ms"] < 5000


def test_the_list_is_rarely_empty(scanned: Outcome) -> None:
    rows = scanned.json["signals"] + scanned.json["near_misses"]
    assert 1 <= len(rows) <= 5
    for row in rows:
        assert row["side"] in {"LONG", "SHORT"}
        assert len(row["reasons"]) == 8
    for row in scanned.json["near_misses"]:
        assert row["lacks"] or row["points"] < scanned.json["threshold"]
    assert "history of 30 symbols is here" in scanned.stderr


def test_one_symbol_is_explained_and_drawn(scanned: Outcome) -> None:
    long, short = scanned.json["explain"]
    assert (long["symbol"], long["side"], short["side"]) == ("BTCUSDT", "LONG", "SHORT")
    gates = {gate["name"]: gate["passed"] for gate in long["gates"]}
    assert gates["readiness"] is True
    assert {"trend", "structure", "location", "trigger", "stop", "room", "spread", "volume"} <= gates.keys()
    assert long["failed"] == [name for name, passed in gates.items() if not passed]
    assert Path(scanned.json["chart"]).read_bytes().startswith(b"\x89PNG")
    assert "BTCUSDT" in scanned.stderr


def test_nothing_is_traded_nor_journalled(scanned: Outcome, home: Path) -> None:
    assert scanned.code == 0
    written = {path.name for path in home.rglob("*") if path.is_file()}
    assert written == {"simulator.log", "perpscout.log", "BTCUSDT_structure.png"}
