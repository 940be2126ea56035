"""Set up .venv beside this file from a lock, then run perpscout in it.

python3 run.py                 set up, then the demo
python3 run.py test [ARGS]     set up, then the tests
python3 run.py CMD [ARGS]      set up, then `main_v3.py CMD ARGS`

Only the standard library, and syntax of Python 3.6: an old Python must get far enough to be refused kindly.
"""

import contextlib
import hashlib
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "set-up.json"  # written last: without it a set-up counts as never done
LOG = VENV / "set-up.log"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
RUN_LOCK, TEST_LOCK = ROOT / "requirements.lock", ROOT / "requirements-dev.lock"
COST = {RUN_LOCK: (380, 1.3), TEST_LOCK: (430, 1.6)}  # MB to fetch, GB on disk; measured on Linux

# What went wrong, in the words of pip, venv or the system, and what to do. The first that fits counts.
REMEDIES = {
    r"No space left|Errno 28|WinError 112": "The disk is full: free {gigabytes} GB, then run this again.",
    r"DO NOT MATCH THE HASHES": (
        "A package is not the one recorded in {lock}, so nothing of it was run: try again on a network you"
        " trust, and report it if it stays so."
    ),
    r"Errno 13|Errno 30|Permission denied|Read-only file system|WinError 5\b": (
        "{root} can not be written: copy it to a folder of your own, then run this again."
    ),
    r"NewConnectionError|NameResolutionError|ReadTimeout|connection broken|Could not fetch URL": (
        "The package registry did not answer: check the network (behind a proxy, set HTTPS_PROXY), then run"
        " this again."
    ),
    r"No matching distribution found for (\S+)": (
        "The package registry has no {0} for this computer: use 64-bit Linux, macOS or Windows, or look which"
        " registry pip is told to ask (`pip config list`)."
    ),
}


class SetUpError(Exception):
    """Why there is no set-up, in a sentence that ends with what to do."""


def main(arguments: Sequence[str]) -> int:
    if arguments and arguments[0] in ("-h", "--help"):
        print(__doc__)
        return 0
    command, *rest = arguments or ["demo"]
    lock = TEST_LOCK if command == "test" else RUN_LOCK
    try:
        set_up(lock)
    except SetUpError as error:
        say(str(error))
        return 1
    except OSError as error:
        say(remedy(str(error), lock) or f"The set-up failed: {error}.")
        return 1
    except KeyboardInterrupt:
        say("Interrupted. Run this again and it starts afresh.")
        return 130
    if command == "test":
        os.chdir(ROOT)
        return hand_over([str(PYTHON), "-m", "pytest", *rest])
    return hand_over([str(PYTHON), str(ROOT / "main_v3.py"), command, *rest])


def set_up(lock: Path) -> None:
    """Make .venv hold what the lock says; if it does already, do nothing."""
    if is_set_up(lock):
        return
    refuse_python_without_venv()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that pip is stopped with us
    with only_one() as held:
        if is_set_up(lock):  # by the one we waited for
            return
        started = time.monotonic()
        prepare(lock)
        install(lock, held)
        compile_packages()
        write_stamp(lock)
        say(f"Set up in {time.monotonic() - started:.0f} s.")
        compile_kernels()


def prepare(lock: Path) -> None:
    """Say what it costs, and leave a .venv to install into that nothing takes for finished."""
    megabytes, gigabytes = COST[lock]
    if has_python() and read_stamp():
        say(f"Updating .venv, because {lock.name} has changed or was never installed.")
        STAMP.unlink()
        return
    say(f"Setting up .venv, once: a minute and the time to fetch {megabytes} MB; {gigabytes} GB on disk.")
    free = shutil.disk_usage(ROOT).free / 1e9
    if free < gigabytes:
        raise SetUpError(f"Only {free:.1f} GB of the disk are free: make room, then run this again.")
    make_venv(lock)


# ---- what .venv holds


def has_python() -> bool:
    """Whether .venv's Python can be run by us: it may lead to where only another user may look."""
    return os.access(str(PYTHON), os.X_OK)


def is_set_up(lock: Path) -> bool:
    return has_python() and read_stamp().get(lock.name) == fingerprint(lock)


