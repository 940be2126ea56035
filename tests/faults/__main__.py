"""``python -m tests.faults --seeds N --start K [--json]``: as many storms as asked for."""

import argparse
import json
import sys
from collections.abc import Sequence

from core.clock import SystemClock
from tests.faults.campaign import campaign


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the storms; the exit code is 0 when nothing was violated."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seeds", type=int, default=50, help="how many storms")
    parser.add_argument("--start", type=int, default=1, help="the first seed")
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    wanted = parser.parse_args(arguments)
    clock = SystemClock()
    began = clock.monotonic()
    result = campaign(range(wanted.start, wanted.start + wanted.seeds), say=_say)
    if wanted.json:
        print(json.dumps(result.as_json()))
    else:
        seconds = clock.monotonic() - began
        print(f"{result.seeds} storms in {seconds:.0f} s, {len(result.violations)} violations")
    return 1 if result.violations else 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
