"""Rules of the house that no linter knows."""

import ast
import re
import socket
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest

import run

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")
LONGEST_FUNCTION = 60
# Functions that may be longer, each with its reason.
LONG_FUNCTIONS: dict[str, str] = {}


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - any git will do
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


@cache
def modules() -> list[tuple[str, ast.Module]]:
    return [
        (path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8")))
        for path in tracked()
        if path.suffix == ".py"
    ]


def pins(lock: str) -> dict[str, str]:
    text = (ROOT / lock).read_text(encoding="utf-8")
    return dict(re.findall(r"(?m)^([a-z0-9.-]+)==(\S+)", text))


def test_no_file_is_a_junk_drawer() -> None:
    drawers = {"utils", "util", "helpers", "helper", "common", "misc"}
    assert [path for path in tracked() if path.stem in drawers or path.parent.name in drawers] == []


def test_every_module_says_what_it_is() -> None:
    assert [name for name, tree in modules() if tree.body and not ast.get_docstring(tree)] == []


def test_functions_stay_short() -> None:
    long = [
        f"{name}:{node.name} has {node.end_lineno - node.lineno + 1} lines"
        for name, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno >= LONGEST_FUNCTION
        and f"{name}:{node.name}" not in LONG_FUNCTIONS
    ]
    assert long == []


def test_random_numbers_have_a_seed() -> None:
    unseeded = [
        f"{name}:{node.lineno}"
        for name, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).endswith("default_rng")
        and not (node.args or node.keywords)
    ]
    assert unseeded == []


def test_no_file_names_a_package_registry_or_a_folder_of_somebodys_machine() -> None:
    # Written in pieces, so that this file is not found.
    registries = ("pypi" + r"\.org", "python" + "hosted", "npm" + r"js\.", "extra-index" + "-url")
    folders = (
        r"(?<![\w.~}/-])/(?:" + "|".join(("wo" + "rk", "ro" + "ot", "t" + "mp", "o" + "pt")) + r")(?:/|\b)"
    )
    pattern = re.compile("|".join((*registries, folders)).encode())
    found = [
        f"{path.relative_to(ROOT)}: {match.group().decode()}"
        for path in tracked()
        if path.suffix not in {".png", ".parquet"}
        for match in pattern.finditer(path.read_bytes())
    ]
    assert found == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_exact_versions_with_hashes_and_nothing_else(lock: str) -> None:
    allowed = re.compile(
        r"[a-z0-9.-]+==[\w.]+(?: ; [^\\]+)? \\|    --hash=sha256:[0-9a-f]{64}(?: \\)?| *# (?!.*//).*|"
    )
    lines = (ROOT / lock).read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not allowed.fullmatch(line)] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_no_look_alike_of_ccxt_is_installed(lock: str) -> None:
    assert [name for name in pins(lock) if "ccxt" in name] == ["ccxt"]


def test_the_test_lock_contains_the_other() -> None:
    assert pins("requirements.lock").items() <= pins("requirements-dev.lock").items()


def test_the_locks_hold_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    asked = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    names = {re.split(r"[<>=;\[ ]", line)[0].lower().replace(".", "-") for line in asked}
    assert names - pins("requirements-dev.lock").keys() == set()


def test_the_pythons_we_refuse_are_those_the_project_excludes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "works", lambda name: False)  # which others there are is told, not decided on
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["requires-python"] == ">=3.11,<3.14"
    accepted = [minor for minor in range(6, 20) if run.refusal_of_python((3, minor, 0)) is None]
    assert accepted == [11, 12, 13]


def test_every_package_stands_under_the_contracts() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = {
        path.parent.name for path in tracked() if path.name == "__init__.py" and path.parents[1] == ROOT
    }
    assert set(project["tool"]["importlinter"]["root_packages"]) == packages


def test_no_test_can_reach_another_machine() -> None:
    with pytest.raises(ConnectionRefusedError, match="may not reach"):
        socket.create_connection(("192.0.2.1", 9), timeout=1)
    with pytest.raises(ConnectionRefusedError, match="may not reach"):
        socket.getaddrinfo("example.com", 443)
