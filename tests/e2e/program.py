"""Runs main_v3.py as its users do: as a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
OURS = ("PERPSCOUT_", "BINANCE_", "DISCORD_", "RISK_", "UNIVERSE_", "TRADING_", "LIVE_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> dict[str, Any]:
        """Read the last line of stdout, which must be one JSON object."""
        read: dict[str, Any] = json.loads(self.stdout.strip().splitlines()[-1])
        return read


def environment(home: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """Return what a child inherits: the environment without the settings of whoever runs the tests."""
    around = os.environ.items()  # noqa: TID251 - handed on to a child
    inherited = {name: value for name, value in around if not name.startswith(OURS)}
    return {**inherited, "PERPSCOUT_HOME": str(home), **settings}


def command(*arguments: object) -> list[str]:
    return [sys.executable, str(ROOT / "main_v3.py"), *map(str, arguments)]


def run(*arguments: object, home: Path, timeout: float = 110, **settings: str) -> Outcome:
    """Run a command to its end; ``home`` is where it may write, ``settings`` are environment variables."""
    done = subprocess.run(
        command(*arguments),
        capture_output=True,
        text=True,
        timeout=timeout,
        cwd=home,
        env=environment(home, settings),
        check=False,
    )
    return Outcome(code=done.returncode, stdout=done.stdout, stderr=done.stderr)
