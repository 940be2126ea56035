"""The product's main command, as a user runs it, held against its own books."""

import json
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
import pytest

from tests.e2e.program import Outcome, command, environment, run
from tests.recorded import CANDLES, needs_candles

FIELDS = {
    "minutes", "symbols", "scans", "signals", "opened", "closed", "virtual_opened", "virtual_closed",
    "refused", "unprotected_seconds_max", "net_pnl", "fees", "funding", "scan_ms_p50", "scan_ms_p99",
    "first_scan_seconds", "effective_speed", "rss_mb", "trade_log", "journal",
}  # fmt: skip


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Ten hours of real candles, at twenty hours a minute."""
    home = tmp_path_factory.mktemp("recorded")
    return run("demo", "--data", CANDLES, "--minutes", 600, "--speed", 1200, "--json", home=home)


@pytest.fixture
def rows(recorded: Outcome) -> list[dict[str, Any]]:
    table = ds.dataset(recorded.json["trade_log"]).to_table()
    listed: list[dict[str, Any]] = table.to_pylist()
    return listed


@pytest.fixture
def journal(recorded: Outcome) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"file:{recorded.json['journal']}?mode=ro", uri=True)) as connection:
        yield connection


def of_book(rows: list[dict[str, Any]], source: str) -> list[dict[str, Any]]:
    return [row for row in rows if row["source"] == source]


@needs_candles
def test_ten_hours_of_real_candles_close_at_least_five_trades(recorded: Outcome) -> None:
    assert recorded.code == 0, recorded.stderr
    assert set(recorded.json) >= FIELDS
    assert recorded.json["closed"] + recorded.json["virtual_closed"] >= 5
    assert recorded.json["scans"] == recorded.json["minutes"] == 600


@needs_candles
def test_every_signal_is_in_one_field(recorded: Outcome) -> None:
    told = recorded.json
    became = (told["opened"], told["virtual_opened"], told["refused"], told["unfilled"])
    assert told["signals"] == sum(became)


@needs_candles
@pytest.mark.parametrize(("source", "prefix"), [("real", ""), ("virtual", "virtual_")])
def test_its_numbers_are_the_sums_of_its_trade_log(
    recorded: Outcome, rows: list[dict[str, Any]], source: str, prefix: str
) -> None:
    told = recorded.json
    book = of_book(rows, source)
    assert told[f"{prefix}closed"] == len(book)
    for column in ("net_pnl", "fees", "funding"):
        total = sum((row[column] for row in book), Decimal(0))
        assert told[f"{prefix}{column}"] == pytest.approx(float(total), abs=1e-9)


@needs_candles
def test_every_row_adds_up_from_its_own_fills(rows: list[dict[str, Any]]) -> None:
    assert rows
    for row in rows:
        sign = {"long": 1, "short": -1}[row["side"]]
        bought = [fill for fill in row["fills"] if fill["opening"]]
        sold = [fill for fill in row["fills"] if not fill["opening"]]
        quantity = sum(fill["quantity"] for fill in bought)
        assert quantity == sum(fill["quantity"] for fill in sold) == row["quantity"]
        gross = sign * (
            sum(fill["quantity"] * fill["price"] for fill in sold)
            - sum(fill["quantity"] * fill["price"] for fill in bought)
        )
        assert float(row["gross_pnl"]) == pytest.approx(float(gross), abs=1e-9)
        assert row["fees"] == sum(fill["fee"] for fill in row["fills"])
        assert row["net_pnl"] == row["gross_pnl"] - row["fees"] + row["funding"]


@needs_candles
def test_the_journal_holds_the_same_trades(
    recorded: Outcome, rows: list[dict[str, Any]], journal: sqlite3.Connection
) -> None:
    kept = journal.execute("SELECT trade_id FROM trades").fetchall()
    assert {trade_id for (trade_id,) in kept} == {row["trade_id"] for row in rows}
    scans = journal.execute("SELECT count(*) FROM events WHERE kind = 'minute'").fetchone()[0]
    assert scans == recorded.json["scans"]


@needs_candles
def test_no_position_was_unprotected_for_long(recorded: Outcome) -> None:
    assert 0 < recorded.json["unprotected_seconds_max"] < 5


@needs_candles
def test_the_best_and_the_worst_trade_are_pictures(recorded: Outcome) -> None:
    for path in recorded.json["pictures"]:
        assert Path(path).read_bytes().startswith(b"\x89PNG")
    assert len(recorded.json["pictures"]) == 2


def test_the_seeded_market_is_scanned_and_summed_up(tmp_path: Path) -> None:
    outcome = run(
        "demo",
        "--symbols",
        40,
        "--minutes",
        15,
        "--speed",
        600,
        "--out",
        tmp_path / "out",
        "--json",
        home=tmp_path,
    )
    assert outcome.code == 0, outcome.stderr
    assert outcome.json["symbols"] == 40
    assert outcome.json["scans"] == 15
    assert outcome.json["journal"] == str(tmp_path / "out" / "journal.db")
    assert "scanned" in outcome.stderr


def test_a_service_managers_stop_ends_it_like_a_persons(tmp_path: Path) -> None:
    with subprocess.Popen(
        command("demo", "--symbols", 10, "--minutes", 5000, "--json"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=environment(tmp_path, {}),
    ) as child:
        assert child.stderr is not None
        while "minute 1:" not in child.stderr.readline():
            assert child.poll() is None
        child.send_signal(signal.SIGTERM)
        said, _ = child.communicate(timeout=60)
    assert child.returncode == 0
    assert json.loads(said.splitlines()[-1])["scans"] >= 1
