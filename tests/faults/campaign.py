"""Many storms in a row, and what came of them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256

from tests.faults.invariants import Violation
from tests.faults.scenario import storm


@dataclass(frozen=True, slots=True)
class Campaign:
    """``violations`` are lines that name what was violated and how to see it again.

    ``sha256`` is of all the journals: the same seeds give the same, on whatever machine.
    """

    seeds: int
    violations: tuple[str, ...]
    sha256: str

    def as_json(self) -> dict[str, object]:
        return {
            "seeds": self.seeds,
            "violations": len(self.violations),
            "first_violation": next(iter(self.violations), None),
            "sha256": self.sha256,
        }


def campaign(seeds: Iterable[int], *, say: Callable[[str], None] = lambda _: None) -> Campaign:
    """Live through every seed's storm; a violated one does not stop the others."""
    lived, violations, journals = 0, [], sha256()
    for seed in seeds:
        lived += 1
        try:
            journals.update(storm(seed).journal_sha256.encode())
        except Violation as violation:
            violations.append(f"{violation}; {how_to_repeat(seed)}")
            say(violations[-1])
    return Campaign(lived, tuple(violations), journals.hexdigest())


def how_to_repeat(seed: int) -> str:
    return f"repeat with: python -m tests.faults --seeds 1 --start {seed}"
