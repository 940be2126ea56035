"""The null test: on walks without drift the strategy must earn nothing, and a cheat must be caught.

Zero-drift arithmetic random walks, 60 Gaussian steps a minute, no gaps, no costs; every candidate is entered
at the next open and held to its stop or target, one trade a walk at a time. Honest code may show up to
+0.02 R, because a fill exactly at the stop hides what a real one overshoots.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.market import MINUTE_MS, QUARTER_MS, Floats
from core.rng import seeded
from core.signals import Candidate
from strategies.ict_smc import IctSmc
from strategies.kernel.market import MarketKernel
from strategies.kernel.parameters import KernelParameters

START_MS = 1_900_000 * QUARTER_MS
STEPS = 60
DEVIATION = 0.0008
TOLERANCE = 0.02
THRESHOLD = 70.0
FORESIGHT = 5
WAYS = ("all", "confident", "at_label", "peeked")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Trades of one way to act, and their mean in R with a standard error clustered by walk."""

    trades: int
    mean: float
    error: float

    @property
    def is_honest(self) -> bool:
        return abs(self.mean) <= TOLERANCE + 3 * self.error


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to enter: at the open of minute ``entry``, on walk ``walk``. ``distance`` is 1 R in price."""

    walk: int
    entry: int
    side: int
    distance: float
    reward_risk: float


def walks(rng: np.random.Generator, *, count: int, minutes: int) -> Floats:
    """Return candles [minutes, 5, count] of arithmetic random walks from 100."""
    rows = np.empty((minutes, 5, count))
    rows[:, 4] = rng.lognormal(3.0, 1.0, size=(minutes, count))
    price = np.full(count, 100.0)
    for minute in range(minutes):
        path = price + np.cumsum(rng.normal(0.0, 100.0 * DEVIATION / STEPS**0.5, size=(STEPS, count)), axis=0)
        rows[minute, 0] = price
        rows[minute, 1] = np.maximum(price, path.max(axis=0))
        rows[minute, 2] = np.minimum(price, path.min(axis=0))
        price = rows[minute, 3] = path[-1]
    return rows


def candidates(rows: Floats, parameters: KernelParameters) -> list[Candidate]:
    """Return every set-up on the walks that geometry does not refuse."""
    count = rows.shape[2]
    kernel, strategy = MarketKernel([str(walk) for walk in range(count)], parameters), IctSmc()
    present = np.ones(count, dtype=np.bool_)
    found: list[Candidate] = []
    for minute, row in enumerate(rows):
        kernel.step(START_MS + minute * MINUTE_MS, row, present)
        found += strategy.candidates(kernel, START_MS + minute * MINUTE_MS)
    return [candidate for candidate in found if candidate.refusal is None]


def honest(candidate: Candidate) -> Plan:
    """Act when the candidate is known: at the next open."""
    return _plan(candidate, entry=_minute(candidate.at))


def at_label(candidate: Candidate) -> Plan:
    """The cheat that charts of blocks invite: act on the block's own candle, long before it is known."""
    return _plan(candidate, entry=_minute(candidate.zones[0].labelled_at) + 1)


def _plan(candidate: Candidate, *, entry: int) -> Plan:
    distance = abs(candidate.price - candidate.stop)
    return Plan(
        walk=int(candidate.symbol),
        entry=entry,
        side=int(candidate.side),
        distance=distance,
        reward_risk=candidate.reward_risk,
    )


def _minute(at_ms: int) -> int:
    return (at_ms - START_MS) // MINUTE_MS


def peeked(found: Sequence[Candidate], rows: Floats) -> list[Candidate]:
    """The planted look-ahead: keep the candidates whose price goes their way in the minutes after."""
    return [candidate for candidate in found if _comes_true(candidate, rows)]


def _comes_true(candidate: Candidate, rows: Floats) -> bool:
    entry, walk = _minute(candidate.at), int(candidate.symbol)
    if entry + FORESIGHT > len(rows):
        return False
    return candidate.side * (rows[entry + FORESIGHT - 1, 3, walk] - rows[entry, 0, walk]) > 0


