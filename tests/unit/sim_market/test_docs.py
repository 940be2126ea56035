"""What the pages about the simulator name exists: tests, faults, and the rows of the fault catalogue."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from exchange.sim.server.faults.catalogue import ALL

ROOT = Path(__file__).parents[3]
CATALOGUE = ROOT.parent / "shared" / "reference" / "faults.md"
EXCHANGES = {"REST", "WS", "Orders", "Market"}


def test_every_rule_is_held_by_a_test_that_exists_and_names_its_source() -> None:
    page = (ROOT / "docs" / "simulator-venue.md").read_text(encoding="utf-8")
    table = page.split("## Where each rule is held")[1]
    rows = re.findall(r"^\| (.+) \| (.+) \| `(.+)` \|$", table, re.MULTILINE)
    assert len(rows) > 50
    assert [rule for rule, source, test in rows if not (source and exists(test))] == []


def exists(test: str) -> bool:
    path, _, name = test.partition("::")
    if not (ROOT / path).is_file():
        return False
    return not name or name in names(path)


@cache
def names(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(getattr(node, "name", "") for node in tree.body)


def test_every_row_of_the_catalogue_that_an_exchange_can_cause_can_be_caused() -> None:
    if not CATALOGUE.is_file():
        pytest.skip("the catalogue of faults is not here")
    page = (ROOT / "docs" / "simulator.md").read_text(encoding="utf-8")
    section = page.split("Row by row")[1].split("\n## ")[0]
    told = dict(re.findall(r"^\| (\d+) \| (.+) \|$", section, re.MULTILINE))
    excused = set(re.findall(r"\d+", section.split("|")[0].split("Rows")[1]))
    listed = re.findall(r"^\| (\d+) \| (\w+)", CATALOGUE.read_text(encoding="utf-8"), re.MULTILINE)
    assert {row for row, group in listed if group in EXCHANGES} == told.keys() | excused
    assert not told.keys() & excused
    named = {name for by in told.values() for name in re.findall(r"`([a-z_0-9]+)`", by)}
    assert named - ALL.keys() == {"leverage", "klines", "delistings"}
    assert ALL.keys() - named == {"late_reply", "overloaded_1008", "event_missing"}  # of no row