def read_stamp() -> Dict[str, str]:
    """Return the locks that .venv holds; none if it was never finished or belongs to another Python."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) and stamp.get("python") == python_version() else {}


def write_stamp(lock: Path) -> None:
    locks = (RUN_LOCK, TEST_LOCK) if lock == TEST_LOCK else (lock,)  # the test lock contains the other
    stamp = {held.name: fingerprint(held) for held in locks}
    stamp["python"] = python_version()
    STAMP.write_text(json.dumps(stamp, indent=1) + "\n", encoding="utf-8")


def fingerprint(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes().replace(b"\r\n", b"\n")).hexdigest()


def python_version() -> str:
    return "{}.{}".format(*sys.version_info[:2])


# ---- making it


@contextlib.contextmanager
def only_one() -> Iterator[int]:
    """Hold off any other run.py of this folder; the system lets go once we and our pip have ended."""
    with (ROOT / ".venv.lock").open("a") as file:
        if not try_lock(file.fileno()):
            say("Another run.py is setting up here: waiting for it.")
            while not try_lock(file.fileno()):
                time.sleep(0.5)
        yield file.fileno()


def try_lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def make_venv(lock: Path) -> None:
    if VENV.exists():
        say("The .venv that is here is unfinished or of another Python: starting afresh.")
    # Run by .venv's own Python, we must not saw off the branch we sit on.
    python = getattr(sys, "_base_executable", None) or sys.executable
    command = [python, "-m", "venv", "--clear", str(VENV)]
    made = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if made.returncode != 0:
        raise SetUpError(remedy(made.stdout, lock) or f"No .venv could be made: {made.stdout.strip()}")


def install(lock: Path, held: int) -> None:
    """Fetch and install what the lock names, checked by hash; no code of a package runs."""
    command = [str(PYTHON), "-I", "-X", "utf8", "-m", "pip", "install", "--require-hashes", "--no-deps"]
    command += [
        "--only-binary",
        ":all:",
        "--no-compile",
        "--no-input",
        "--progress-bar",
        "off",
        "-r",
        str(lock),
    ]
    pip = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        env=dict(os.environ, PIP_USER="0", PIP_DISABLE_PIP_VERSION_CHECK="1"),
        pass_fds=() if os.name == "nt" else (held,),  # a pip that outlives us keeps the next run.py waiting
    )
    try:
        said = follow(pip, wanted=len(re.findall(r"(?m)^\w.*==", lock.read_text(encoding="utf-8"))))
    finally:
        pip.terminate()
        pip.wait()
    LOG.write_text(said, encoding="utf-8")
    if pip.returncode != 0:
        raise SetUpError(remedy(said, lock) or f"pip failed ({LOG}): {said[-500:].strip()}")


def follow(pip: "subprocess.Popen[str]", wanted: int) -> str:
    """Show on one line how far pip is; return all that it said."""
    said = []  # type: List[str]
    fetched = 0
    for line in pip.stdout or ():
        said.append(line)
        if line.startswith("Ignoring "):
            wanted -= 1
        elif line.startswith(("Collecting ", "Processing ", "Requirement already ")):
            fetched += 1
            show(f"Fetching: {fetched} of {wanted} packages")
        elif line.startswith("Installing collected packages"):
            follow_unpacking(pip, wanted=line.count(",") + 1)
    pip.wait()
    show("")
    return "".join(said)


def follow_unpacking(pip: "subprocess.Popen[str]", wanted: int) -> None:
    """Count what is on the disk, because pip says nothing until it is done."""
    before = None
    while pip.poll() is None:
        there = len(list(VENV.glob("**/site-packages/*.dist-info/INSTALLER")))
        before = there if before is None else before
        show(f"Installing: {there - before} of {wanted} packages")
        time.sleep(0.5)


def compile_packages() -> None:
    """Make bytecode on every core, faster than pip would; what can not be compiled is not used."""
    show("Compiling")
    command = [str(PYTHON), "-m", "compileall", "-qq", "-j", "0", str(VENV)]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    show("")


def compile_kernels() -> None:
    """Let numba compile now, so that the first scan need not wait for it."""
    if not (ROOT / "strategies" / "warm.py").exists():
        return
    say("Compiling the numerical kernels, once.")
    done = subprocess.run([str(PYTHON), "-m", "strategies.warm"], cwd=ROOT, stdout=sys.stderr, check=False)
    if done.returncode != 0:
        say("They did not compile, see above; the program will try again when it needs them.")


# ---- refusing, talking, handing over


def refusal_of_python(version: Tuple[int, ...]) -> Optional[str]:
    """Return why this Python can not run perpscout; None if it can."""
    if (3, 11) <= version[:2] <= (3, 13):
        return None
    here = [name for name in ("python3.13", "python3.12", "python3.11") if works(name)]
    return "Python 3.11 to 3.13 is needed and this is {}: {} `{} run.py`.".format(
        ".".join(str(part) for part in version[:3]),
        "use" if here else "install one of them and use",
        here[0] if here else "python3.12",
    )


def works(python: str) -> bool:
    return bool(shutil.which(python)) and subprocess.call([python, "-c", ""], stderr=subprocess.DEVNULL) == 0


def refuse_python_without_venv() -> None:
    if importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip"):
        return
    package = f"python{python_version()}-venv"
    advice = (
        f"run `sudo apt install {package}`" if shutil.which("apt") else f"install it (often named {package})"
    )
    raise SetUpError(f"This Python comes without its venv module: {advice}, then run this again.")


def remedy(said: str, lock: Path) -> Optional[str]:
    for pattern, sentence in REMEDIES.items():
        found = re.search(pattern, said)
        if found:
            return sentence.format(*found.groups(), lock=lock.name, gigabytes=COST[lock][1], root=ROOT)
    return None


def say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def show(progress: str) -> None:
    """Rewrite the progress line, if anybody is watching."""
    if sys.stderr.isatty():
        print(f"\r{'':50}\r{progress}", end="", file=sys.stderr, flush=True)


def hand_over(command: List[str]) -> int:
    """Become the command, so that its signals and its exit code are ours."""
    if os.name != "nt":
        os.execv(command[0], command)
    child = subprocess.Popen(command)
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            pass  # Ctrl-C reached the child too: it decides when to end


if __name__ == "__main__":
    sys.exit(refusal_of_python(sys.version_info[:3]) or main(sys.argv[1:]))
