"""What a scan prints: a table for people, one object for scripts, and honest news while it loads."""

import asyncio
import json
from collections.abc import Sequence
from math import nan
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from cli.options import ScanOptions
from cli.scan import LoadingLine, ScanRig, check_explained, finish_scan
from cli.scan_json import scan_as_json
from cli.scan_table import explanation_table, scan_table
from core.clock import SystemClock
from core.errors import PerpscoutError
from services.bootstrap import BootstrapProgress
from services.chronicle import Chronicle
from strategies.ict_smc.explanation import Explanation
from tests.builders_scan import LOADED, READY, WAITING, Minutes, last_minute, scanner


def printed(table: RenderableType) -> str:
    console = Console(width=170)
    with console.capture() as captured:
        console.print(table)
    return captured.get()


class Market:
    """A simulated market that ends at once, or never."""

    def __init__(self, *, ends: bool = False) -> None:
        self._ends = ends

    async def effective_speed(self) -> float | None:
        return 60.0

    async def ended(self) -> None:
        while not self._ends:
            await SystemClock().sleep(10)


def draw(told: Chronicle, sides: Sequence[Explanation]) -> bytes:
    return f"{told.symbol} {len(sides)}".encode()


def rig(folder: Path, *, ends: bool = False) -> ScanRig:
    looking = scanner()
    looking.progressed(LOADED)
    return ScanRig(
        scanner=looking,
        minutes=Minutes(ends=False) if ends else Minutes(last_minute()),
        ended=Market(ends=ends).ended,
        draw=draw,
        folder=folder,
        clock=SystemClock(),
        began=SystemClock().monotonic(),
    )


def options(*, top: int = 10, explain: str | None = None, as_json: bool = False) -> ScanOptions:
    return ScanOptions(
        mode=None, top=top, explain=explain, symbols=3, seed=1, data=None, start=None, as_json=as_json
    )


def test_the_table_shows_the_signal_and_marks_the_near_miss() -> None:
    looking = scanner()
    looking.judge(last_minute())
    text = printed(scan_table(looking.scan(near=5), top=5, seconds=1.5))
    signal, near = (next(line for line in text.splitlines() if name in line) for name in (READY, WAITING))
    assert signal.startswith("1")
    assert "LONG" in signal
    assert "×3" in signal
    assert near.startswith("·")
    assert "lacks a return to 100.3–101.15" in near
    assert "3 symbols, 2 ready, 0 absent; 1 set-ups" in text


def test_no_more_rows_than_asked_for() -> None:
    looking = scanner()
    looking.judge(last_minute())
    assert WAITING not in printed(scan_table(looking.scan(near=5), top=1, seconds=1.0))


def test_an_explanation_shows_every_gate_and_factor() -> None:
    looking = scanner()
    looking.judge(last_minute())
    for told in looking.explained(READY):
        text = printed(explanation_table(told))
        assert text.count("✓") + text.count("✗") == len(told.gates)
        assert text.count("✗") == len(told.failed)
        assert f"{told.points:.1f}" in text


def test_json_is_one_line_that_any_reader_takes() -> None:
    looking = scanner()
    looking.judge(last_minute(spread=nan))
    explained = looking.explained(READY)
    line = scan_as_json(looking.scan(near=5), explained, Path("chart.png"), top=5, seconds=1.0)
    assert "\n" not in line
    body = json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert body["signals"][0]["symbol"] == READY
    assert len(body["signals"][0]["reasons"]) == 8
    assert body["near_misses"][0]["lacks"] == ["retest"]
    assert [each["side"] for each in body["explain"]] == ["LONG", "SHORT"]
    spread = next(gate for gate in body["explain"][0]["gates"] if gate["name"] == "spread")
    assert spread == {"name": "spread", "passed": False, "numbers": {"spread": None, "max_spread": 0.0005}}


def test_a_scan_ends_with_its_object_and_a_chart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert asyncio.run(finish_scan(rig(tmp_path), options(explain=READY, as_json=True))) == 0
    said = capsys.readouterr()
    body = json.loads(said.out)
    assert Path(body["chart"]).read_bytes() == f"{READY} 2".encode()
    assert READY in said.err
    assert body["explain"] is not None


async def test_without_json_the_table_is_the_result(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await finish_scan(rig(tmp_path), options()) == 0
    said = capsys.readouterr()
    assert READY in said.out
    assert said.err == ""


async def test_a_market_that_ends_before_a_minute_is_said_in_one_sentence(tmp_path: Path) -> None:
    endless = rig(tmp_path, ends=True)
    with pytest.raises(PerpscoutError, match="begin earlier"):
        await finish_scan(endless, options())


def test_a_symbol_that_will_not_be_scanned_is_refused_with_its_nearest() -> None:
    check_explained(None, (READY,))
    check_explained(READY, (READY,))
    with pytest.raises(PerpscoutError, match="the nearest is READYUSDT"):
        check_explained("READUSDT", (READY, WAITING))
    with pytest.raises(PerpscoutError, match="not among the 2 symbols scanned\\."):
        check_explained("?", (READY, WAITING))


def test_loading_is_told_at_each_quarter_with_what_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    line = LoadingLine()
    for done in range(1, 101):
        line.progressed(BootstrapProgress(done=done, failed=0, total=100, seconds=done / 10))
    said = [each.strip() for each in capsys.readouterr().err.splitlines()]
    assert said[0] == "history of 25 of 100 symbols, about 8 s left"
    assert said[-1] == "history of 100 symbols is here; waiting for one whole minute"
    assert len(said) == 4
