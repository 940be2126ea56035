"""``python -m exchange.sim``: the simulator alone, for development; main_v3.py sim is the product's door."""

import argparse
import asyncio
import json
import sys
from dataclasses import asdict

from core.errors import PerpscoutError
from exchange.sim.config import Announcement, SimConfig
from exchange.sim.process import serve


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m exchange.sim", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--symbols", type=int, default=650)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=int)
    parser.add_argument("--weight-limit", type=int, default=2400)
    chosen = parser.parse_args()
    try:
        asyncio.run(serve(SimConfig(**vars(chosen)), announce=_announce))
    except PerpscoutError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _announce(announcement: Announcement) -> None:
    sys.stdout.write(json.dumps(asdict(announcement)) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
