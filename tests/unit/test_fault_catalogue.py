"""docs/faults.md names only tests that exist, each fault once and in order."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| (\d+) \| [^|]+ \| [^|]+ \| `([\w/]+\.py)::([\w.]+)` \|$", re.MULTILINE)


def rows() -> list[tuple[int, str, str]]:
    text = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
    found = [(int(number), path, name) for number, path, name in ROW.findall(text)]
    assert len(found) == len(re.findall(r"^\| \d+ ", text, re.MULTILINE)), (
        "a row is not written like the others"
    )
    return found


@cache
def names(path: str) -> frozenset[str]:
    """Return every function of a test file, those of classes with their class."""
    tree = ast.parse((ROOT / "tests" / path).read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    plain = {node.name for node in tree.body if isinstance(node, functions)}
    inside = {
        f"{owner.name}.{node.name}"
        for owner in tree.body
        if isinstance(owner, ast.ClassDef)
        for node in owner.body
        if isinstance(node, functions)
    }
    return frozenset(plain | inside)


def test_every_fault_that_is_claimed_has_its_test() -> None:
    missing = [f"{number}: {path}::{name}" for number, path, name in rows() if name not in names(path)]
    assert missing == []


def test_every_fault_stands_once_and_in_order() -> None:
    numbers = [number for number, _, _ in rows()]
    assert len(numbers) > 40
    assert numbers == sorted(set(numbers))
