"""The one home of randomness: jitter and simulated paths draw from here, by seed."""

from typing import Protocol

import numpy as np


class Rng(Protocol):
    """The few draws services need; a storm injects a seeded one so that it can be replayed."""

    def uniform(self, low: float, high: float) -> float:
        """Return a float in ``[low, high)``."""
        ...


def seeded(seed: int | None = None) -> np.random.Generator:
    """Return a generator; ``None`` takes the seed from the operating system."""
    return np.random.default_rng(seed)
