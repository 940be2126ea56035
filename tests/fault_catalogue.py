"""The catalogue of faults: which row which tests show, as ``@pytest.mark.fault(ROW)`` on them says.

``python -m tests.fault_catalogue`` makes docs/faults.md anew; the rows' words are in fault_catalogue.toml.
"""

import ast
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).parent
WORDS = TESTS / "fault_catalogue.toml"
PAGE = TESTS.parent / "docs" / "faults.md"

HEADER = """\
# Faults, and the tests of each

What can go wrong between this program, the exchange, the disk and the clock, what then happens, and the tests
that show it. Made by `python -m tests.fault_catalogue` from the marks on the tests (`@pytest.mark.fault(34)`)
and the words in `tests/fault_catalogue.toml`; a test holds this page to both. Rows of what is not built yet
are left out.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A row of the catalogue, in our words."""

    number: int
    group: str
    fault: str
    answer: str


def faults() -> tuple[Fault, ...]:
    """Return the rows in order of their numbers."""
    groups = tomllib.loads(WORDS.read_text(encoding="utf-8"))
    rows = (
        Fault(number=int(number), group=group, fault=fault, answer=answer)
        for group, words in groups.items()
        for number, (fault, answer) in words.items()
    )
    return tuple(sorted(rows, key=lambda row: row.number))


def marked_tests() -> Mapping[int, list[str]]:
    """Return the tests of each row as ``path::name``; one marked for several rows stands in each."""
    found: dict[int, list[str]] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        if "mark.fault(" not in text:
            continue
        for name, number in _marks(ast.parse(text)):
            found.setdefault(number, []).append(f"{path.relative_to(TESTS).as_posix()}::{name}")
    return found


def page() -> str:
    """Return what docs/faults.md has to be."""
    tests = marked_tests()
    lines = [HEADER]
    group = ""
    for row in faults():
        if row.number not in tests:
            continue
        if row.group != group:
            group = row.group
            lines.append(f"\n## {group}\n\n| # | fault | what happens | tests |\n|---|---|---|---|\n")
        shown = "<br>".join(f"`{test}`" for test in tests[row.number])
        lines.append(f"| {row.number} | {row.fault} | {row.answer} | {shown} |\n")
    return "".join(lines)


def _marks(module: ast.Module) -> Iterator[tuple[str, int]]:
    for node in module.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            for decorator in node.decorator_list:
                yield from ((node.name, number) for number in _rows_of(decorator))


def _rows_of(decorator: ast.expr) -> Iterator[int]:
    match decorator:
        case ast.Call(func=ast.Attribute(attr="fault"), args=rows):
            yield from (ast.literal_eval(row) for row in rows)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
