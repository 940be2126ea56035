"""Which perpscout this is."""

import tomllib
from pathlib import Path

_PROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"


def version() -> str:
    with _PROJECT.open("rb") as file:
        number: str = tomllib.load(file)["project"]["version"]
    return number
