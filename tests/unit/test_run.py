"""run.py, run for real on a lock of one tiny package: what it makes, what it notices, what it refuses."""

import ast
import base64
import fcntl
import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import run

SOURCE = Path(run.__file__)
PYTHON = getattr(sys, "_base_executable", sys.executable)
PROGRAM = (
    '"""A program that tells its arguments."""\nimport sys\nprint(sys.argv[1:])\nsys.exit(len(sys.argv))\n'
)


def call(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [PYTHON, str(folder / "run.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)


def make_wheel(folder: Path, *, name: str) -> str:
    """Write a package that tells its arguments when run as a module; return its line for a lock."""
    info = f"{name}-1.0.dist-info"
    files = {
        f"{name}/__init__.py": "",
        f"{name}/__main__.py": PROGRAM,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    records = "".join(f"{path},sha256={digest(text)},{len(text)}\n" for path, text in files.items())
    wheel = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in {**files, f"{info}/RECORD": f"{records}{info}/RECORD,,\n"}.items():
            archive.writestr(path, text)
    return f"{name}==1.0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


def digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that was set up for testing, out of a lock whose one package is called pytest."""
    folder = tmp_path_factory.mktemp("house")
    shutil.copy(SOURCE, folder)
    (folder / "main_v3.py").write_text(PROGRAM)
    (folder / "strategies").mkdir()
    (folder / "strategies" / "warm.py").write_text('print("compiled")\n')
    (folder / "requirements.lock").write_text("# nothing\n")
    (folder / "requirements-dev.lock").write_text(make_wheel(folder, name="pytest"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIP_CONFIG_FILE", "/dev/null")
        patch.setenv("PIP_NO_INDEX", "1")
        patch.setenv("PIP_FIND_LINKS", str(folder))
        first = call(folder, "test", "-k", "this")
    assert "Setting up .venv, once" in first.stderr
    assert "GB on disk" in first.stderr
    assert first.stderr.endswith("kernels, once.\ncompiled\n")  # else the tests would race for the compiler
    assert (first.stdout, first.returncode) == ("['-k', 'this']\n", 3)
    return folder


@pytest.fixture
def folder(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the finished folder, to be spoilt, and no package registry."""
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/")
    monkeypatch.setenv("PIP_RETRIES", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "house"))
    shutil.copytree(finished, tmp_path / "house", symlinks=True)
    return tmp_path / "house"


def test_what_is_set_up_for_the_tests_serves_the_program_and_costs_nothing_again(folder: Path) -> None:
    program = call(folder, "scan", "--json")
    assert (program.stdout, program.stderr, program.returncode) == ("['scan', '--json']\n", "", 3)


def test_without_a_command_the_demo_runs(folder: Path) -> None:
    assert call(folder).stdout == "['demo']\n"


def test_a_changed_lock_is_noticed_once(folder: Path) -> None:
    (folder / "requirements.lock").write_text(make_wheel(folder, name="another"))
    assert "requirements.lock has changed" in call(folder, "x").stderr
    assert call(folder, "x").stderr == ""


def test_line_ends_of_windows_are_no_change(folder: Path) -> None:
    lock = folder / "requirements.lock"
    lock.write_bytes(lock.read_bytes().replace(b"\n", b"\r\n"))
    assert call(folder, "x").stderr == ""


@pytest.mark.parametrize("stamp", [None, "", "{", "[]", '{"python": "3.6"}'])
def test_an_unfinished_set_up_is_not_taken_for_done(
    stamp: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, written = tmp_path / "requirements.lock", tmp_path / "set-up.json"
    lock.write_text("# nothing\n")
    monkeypatch.setattr(run, "PYTHON", Path(sys.executable))
    monkeypatch.setattr(run, "STAMP", written)
    run.write_stamp(lock)
    assert run.is_set_up(lock)

    written.unlink() if stamp is None else written.write_text(stamp)
    assert not run.is_set_up(lock)


def test_what_was_interrupted_is_made_afresh(folder: Path) -> None:
    (folder / ".venv" / "set-up.json").unlink()
    (folder / ".venv" / "rubbish").touch()
    again = call(folder, "x")
    assert "starting afresh" in again.stderr
    assert again.stdout == "['x']\n"
    assert not (folder / ".venv" / "rubbish").exists()


def test_a_copy_whose_python_only_another_user_may_run_is_made_afresh(folder: Path) -> None:
    python = folder / ".venv" / "bin" / "python"
    python.unlink()
    python.touch(mode=0o600)  # may be read and not be run, not even by root
    again = call(folder, "x")
    assert "starting afresh" in again.stderr
    assert (again.stdout, again.returncode) == ("['x']\n", 2)


@pytest.mark.parametrize(
    ("lock", "sentence"),
    [
        ("pytest==1.0 --hash=sha256:" + "0" * 64, "is not the one recorded in requirements.lock"),
        ("absent==1.0 --hash=sha256:" + "0" * 64, "registry did not answer: check the network"),
    ],
)
def test_a_failed_install_is_one_sentence_and_runs_nothing(folder: Path, lock: str, sentence: str) -> None:
    (folder / "requirements.lock").write_text(lock + "\n")
    shutil.rmtree(next(folder.glob(".venv/lib/*/site-packages/pytest")))
    shutil.rmtree(next(folder.glob(".venv/lib/*/site-packages/pytest-1.0.dist-info")))
    refused = call(folder, "x")
    assert refused.returncode == 1
    assert sentence in refused.stderr.splitlines()[-1]
    assert "Traceback" not in refused.stderr
    assert refused.stdout == ""
    assert not (folder / ".venv" / "set-up.json").exists()


def test_two_at_once_take_turns(folder: Path) -> None:
    stamp = folder / ".venv" / "set-up.json"
    done = stamp.read_text()
    stamp.unlink()
    with (folder / ".venv.lock").open("a") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        second = subprocess.Popen(
            [PYTHON, str(folder / "run.py"), "x"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        with second:
            assert second.stderr is not None
            assert "waiting for it" in second.stderr.readline()
            stamp.write_text(done)  # the first one has finished
            fcntl.flock(other, fcntl.LOCK_UN)
            printed, complaints = second.communicate(timeout=60)
    assert (printed, complaints, second.returncode) == ("['x']\n", "", 2)


def test_the_stamp_names_the_locks_and_the_python(finished: Path) -> None:
    stamp = json.loads((finished / ".venv" / "set-up.json").read_text())
    assert stamp.keys() == {"requirements.lock", "requirements-dev.lock", "python"}


def test_help_needs_no_set_up(tmp_path: Path) -> None:
    shutil.copy(SOURCE, tmp_path)
    helped = call(tmp_path, "--help")
    assert "python3 run.py test" in helped.stdout
    assert not (tmp_path / ".venv").exists()


def test_an_old_python_can_read_why_it_is_refused() -> None:
    ast.parse(SOURCE.read_text(encoding="utf-8"), feature_version=(3, 6))


@pytest.mark.parametrize("version", [(3, 6, 15), (3, 10, 0), (3, 14, 1)])
def test_another_python_is_refused_with_the_next_step(
    version: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "works", lambda name: name == "python3.12")
    refusal = run.refusal_of_python(version)
    assert refusal == (
        f"Python 3.11 to 3.13 is needed and this is {'.'.join(map(str, version))}: use `python3.12 run.py`."
    )
    monkeypatch.setattr(run, "works", lambda name: False)
    assert "install one of them and use `python3.12 run.py`" in (run.refusal_of_python(version) or "")


@pytest.mark.parametrize("missing", ["venv", "ensurepip"])
def test_a_python_without_venv_is_told_what_to_install(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == missing else object())
    monkeypatch.setattr(shutil, "which", lambda name: "/bin/apt")
    with pytest.raises(run.SetUpError, match=r"sudo apt install python3\.1\d-venv"):
        run.refuse_python_without_venv()


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("ERROR: [Errno 28] No space left on device", "The disk is full: free 1.3 GB"),
        ("[Errno 30] Read-only file system: '.venv.lock'", "can not be written"),
        ("connection broken by 'NewConnectionError", "check the network"),
        ("ERROR: No matching distribution found for x==1", "has no x==1 for this computer"),
    ],
)
def test_known_troubles_have_remedies(said: str, sentence: str) -> None:
    assert sentence in (run.remedy(said, run.RUN_LOCK) or "")


def test_unknown_troubles_are_shown_as_they_are() -> None:
    assert run.remedy("something new", run.RUN_LOCK) is None


def test_a_full_disk_is_noticed_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "PYTHON", tmp_path / "absent")
    monkeypatch.setattr(run, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9, 10**6))
    with pytest.raises(run.SetUpError, match="make room"):
        run.prepare(run.RUN_LOCK)
    assert not (tmp_path / ".venv").exists()
