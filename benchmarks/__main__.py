"""``python -m benchmarks NAME [--seed N] [--speed X] [--json]``: run a benchmark and print what it found."""

import argparse
import json
import sys
from importlib import import_module
from inspect import signature
from typing import Any

NAMES = ("bootstrap", "day", "decode", "journal", "null", "recorded", "scan", "sim_load", "steady", "step")
"""Each is a module beside this one with ``run(*, seed)``, which returns at least name, unit and ours.

Those that measure against a running simulator take ``speed`` as well.
"""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--seed", type=int, default=1, help="of the market that is measured on")
    parser.add_argument("--speed", type=float, help="of the simulated market, where one runs")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    chosen = parser.parse_args(arguments)
    run = import_module(f"benchmarks.{chosen.name}").run
    options = {"seed": chosen.seed} | ({} if chosen.speed is None else {"speed": chosen.speed})
    if not options.keys() <= signature(run).parameters.keys():
        parser.error(f"{chosen.name} knows no --speed")
    found: dict[str, Any] = run(**options)
    if chosen.json:
        print(json.dumps(found))
        return 0
    for key, value in found.items():
        print(f"{key:>28}  {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