def trades(plans: Sequence[Plan], rows: Floats) -> Iterator[tuple[int, float]]:
    """Yield (walk, gross R) of each plan entered, one at a time a walk; the stop comes first in a candle."""
    busy_until: dict[int, int] = {}
    for plan in sorted(plans, key=lambda each: each.entry):
        if plan.entry < len(rows) and plan.entry > busy_until.get(plan.walk, -1):
            busy_until[plan.walk], gross = _held(plan, rows[plan.entry :, :, plan.walk])
            yield plan.walk, gross


def _held(plan: Plan, path: Floats) -> tuple[int, float]:
    """Hold to stop or target, at the latest to the walk's end; return the last minute and the result in R."""
    entry = path[0, 0]
    adverse = path[:, 2] if plan.side > 0 else path[:, 1]
    favourable = path[:, 1] if plan.side > 0 else path[:, 2]
    stopped = _first(plan.side * (adverse - entry) <= -plan.distance)
    won = _first(plan.side * (favourable - entry) >= plan.reward_risk * plan.distance)
    last = min(stopped, won, len(path) - 1)
    if last == stopped:
        return plan.entry + last, -1.0
    if last == won:
        return plan.entry + last, plan.reward_risk
    return plan.entry + last, float(plan.side * (path[-1, 3] - entry) / plan.distance)


def _first(happened: NDArray[np.bool_]) -> int:
    place = int(np.argmax(happened))
    return place if happened[place] else len(happened)


def outcome(results: Sequence[tuple[int, float]]) -> Outcome:
    """Return the mean and its standard error; trades of one walk are not independent, walks are."""
    walk_of, gross = np.array([walk for walk, _ in results]), np.array([each for _, each in results])
    if not len(gross):
        return Outcome(trades=0, mean=0.0, error=0.0)
    mean = float(gross.mean())
    sums = np.bincount(walk_of, weights=gross - mean)
    return Outcome(trades=len(gross), mean=mean, error=float(np.sqrt((sums**2).sum()) / len(gross)))


def null_test(
    seed: int, *, batches: int, count: int, minutes: int, parameters: KernelParameters | None = None
) -> dict[str, Outcome]:
    """Run ``batches`` × ``count`` walks and return the outcome of each way to act."""
    results: dict[str, list[tuple[int, float]]] = {name: [] for name in WAYS}
    for batch, rng in enumerate(seeded(seed).spawn(batches)):
        rows = walks(rng, count=count, minutes=minutes)
        found = candidates(rows, parameters or KernelParameters())
        confident = [candidate for candidate in found if candidate.confidence >= THRESHOLD]
        plans = {
            "all": [honest(candidate) for candidate in found],
            "confident": [honest(candidate) for candidate in confident],
            "at_label": [at_label(candidate) for candidate in found],
            "peeked": [honest(candidate) for candidate in peeked(found, rows)],
        }
        for name, planned in plans.items():
            results[name] += [(batch * count + walk, gross) for walk, gross in trades(planned, rows)]
    return {name: outcome(each) for name, each in results.items()}


def run(*, seed: int = 1) -> dict[str, Any]:
    """Return the benchmark's object; this many walks give more than 20,000 trades."""
    outcomes = null_test(seed, batches=6, count=130, minutes=26_000)
    whole = outcomes["all"]
    return {
        "name": "null",
        "unit": "R",
        "seed": seed,
        "trades": whole.trades,
        "gross_r_mean": whole.mean,
        "gross_r_se": whole.error,
        "honest": whole.is_honest and outcomes["confident"].is_honest,
        "cheats_caught": not (outcomes["at_label"].is_honest or outcomes["peeked"].is_honest),
        **{
            f"{name}_{field}": value
            for name in WAYS[1:]
            for field, value in (
                ("trades", outcomes[name].trades),
                ("gross_r_mean", outcomes[name].mean),
                ("gross_r_se", outcomes[name].error),
            )
        },
    }
